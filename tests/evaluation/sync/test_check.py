"""From files to words, JSON and a plot."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.evaluation.sync.describe import advice, describe, to_json
from gsmooth_core.evaluation.sync.plot import draw
from gsmooth_core.sync import SyncResult
from tests.media.made import numbered_frames, speechlike, write_video, write_wav
from tests.tracking.heads import drawn_head

RESULT = SyncResult(
    offset_frames=3,
    offset_seconds=0.1175,
    confidence=0.42,
    distances=np.linspace(1, 1.4, 31, dtype=np.float32),
    per_second=np.array([0.4, np.nan, 0.3, 0.5], np.float32),
    threshold=0.1,
    expert="gsmooth",
)


@pytest.mark.parametrize(
    ("frames", "seconds", "text"),
    [
        (3, 0.1175, "The sound is 3 frames late (0.12 s), confidence 0.42."),
        (-1, -0.04, "The sound is 1 frame early (0.04 s), confidence 0.42."),
        (0, 0.004, "Picture and sound are in sync (confidence 0.42)."),
    ],
)
def test_words(frames, seconds, text):
    found = replace(RESULT, offset_frames=frames, offset_seconds=seconds)
    assert describe(found) == text
    assert advice(found, 2.0) == ""


def test_words_when_unsure():
    unsure = replace(RESULT, confidence=0.05)
    assert "not fit well enough" in describe(unsure)
    assert "2.0 seconds" in advice(unsure, 2.0)
    assert "somebody else" in advice(unsure, 20.0)


def test_json_has_no_nan():
    content = json.loads(json.dumps(to_json(RESULT), allow_nan=False))
    assert content["per_second"] == [0.4, None, 0.3, 0.5]
    assert (content["offset_frames"], content["offset_seconds"]) == (3, 0.1175)
    assert len(content["distances"]) == 31


def test_plot_shows_every_measured_point_in_its_place():
    tree = ElementTree.fromstring(draw(RESULT, "a <clip> & more"))  # noqa: S314
    name = "{http://www.w3.org/2000/svg}"
    dots = [(float(c.get("cx")), float(c.get("cy"))) for c in tree.iter(f"{name}circle")]
    assert len(dots) == 31 + 3
    curve = dots[:31]
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(curve))
    texts = [element.text for element in tree.iter(f"{name}text")]
    assert "a <clip> & more" in texts
    assert describe(RESULT) in texts


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_plot_of_hardly_anything(values):
    picture = draw(replace(RESULT, per_second=np.array(values, np.float32)), "x")
    assert ElementTree.fromstring(picture).tag.endswith("svg")  # noqa: S314


def test_bad_inputs_are_named(tmp_path, capsys):
    silent = write_video(tmp_path / "silent.mp4", numbered_frames(20))
    faceless = write_video(tmp_path / "faceless.mp4", numbered_frames(20), tone=0.8)
    assert cli.main(["sync", str(tmp_path / "none.mp4")]) == 4
    assert cli.main(["sync", str(silent), "--plot", "x.txt"]) == 3
    assert cli.main(["sync", str(silent)]) == 6
    assert "no sound" in capsys.readouterr().err
    assert cli.main(["sync", str(faceless), "--json"]) == 5
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == "no_face"


@pytest.mark.parametrize(("face", "seconds"), [("1", 1.6), ("2", 1.2), ("largest", 1.2)])
def test_the_lips_are_those_of_the_person_who_is_named(tmp_path, capsys, face, seconds):
    """A small head for 1.6 s, a large one beside it for 1.2 s of them."""
    small, large, wall = drawn_head(1, 130), drawn_head(2, 240), np.full((240, 400, 3), 90, "u1")
    frames = np.repeat(wall[None], 40, 0)
    frames[:, 40:170, 10:140] = small
    frames[:30, :, 160:] = large
    video = write_video(tmp_path / "two.mp4", frames, 25)
    sound = write_wav(tmp_path / "s.wav", speechlike(1.6), 16000)
    words = ["sync", str(video), "--audio", str(sound), "--face", face, "--json"]
    assert cli.main(words) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert result["seconds"] == pytest.approx(seconds, abs=0.13)
