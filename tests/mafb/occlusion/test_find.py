"""What is before the face is found where it is, and nothing on a face that talks and turns."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.render import covered, face_surface, pose_face
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.find import find_occluders
from gsmooth_core.mafb.occlusion.glimpses import Glimpses
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.media import probe, read_frames
from gsmooth_core.tracking import track_face
from tests.mafb.occlusion import made
from tests.taft import scene

SIZE = 256


def find(pictures, track=None) -> Occluders:
    return find_occluders(made.opened(pictures), track or made.clip(), scene.face_model())


@pytest.fixture(scope="module")
def found() -> Occluders:
    return find(made.hidden())


def lower_face(track, frame: int) -> np.ndarray:
    surface = face_surface(scene.face_model(), track.identity)
    at = crop_transforms(track, scene.face_model(), SIZE)[frame]
    return covered(
        surface, pose_face(surface, track, frame, track.expression[frame], at), SIZE, whole=False
    )


def test_it_is_found_in_its_frames_and_in_no_other(found) -> None:
    assert found.frames.tolist() == list(made.HIDDEN)


def test_frames_that_were_seen_before_are_read_for_the_outline_alone(found) -> None:
    track, model, asked = made.clip(), scene.face_model(), []
    glimpses = Glimpses(track, model)
    with glimpses.watched(made.opened(made.hidden()))() as source:
        assert all(np.array_equal(source(n), made.hidden()[n]) for n in range(len(track)))

    @contextmanager
    def opened():
        yield lambda frame: asked.append(frame) or made.hidden()[frame]

    again = find_occluders(opened, track, model, glimpses=glimpses)
    assert asked == again.frames.tolist() == found.frames.tolist()
    assert all(
        np.array_equal(again.mask(n, SIZE), found.mask(n, SIZE)) for n in found.frames.tolist()
    )


def test_its_outline_is_its_own(found) -> None:
    track = made.clip()
    transforms = crop_transforms(track, scene.face_model(), SIZE)
    for frame in made.HIDDEN:
        truth = made.disc(frame).astype(np.uint8) * 255
        truth = cv2.warpAffine(truth, transforms[frame], (SIZE, SIZE)) > 127
        mask, low = found.mask(frame, SIZE), lower_face(track, frame)
        assert (mask & truth & low).sum() > 0.95 * (truth & low).sum()
        assert (mask & truth & low).sum() > 0.6 * ((mask | truth) & low).sum()


def test_a_face_with_nothing_before_it_is_left_alone() -> None:
    assert len(find(made.bare())) == 0


def test_other_light_and_blur_are_nothing_before_the_face() -> None:
    pictures = list(made.bare())
    for frame in (5, 6, 7, 8):
        side = np.linspace(0.6, 1.1, pictures[frame].shape[1])[None, :, None]
        pictures[frame] = (pictures[frame] * side).astype(np.uint8)
    for frame in (14, 15, 16):
        pictures[frame] = cv2.blur(pictures[frame], (9, 1))
    assert len(find(pictures)) == 0


def test_frames_without_a_face_are_not_looked_at() -> None:
    pictures = list(made.hidden())
    track = scene.without_face(made.clip(), 11)
    pictures[11] = None
    assert find(pictures, track).frames.tolist() == [n for n in made.HIDDEN if n != 11]


def test_too_few_frames_have_nothing_usual() -> None:
    track = made.clip()
    few = np.arange(made.FRAMES) < 8
    assert len(find(made.hidden(), replace(track, confidence=few.astype(np.float32)))) == 0


@pytest.mark.footage
def test_a_microphone_before_a_real_face_is_found_and_the_face_alone_is_not(footage) -> None:
    clip = probe(footage / "clips" / "yerfor-Real3DPortrait__data_raw_examples_May_5s.mp4")
    model, bare = load_face_model(), list(read_frames(clip))[:60]
    face = track_face(bare, replace(clip, frame_count=60), model)
    assert len(find_occluders(made.opened(bare), face, model)) == 0
    pictures = list(bare)
    for frame in range(25, 37):
        x, y = face.landmarks[frame, [13, 14]].mean(0)
        picture = pictures[frame].copy()
        at = (int(x + 6 * (frame - 31)), int(y + 20))
        cv2.ellipse(picture, at, (28, 36), 0, 0, 360, (32, 33, 36), -1, cv2.LINE_AA)
        pictures[frame] = picture
    track = track_face(pictures, replace(clip, frame_count=60), model)
    found = find_occluders(made.opened(pictures), track, model)
    hidden = [frame for frame in range(25, 37) if track.usable[frame]]
    assert set(found.frames.tolist()) <= set(range(25, 37))
    assert len(found) >= 0.9 * len(hidden)
