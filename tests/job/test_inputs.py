"""What stages depend on: a choice of face makes the track anew, its default does not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import fingerprint
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.blend import MaskSettings
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.taft.adaptation.adapt import AdaptSettings
from gsmooth_core.types import Expression
from tests.media import made


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return made.write_video(tmp_path / "clip.mp4", made.numbered_frames(3), 25)


def _track(clip: Path, **settings: str) -> dict[str, object]:
    job = Job(clip, clip.with_name("out.mp4"), settings=DubSettings(**settings))
    return StageInputs(Source(job), clip.parent, None, AdaptSettings()).track()


def test_the_default_face_is_not_named(clip: Path) -> None:
    """Tracks from before there was a choice stay good."""
    assert "face" not in _track(clip)
    assert fingerprint(**_track(clip)) == fingerprint(**_track(clip, face="largest"))


def test_another_face_is_another_track(clip: Path) -> None:
    prints = {fingerprint(**_track(clip, face=face)) for face in ("largest", "1", "2")}
    assert len(prints) == 3


def test_another_length_is_another_picture_of_the_same_track(clip: Path) -> None:
    """Three pictures and five frames of curves, which no length changes."""
    (clip.parent / "track.safetensors").write_bytes(b"track")
    curves = Expression(("jawOpen",), np.zeros((5, 1), np.float32), Fraction(25))
    save_expression(clip.with_name("curves.json"), curves)
    prints = []
    for length in ("hold", "loop", "ping-pong"):
        settings = DubSettings(length=length)
        job = Job(
            clip, clip.with_name("o.mp4"), None, clip.with_name("curves.json"), settings=settings
        )
        inputs = StageInputs(Source(job), clip.parent, None, AdaptSettings())
        assert fingerprint(**inputs.track()) == fingerprint(**_track(clip))
        prints.append(inputs.render())
    assert len(set(prints)) == 3


@pytest.mark.parametrize(
    ("name", "values"),
    [("grain", (True, False)), ("sharpness", (True, False)), ("shutter", (0.0, 0.33))],
)
def test_what_is_laid_on_the_picture_changes_nothing_that_is_learned(
    clip: Path, name: str, values: tuple[float, float]
) -> None:
    (clip.parent / "track.safetensors").write_bytes(b"track")
    learned, pictures = [], []
    for wanted in values:
        job = Job(clip, clip.with_name("out.mp4"), settings=DubSettings(**{name: wanted}))
        inputs = StageInputs(Source(job), clip.parent, None, AdaptSettings())
        learned.append(fingerprint(**inputs.adapt()))
        pictures.append(inputs.render())
    assert len(set(learned)) == 1
    assert len(set(pictures)) == 2


def test_a_face_that_is_looked_at_more_often_is_another_track(clip: Path) -> None:
    def printed(**values: object) -> str:
        job = Job(clip, clip.with_name("out.mp4"), settings=DubSettings(**values))  # type: ignore[arg-type]
        return fingerprint(**StageInputs(Source(job), clip.parent, None, AdaptSettings()).track())

    assert len({printed(looks=looks) for looks in (1, 2, 4)}) == 3


@pytest.mark.parametrize("face", ["0", "100", "", "speakers", "1\n", 0, True])
def test_what_names_no_face_is_refused(face: object) -> None:
    with pytest.raises(InputError):
        DubSettings(face=face)  # type: ignore[arg-type]


def test_a_draft_is_another_picture(clip: Path) -> None:
    (clip.parent / "track.safetensors").write_bytes(b"track")
    prints = set()
    for draft in (False, True):
        job = Job(clip, clip.with_name("o.mp4"), settings=DubSettings(draft=draft))
        prints.add(StageInputs(Source(job), clip.parent, None, AdaptSettings()).render())
    assert len(prints) == 2


def test_a_network_that_is_taught_otherwise_is_judged_anew(clip: Path) -> None:
    (clip.parent / "track.safetensors").write_bytes(b"track")

    def prints(name: str) -> int:
        found = set()
        for seconds in (0.0, 5.0, 9.0):
            settings = DubSettings(adapt=seconds)
            source = Source(Job(clip, clip.with_name("o.mp4"), clip, settings=settings))
            inputs = StageInputs(source, clip.parent, None, AdaptSettings())
            found.add(fingerprint(**getattr(inputs, name)()))
        return len(found)

    assert (prints("grain"), prints("sharpness")) == (1, 3)


def test_other_masks_make_anew_what_was_seen_beside_them(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of a version with other masks goes on as a new one would begin."""
    (clip.parent / "track.safetensors").write_bytes(b"track")
    source = Source(Job(clip, clip.with_name("o.mp4"), clip, settings=DubSettings(adapt=5.0)))
    inputs = StageInputs(source, clip.parent, None, AdaptSettings())

    def prints() -> list[str]:
        stages = inputs.grain(), inputs.sharpness(), inputs.adapt()
        return [fingerprint(**stage) for stage in stages] + [inputs.render()]

    before, seen = prints(), fingerprint(**inputs.captions())
    other = replace(MaskSettings(), still=MaskSettings().still + 2)
    monkeypatch.setattr("gsmooth_core.job.inputs.MaskSettings", lambda: other)
    assert all(old != new for old, new in zip(before, prints(), strict=True))
    assert fingerprint(**inputs.captions()) == seen


def test_another_rasteriser_makes_other_pictures_of_the_same_track(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip.parent / "track.safetensors").write_bytes(b"track")
    job = Job(clip, clip.with_name("out.mp4"))
    usual = StageInputs(Source(job), clip.parent, None, AdaptSettings())
    before = usual.track(), usual.render()
    monkeypatch.setenv("GSMOOTH_RASTERIZER", "numba")  # as by default
    assert (usual.track(), usual.render()) == before
    monkeypatch.setenv("GSMOOTH_RASTERIZER", "torch")
    assert usual.track() == before[0]
    assert usual.render() != before[1]
