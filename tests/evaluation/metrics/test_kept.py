"""How much of a mouth was left as filmed, and where that looks torn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.kept import finding, kept_share, occluders_in, torn
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.verdict import FAIR, POOR
from gsmooth_core.mafb.occlusion.occluders import packed, save_occluders
from tests.taft import scene

SHUT, OPEN = np.float32(0.02), np.float32(0.2)


def masks() -> Masks:
    track = scene.track(4)
    confidence = np.array([1, 1, 1, 0], np.float32)
    return Masks(replace(track, confidence=confidence), scene.face_model(), track.expression)


def test_the_share_is_of_the_mouth_alone() -> None:
    made = masks()
    mouth = made.mouth(1)
    half = mouth & (np.cumsum(mouth).reshape(mouth.shape) <= mouth.sum() // 2)
    beside = half | ~mouth  # what lies off the mouth does not count
    left = packed([(1, beside), (2, ~made.mouth(2)), (3, mouth)], made.size)
    share = kept_share(made, left)
    assert share[1] == pytest.approx(0.5, abs=0.01)
    assert share[[0, 2, 3]].tolist() == [0, 0, 0]  # of 3, no usable face was dubbed
    assert kept_share(made, None).tolist() == [0] * 4


def test_a_mouth_is_torn_where_the_new_one_opens_otherwise() -> None:
    kept = np.array([0.5, 0.5, 0.1, 0.5], np.float32)
    filmed = np.array([SHUT, SHUT, SHUT, np.nan])
    wanted = np.array([OPEN, SHUT, OPEN, OPEN])
    assert torn(kept, filmed, wanted).tolist() == [True, False, False, False]
    assert torn(kept, wanted, filmed).tolist() == [True, False, False, False]


def judged(kept: float, wanted: np.float32, first: int = 0):
    share = np.zeros(40, np.float32)
    share[23:28] = kept
    return finding(share, np.full(40, SHUT), np.full(40, wanted), first)


def test_the_verdict_names_the_frames_of_a_torn_mouth() -> None:
    found = judged(0.4, OPEN, 100)
    assert found.kind == POOR
    assert found.text.startswith("Up to 40 % of the mouth in frames 123-127 was left as filmed")
    assert found.fault == "a torn mouth"


def test_a_little_or_alike_is_to_be_looked_at_and_nothing_is_no_finding() -> None:
    assert (judged(0.1, OPEN).kind, judged(0.4, SHUT).kind) == (FAIR, FAIR)
    assert "frames 23-27" in judged(0.1, OPEN).text
    assert judged(0.01, OPEN).kind == judged(0.0, OPEN).kind == ""


def test_what_a_job_left_is_read_where_it_looked_for_it(tmp_path: Path) -> None:
    def source(*, looks: bool):
        settings = SimpleNamespace(occluders=looks)
        return SimpleNamespace(job=SimpleNamespace(settings=settings), plain=True)

    assert occluders_in(tmp_path, source(looks=True)) is None
    save_occluders(tmp_path / "occluders.safetensors", packed([(3, np.ones((8, 8), bool))], 8))
    found = occluders_in(tmp_path, source(looks=True))
    assert found is not None
    assert found.frames.tolist() == [3]
    assert occluders_in(tmp_path, source(looks=False)) is None
