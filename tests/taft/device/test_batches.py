"""Frames in batches, as a graphics card makes them, against frames one by one."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.compose import ComposeSettings
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL, stirred

FRAMES, BLIND = 7, 3


@pytest.fixture(scope="module")
def dub() -> tuple[FaceTranslator, list[np.ndarray]]:
    clip = scene.without_face(scene.track(FRAMES), BLIND)
    pictures = scene.pictures(clip)
    settings = ComposeSettings(references=ReferenceSettings(bank=5))
    target = clip.expression[::-1].copy()
    given = clip, scene.face_model(), target, pictures.__getitem__, stirred(SMALL["detail"])
    return FaceTranslator(*given, settings, "cpu"), pictures


def translated(dub: FaceTranslator, pictures: list[np.ndarray], batch: int) -> list:
    dub.batch = batch
    made = list(dub.translate_all(enumerate(pictures)))
    assert all(frame is given for (frame, _), given in zip(made, pictures, strict=True))
    return [translated for _, translated in made]


@pytest.mark.parametrize("size", [2, 5])
def test_batches_make_what_single_frames_make(dub, size: int) -> None:
    translator, pictures = dub
    alone, together = (translated(translator, pictures, n) for n in (1, size))
    for n, (one, other) in enumerate(zip(alone, together, strict=True)):
        assert one.members == other.members and np.array_equal(one.mask, other.mask)
        assert np.array_equal(other.frame[~other.mask], pictures[n][~other.mask])
        apart = np.abs(one.frame[one.mask].astype(int) - other.frame[one.mask])
        assert n == BLIND or (apart > 2).mean() < 1e-3
    assert not together[BLIND].mask.any()
    assert (together[0].frame != pictures[0]).any()


def test_a_frame_that_reaches_beyond_the_box_has_its_own(dub, monkeypatch) -> None:
    translator, pictures = dub
    monkeypatch.setitem(translator.composer.grown, 1, (0, 0, *(translator.composer.size,) * 2))
    alone, together = (translated(translator, pictures, n) for n in (1, 4))
    apart = np.abs(alone[1].frame.astype(int) - together[1].frame)
    assert (apart > 2).mean() < 1e-3


def test_a_clip_of_which_nothing_lends_is_made_frame_by_frame(dub, monkeypatch) -> None:
    translator, pictures = dub
    monkeypatch.setattr(translator.composer, "bank", {})
    monkeypatch.setattr(translator, "wanted", np.zeros(FRAMES, bool))
    assert not any(done.mask.any() for done in translated(translator, pictures, 4))
