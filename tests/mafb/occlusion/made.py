"""The known clip (`tests.taft.scene`) with a disc before its mouth in some frames."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache

import numpy as np

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.morphable import Region
from gsmooth_core.types import FaceTrack, Image
from tests.taft import scene

FRAMES = 24
HIDDEN = range(9, 15)
DARK = (30, 32, 36)
RADIUS = 17  # pixels; the mouth is about 40 wide


@cache
def clip() -> FaceTrack:
    return scene.track(FRAMES)


@cache
def bare() -> tuple[Image, ...]:
    return tuple(scene.pictures(clip()))


def disc(frame: int) -> np.ndarray:
    """(H, W) bool, where the disc is; it passes below the lips from one side to the other."""
    track, model = clip(), scene.face_model()
    points = model.shape(track.identity, track.expression[frame])[model.regions == Region.LIPS]
    camera = pose(points, track.rotation[frame], track.translation[frame])
    seen = project(camera, track.focal, track.width, track.height)
    x, y = seen[:, :2].mean(0) + np.array([3 * (frame - 11.5), 16])
    rows, columns = np.mgrid[: track.height, : track.width] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < RADIUS**2


@cache
def hidden() -> tuple[Image, ...]:
    """The clip with the disc."""
    pictures = []
    for frame, picture in enumerate(bare()):
        before = disc(frame) if frame in HIDDEN else np.zeros(picture.shape[:2], bool)
        pictures.append(np.where(before[..., None], np.uint8(DARK), picture))
    return tuple(pictures)


def opened(pictures):
    """`pictures` as a clip to open; it insists on ascending order."""

    @contextmanager
    def source():
        last = [-1]

        def frame(number: int) -> Image:
            assert number >= last[0]
            last[0] = number
            return pictures[number]

        yield frame

    return source
