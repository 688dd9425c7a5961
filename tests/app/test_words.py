"""`gsmooth predict --words`: words beside the curves, for a person and for a program."""

from __future__ import annotations

import json
import sys

import pytest

from gsmooth_core.a2ep.words import Transcript, Word
from gsmooth_core.app import cli, stages
from gsmooth_core.app.words import words_table
from gsmooth_core.errors import ModelError
from gsmooth_core.storage.arrays import load_expression
from tests.media.made import speechlike, write_wav


@pytest.fixture
def sound(tmp_path):
    return write_wav(tmp_path / "s.wav", speechlike(1.0), 16000)


def predict(sound, output, *more: str) -> int:
    words = ["predict", "--audio", sound, "--output", output, "--words", *more]
    return cli.main([str(word) for word in words])


def test_words_stand_beside_the_curves(sound, tmp_path, monkeypatch, capsys):
    said = Transcript("en", (Word("bob", 0.1, 0.5), Word("no", 0.5, 0.8)))
    monkeypatch.setattr(stages, "load_recogniser", lambda: "a recogniser")
    monkeypatch.setattr(stages, "heard_words", lambda *_: said)
    output = tmp_path / "c.json"
    assert predict(sound, output, "--json") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    kept = json.loads(output.read_text())
    assert (kept["language"], kept["words"]) == ("en", result["words"])
    assert [w["text"] for w in kept["words"]] == ["bob", "no"]
    assert [c["letters"] for c in kept["words"][0]["closures"]] == ["b", "b"]
    assert len(load_expression(output)) == 25  # the file is one of curves still
    assert predict(sound, output) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("0:00.10-0:00.50") and "bob" in lines[0]
    assert lines[-1] == str(output)


def test_the_table_names_lips_that_stay_open():
    lips = [{"letters": "m", "met": True}, {"letters": "b", "met": False}]
    rows = [
        {"text": "maybe", "start": 61.0, "end": 61.5, "closures": lips},
        {"text": "by", "start": 62.0, "end": 62.25, "closures": [{"letters": "b", "met": None}]},
    ]  # fmt: skip
    first, second, last = words_table(rows, 25.0).splitlines()
    assert first == "1:01.00-1:01.50  frame  1525  maybe  m shut, b OPEN"
    assert second.endswith("by     b not seen")
    assert last == "2 words; lips meet on 1 of 2 p, b and m."
    assert words_table([], 25.0) == "0 words; lips meet on 0 of 0 p, b and m."


def test_without_the_recogniser_nothing_is_begun(sound, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    monkeypatch.setattr(stages, "predict_expression", None)
    assert predict(sound, tmp_path / "c.json") == ModelError.exit_code
    assert 'pip install "gsmooth[words]"' in capsys.readouterr().err
    assert not (tmp_path / "c.json").exists()
