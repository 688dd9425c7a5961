"""What a viewer of an output sees: the right frame, coded as in a dub, and nothing else changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.fidelity import psnr
from gsmooth_core.taft.translated import Translated
from tests import clips
from training.taft import viewed as v

WHITE = np.s_[60:76, 80:112]


class Whitened(v.AsFilmed):
    """Lays white over a part of each frame; keeps the numbers that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def translate_all(self, frames):
        for number, frame in frames:
            self.asked.append(number)
            new, mask = frame.copy(), np.zeros(frame.shape[:2], bool)
            new[WHITE], mask[WHITE] = 255, True
            yield frame, Translated(new, mask, mask)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> tuple[Path, list[np.ndarray]]:
    pictures = clips.pictures()
    return clips.video(tmp_path_factory.mktemp("viewed") / "clip.mp4", pictures), pictures


@pytest.mark.parametrize("frame", [0, 6, clips.FRAMES - 1])
def test_it_is_that_frame_and_it_was_coded(source, tmp_path: Path, frame: int) -> None:
    path, pictures = source
    shown = v.Viewer(path, tmp_path).shown(frame, v.AsFilmed())
    near = [psnr(shown, picture) for picture in pictures]
    assert np.argmax(near) == frame
    assert 30 < near[frame] < 60
    assert (shown != next(v.read_frames(v.probe(path), frame, 1))).any()


def test_what_is_made_is_in_the_file_among_the_frames_around_it(
    source, tmp_path: Path, monkeypatch
) -> None:
    # As stored pictures are laid by a `Lay`, which a drawing has not: RGB.
    monkeypatch.setattr(v, "stored_run", lambda *given: None)
    viewer, dub = v.Viewer(source[0], tmp_path), Whitened()
    made, filmed = (viewer.shown(7, by) for by in (dub, v.AsFilmed()))
    assert made[WHITE].min() > 235
    assert filmed[WHITE].mean() < 200
    assert dub.asked == list(range(min(7 + v.AFTER, clips.FRAMES - 1) + 1))
    outside = np.ones(made.shape[:2], bool)
    outside[50:86, 70:122] = False
    assert np.abs(made.astype(int) - filmed)[outside].mean() < 2
