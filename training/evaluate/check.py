"""Dub real clips and check what must hold.

    python -m training.evaluate.check --footage DIR --output DIR

For every clip it dubs once with another speech and once with the clip's own sound, finds the
landmarks again in the dubbed pictures, and writes a table (checks.json) and one montage a clip.
A dub follows its speech when the aperture found in the output agrees with the predicted one.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.dub import dub
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mouth import aperture, correlation
from gsmooth_core.job.job import Job
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.result import DubResult
from gsmooth_core.media import probe, read_frames
from gsmooth_core.storage.arrays import load_expression, load_track
from gsmooth_core.tracking import track_face
from gsmooth_core.tracking.fitting.lips import edge_landmarks
from gsmooth_core.types import Expression, FaceTrack, Float, Image
from training.evaluate.run import DEFAULT_SPEECH

log = logging.getLogger(__name__)

DEFAULT_CLIPS = (
    "styletalk_reagan_clip1.mp4",  # 256x256, 30
    "bytedance-LatentSync__assets_demo2_video.mp4",  # 1080x1920, 25
    "liutaocode-talking_face_preprocessing__data_processing_raw_data_FAzSK8PLmGI.mp4",  # 720p 29.97
    "2010030151-satya-video_dubbing__speech.mp4",  # 406x720, 30
    "yoyo-nb-Thin-Plate-Spline-Motion-Model__assets_driving.mp4",  # 410x412, 25
    "aliawan01-testing_deepfake__musk.mp4",  # 854x480, 30
    "vincent-thevenin-Realistic-Neural-Talking-Head-Models__examples_fine_tuning_test_video.mp4",
    "rizkiarm-LipNet__evaluation_samples_GRID_pwij3p.mpg",  # 360x288, 25
)


@dataclass(frozen=True)
class Check:
    """What was found in one dubbed clip; apertures are compared with Pearson's r.

    Attributes:
        clip: file name.
        same_form: frame count, rate and size equal the source's.
        outside_difference: largest change of a pixel outside the mask, before encoding.
        follows_prediction: output against predicted aperture, other speech.
        follows_original: output against the original's aperture, other speech.
        own_audio: output against the original's aperture, dubbed with the clip's own sound.
        seconds: time for the first dub.
    """

    clip: str
    same_form: bool
    outside_difference: int
    follows_prediction: float
    follows_original: float
    own_audio: float
    seconds: float


def predicted_aperture(track: FaceTrack, curves: Expression) -> Float:
    """(T,) aperture of the posed mesh's own lip landmarks for the given curves."""
    model = load_face_model()
    vertices = model.shape(track.identity, curves.values)  # (T, V, 3)
    return aperture(edge_landmarks(model, vertices))


def dub_clip(video: Path, audio: Path, output: Path, frames: int | None) -> DubResult:
    """Dub one clip or its first frames, keeping its job folder."""
    job = Job(video=video, audio=audio, output=output, frame_count=frames)
    return dub(job, output.with_suffix(".job"))


def retrack(video: Path) -> FaceTrack:
    """Track the face of a finished video from scratch."""
    clip = probe(video)
    return track_face(read_frames(clip), clip, load_face_model())


def check_clip(video: Path, speech: Path, output: Path, most: int | None) -> Check:
    """Dub `video` with `speech` and with its own sound, and compare mouths."""
    source = probe(video)
    frames = min(most or source.frame_count, source.frame_count)
    other, own = output / f"{video.stem}.other.mp4", output / f"{video.stem}.own.mp4"
    result = dub_clip(video, speech, other, frames)
    dub_clip(video, video, own, frames)
    folder = other.with_suffix(".job")
    track = load_track(folder / JobFile.TRACK)
    curves = load_expression(folder / JobFile.TARGET)
    original, found = aperture(track.landmarks), aperture(retrack(other).landmarks)
    made = probe(other)
    montage(video, other, own, output / f"{video.stem}.png", track)
    return Check(
        clip=video.name,
        same_form=(frames, source.fps, source.width, source.height)
        == (made.frame_count, made.fps, made.width, made.height),
        outside_difference=result.outside_mask_max_difference,
        follows_prediction=correlation(found, predicted_aperture(track, curves)),
        follows_original=correlation(found, original),
        own_audio=correlation(aperture(retrack(own).landmarks), original),
        seconds=result.seconds,
    )


def montage(source: Path, other: Path, own: Path, output: Path, track: FaceTrack) -> None:
    """Rows: source, other speech, own sound; columns: eight moments, cut to the face."""
    moments = np.linspace(0, len(track) - 1, 10).astype(np.intp)[1:-1]
    rows = [np.hstack(_faces(path, moments, track)) for path in (source, other, own)]
    cv2.imwrite(str(output), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _faces(path: Path, moments: NDArray[np.intp], track: FaceTrack, size: int = 240) -> list[Image]:
    faces: list[Image] = []
    for index, frame in enumerate(read_frames(probe(path))):
        if index not in moments:
            continue
        points = np.nan_to_num(track.landmarks[index])
        low, high = points.min(axis=0), points.max(axis=0)
        centre, half = (low + high) / 2, max(*(high - low)) * 0.65
        (x0, y0), (x1, y1) = np.maximum(centre - half, 0).astype(int), (centre + half).astype(int)
        faces.append(cv2.resize(frame[y0 : y1 + 1, x0 : x1 + 1], (size, size)))
    return faces


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    arguments = _parse()
    arguments.output.mkdir(parents=True, exist_ok=True)
    speech, checks = arguments.footage / "speech" / arguments.speech, []
    for name in arguments.clips:
        video = arguments.footage / "clips" / name
        checks.append(check_clip(video, speech, arguments.output, arguments.frames))
        log.info("%s", checks[-1])
        rows = [asdict(check) for check in checks]
        (arguments.output / "checks.json").write_text(json.dumps(rows, indent=1))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="folder: clips/ and speech/")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--clips", nargs="*", default=DEFAULT_CLIPS)
    parser.add_argument("--speech", default=DEFAULT_SPEECH)
    parser.add_argument("--frames", type=int, help="dub only the first frames of each clip")
    return parser.parse_args()


if __name__ == "__main__":
    main()
