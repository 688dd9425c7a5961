"""A clip with a face and a sound that anybody may use: a photograph, slowly coming nearer."""

import cv2
import numpy as np
from skimage.data import astronaut

from tests.media import made

FRAMES = 40


def footage(folder):
    """`clips/` with one clip and `speech/` with one sound."""
    for name in ("clips", "speech"):
        (folder / name).mkdir(parents=True)
    photo, frames = astronaut(), []
    for n in range(FRAMES):
        half = 150 - n // 2
        part = photo[130 - min(half, 130) : 130 + half, 225 - half : 225 + half]
        frames.append(cv2.resize(part, (256, 240), interpolation=cv2.INTER_AREA))
    made.write_video(folder / "clips" / "photo.mp4", np.array(frames), 25, "-crf", 4, tone=2)
    sound = folder / "speech" / "other.wav"
    made.ffmpeg("-f", "lavfi", "-i", "sine=frequency=200:duration=2", f"file:{sound}")
    return folder
