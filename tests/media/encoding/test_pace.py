"""Sources whose rate varies: each picture keeps its own time, or a steady rate is made of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.dub import dub
from gsmooth_core.errors import InputError
from gsmooth_core.job.job import Job
from gsmooth_core.job.notices import notices
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.encoding.pace import paced, rows_of, times_of
from tests.clips import curves, pictures
from tests.media import made

TIMES = np.array([0, 40, 80, 200, 240, 280, 320, 350, 370, 700, 740, 780])  # milliseconds
SETTINGS = DubSettings(preset="ultrafast", occluders=False, style=False, timing="keep")


def varied(path: Path, frames: np.ndarray, tone: float | None = None) -> Path:
    """A video whose pictures are shown at `TIMES`."""
    steps = "+".join(rf"eq(N\,{k})*{at}" for k, at in enumerate(TIMES.tolist()))
    return made.write_video(
        path, frames, 25, "-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-bf", 2,
        vf=f"settb=1/1000,setpts={steps}", tone=tone,
    )  # fmt: skip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pace")
    return varied(folder / "film.mp4", np.array(pictures()[: len(TIMES)]), tone=0.8)


def stamps(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [round(float(1000 * f.pts * f.time_base), 3) for f in file.decode(video=0)]


def test_each_picture_is_a_frame(tmp_path: Path) -> None:
    path = varied(tmp_path / "v.mp4", made.numbered_frames(len(TIMES)))
    steady, each = probe(path), paced(probe(path))
    assert steady.frame_count > len(TIMES)
    assert (each.frame_count, each.paced) == (len(TIMES), True)
    assert [made.number_in(frame) for frame in read_frames(each)] == list(range(len(TIMES)))
    assert [made.number_in(frame) for frame in read_frames(each, 5, 3)] == [5, 6, 7]
    times, tick = times_of(each)
    assert np.allclose(times[:-1] * float(tick) * 1000, TIMES)
    assert each.duration == pytest.approx(float(times[-1] * tick), rel=1e-6)
    assert rows_of(each, Fraction(50), 41).tolist() == [
        int((at + min(d, 40) / 2) * 50 // 1000)
        for at, d in zip(TIMES, [*np.diff(TIMES), 40], strict=True)
    ]


def test_a_steady_clip_stays_as_it_is(tmp_path: Path) -> None:
    clip = probe(made.write_video(tmp_path / "s.mp4", made.numbered_frames(4)))
    assert paced(clip) == clip


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_dub_shows_each_picture_at_its_time(film: Path, suffix: str, tmp_path: Path) -> None:
    spoken = curves(tmp_path / "c.json", np.full(len(TIMES), 0.3))
    job = Job(film, tmp_path / f"o.{suffix}", expression=spoken, settings=SETTINGS)
    result = dub(job, tmp_path / "job")
    assert (result.frames, result.notices) == (len(TIMES), [])
    assert stamps(job.output) == pytest.approx(stamps(film), abs=0.01 if suffix == "mp4" else 1)
    with av.open(str(film)) as one, av.open(str(job.output)) as other:
        old, new = ([bytes(p) for p in f.demux(audio=0) if p.size] for f in (one, other))
    # Matroska would move the pictures for a piece of sound that begins before them.
    assert new == old[len(old) - len(new) :]
    assert len(old) - len(new) <= (suffix == "mkv")


def test_it_is_said_where_times_are_not_kept(film: Path, tmp_path: Path) -> None:
    spoken = curves(tmp_path / "c.json", [0.3])
    told = {}
    for way in ("constant", "keep"):
        settings = DubSettings(timing=way)
        source = Source(Job(film, tmp_path / "o.mp4", expression=spoken, settings=settings))
        told[way] = [notice.what for notice in notices(source)]
    assert told == {"constant": ["timing"], "keep": []}


@pytest.mark.parametrize(
    "other", [{"start_frame": 2}, {"output": "frames"}, {"face": "speaker"}, {"length": "hold"}]
)
def test_contraries_are_refused(film: Path, other: dict, tmp_path: Path) -> None:
    spoken = curves(tmp_path / "c.json", [0.3])
    fields = {k: v for k, v in other.items() if k in ("face", "length")}
    settings = DubSettings(timing="keep", **fields)
    output = tmp_path / other.get("output", "o.mp4")
    start = other.get("start_frame", 0)
    job = Job(film, output, expression=spoken, start_frame=start, settings=settings)
    with pytest.raises(InputError):
        dub(job, tmp_path / "job")
