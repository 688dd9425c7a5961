"""Short clips of a public-domain photo, and curves for them."""

from fractions import Fraction

import cv2
import numpy as np
import skimage.data

from gsmooth_core.dub import DubPipeline
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import Expression
from tests.media import made

FRAMES = 16
SETTINGS = DubSettings(preset="ultrafast", chunk_frames=6)


def pictures(blank=()):
    """The astronaut, slowly coming nearer; nothing but grey in the frames `blank`."""
    photo = skimage.data.astronaut()
    frames = []
    for n in range(FRAMES):
        half = 150 - n
        part = photo[130 - min(half, 130) : 130 + half, 225 - half : 225 + half]
        frame = cv2.resize(part, (256, 240), interpolation=cv2.INTER_AREA)
        frames.append(np.full_like(frame, 90) if n in blank else frame)
    return frames


def video(path, frames):
    return made.write_video(path, np.array(frames), 25, "-crf", 4)


def curves(path, values, name="jawOpen"):
    values = np.asarray(values, np.float32)[:, None]
    save_expression(path, Expression((name,), values, Fraction(25)))
    return path


def told(on_frame):
    """A way whose every finished frame `on_frame` sees, and may give back as another."""

    class Told(DubPipeline):
        def translator(self, *arguments):
            true = super().translator(*arguments)
            translate_all = true.translate_all

            def seen(frames):
                for number, (frame, made_frame) in enumerate(translate_all(frames)):
                    yield frame, on_frame(number, made_frame)

            true.translate_all = seen
            return true

    return Told
