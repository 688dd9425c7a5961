"""The shipped expert on real clips, from the command line to the answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.media import read_audio
from tests.media.made import write_wav

pytestmark = [pytest.mark.footage, pytest.mark.slow]

RATE = 16000
CLIP = "yoyo-nb-Thin-Plate-Spline-Motion-Model__assets_driving.mp4"  # nobody trained on
STRANGER = (
    "vincent-thevenin-Realistic-Neural-Talking-Head-Models__examples_fine_tuning_test_video.mp4"
)


def sync(capsys, *arguments):
    assert cli.main(["sync", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["result"]


def test_delayed_sound_is_found_and_a_strangers_is_not(footage: Path, tmp_path, capsys):
    clip = footage / "clips" / CLIP
    own = sync(capsys, clip, "--plot", tmp_path / "plot.svg")
    assert abs(own["offset_frames"] - 3) <= 1  # as the footage's table has it
    assert own["sure"]
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")
    delayed = write_wav(tmp_path / "late.wav", read_audio(clip, RATE, start=-7 / 25), RATE)
    late = sync(capsys, clip, "--audio", delayed)
    assert abs(late["offset_frames"] - own["offset_frames"] - 7) <= 1
    other = read_audio(footage / "clips" / STRANGER, RATE)
    wrong = write_wav(tmp_path / "wrong.wav", np.tile(other, 2), RATE)
    assert own["confidence"] > 2.5 * sync(capsys, clip, "--audio", wrong)["confidence"]
