"""Tables of curves, against the standard library's reader and what other programs write."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.storage.arrays import load_expression, save_expression
from gsmooth_core.storage.live_link import SHAPES
from gsmooth_core.types import Expression

RATES = [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]


def made(
    count: int, fps: Fraction, names: tuple[str, ...] = ("jawOpen", "eyeBlinkLeft")
) -> Expression:
    values = np.random.default_rng(4).random((count, len(names))).astype(np.float32)
    return Expression(names, values, fps)


@pytest.mark.parametrize("fps", RATES)
def test_table_comes_back_at_its_rate_and_names_every_column(tmp_path: Path, fps: Fraction) -> None:
    curves = made(200, fps)
    save_expression(tmp_path / "c.csv", curves)
    found = load_expression(tmp_path / "c.csv")
    assert found.fps == fps
    assert found.names == SHAPES
    for name, column in zip(curves.names, curves.values.T, strict=True):
        np.testing.assert_allclose(found.values[:, SHAPES.index(name)], column, atol=1e-6)


def test_other_reader_sees_live_link_faces_columns(tmp_path: Path) -> None:
    curves = made(61, Fraction(30))
    save_expression(tmp_path / "c.csv", curves)
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 61
    assert list(rows[0])[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"]
    assert list(rows[0])[-1] == "RightEyeRoll"
    assert int(rows[0]["BlendShapeCount"]) == len(rows[0]) - 2 == 61
    assert [row["Timecode"] for row in rows[29:32]] == [
        "00:00:00:29.000",
        "00:00:01:00.000",
        "00:00:01:01.000",
    ]
    assert float(rows[7]["JawOpen"]) == pytest.approx(curves.values[7, 0], abs=1e-6)
    assert {float(row["MouthPucker"]) for row in rows} == {0.0}


def test_an_hour_of_television_ends_at_its_hour(tmp_path: Path) -> None:
    count = round(3600 * 30000 / 1001)
    save_expression(tmp_path / "c.csv", made(count, Fraction(30000, 1001), ("jawOpen",)))
    last = (tmp_path / "c.csv").read_text().splitlines()[-1].split(",")[0]
    hours, minutes, seconds, frames = last.split(":")
    end = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(frames) / 30
    assert end == pytest.approx((count - 1) * 1001 / 30000, abs=1e-4)


def table(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "t.csv"
    path.write_bytes(("\ufeff" + "\r\n".join((header, *rows)) + "\r\n").encode())
    return path


def test_other_makers_names_and_seconds(tmp_path: Path) -> None:
    rows = (f"{n / 25:.6f},{n / 10},0.5,9" for n in range(5))
    found = load_expression(table(tmp_path, "Seconds,JAWOPEN,eyeBlink_R,HeadYaw", *rows))
    assert (found.names, found.fps) == (("jawOpen", "eyeBlinkRight"), 25)
    np.testing.assert_allclose(found.values[:, 0], np.arange(5) / 10, atol=1e-6)


def test_row_that_lacks_is_filled_in(tmp_path: Path) -> None:
    kept = [n for n in range(120) if n not in (40, 41)]
    rows = (f"09:58:{n // 60 + 7:02d}:{n % 60:02d}.412,61,{n / 200}" for n in kept)
    found = load_expression(table(tmp_path, "Timecode,BlendShapeCount,JawOpen", *rows))
    assert found.fps == 60
    np.testing.assert_allclose(found.values[:, 0], np.arange(120) / 200, atol=1e-5)


BAD = {
    "names no ARKit shape": ("Timecode,Nose", "00:00:00:00,1"),
    "does not say when": ("JawOpen", "1", "2"),
    "no number": ("Seconds,JawOpen", "0,0", "1,nan"),
    "no frame": ("Seconds,JawOpen",),
    "one frame": ("Seconds,JawOpen", "0,0"),
    "different lengths": ("Seconds,JawOpen", "0,0", "1"),
    "no timecode": ("Timecode,JawOpen", "00:00:00:00,0", "soon,1"),
    "too short": ("Timecode,JawOpen", "00:00:00:00,0", "00:00:00:01,1"),
    "do not go on": ("Seconds,JawOpen", "1,0", "0,1"),
    "far apart": ("Seconds,JawOpen", "0,0", "0.04,0", "0.08,0", "9000,1"),
    "'values'": ("Seconds,JawOpen", "0,0", "0.04,1e9"),
}


@pytest.mark.parametrize("seconds", ["1e5", "1e9", "1e300"])
def test_rows_days_apart_have_no_rate(tmp_path: Path, seconds: str) -> None:
    path = tmp_path / "curves.csv"
    path.write_text(f"Seconds,JawOpen\n0,0.5\n{seconds},0.6\n")
    with pytest.raises(InputError, match="far apart"):
        load_expression(path)


@pytest.mark.parametrize("why", BAD)
def test_what_is_no_table_of_curves_is_refused_with_words(tmp_path: Path, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        load_expression(table(tmp_path, *BAD[why]))
    assert caught.value.hint


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(InputError, match="no table"):
        load_expression(tmp_path / "t.csv")
