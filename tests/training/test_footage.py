"""The clips of a footage folder: where they lie, whose they are, how late their sound is."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import pytest

from gsmooth_core.errors import InputError
from training.footage import Footage, add_footage, chosen_footage
from training.split import OWN, Part

SPLIT = """
[speakers.anna]
part = "train"
clips = ["a*"]
[speakers.bo]
part = "validation"
clips = ["b*"]
many = true
"""


def folder(place: Path, *names: str, split: str = SPLIT) -> Footage:
    for name in names:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if split:
        (place / "split.toml").write_text(split)
    return Footage(place)


def manifest(place: Path, *rows: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "manifest.tsv").write_text("\n".join(row.replace(" ", "\t") for row in rows) + "\n\n")


def test_videos_are_clips_wherever_they_may_lie(tmp_path: Path) -> None:
    names = ("b1.mov", "a1.mp4", "a.txt", "clips/a2.mkv", "words/a3.mpg", "else/a4.mp4")
    found = folder(tmp_path, *names).samples()
    assert [s.path.relative_to(tmp_path).as_posix() for s in found] == [
        "a1.mp4", "b1.mov", "clips/a2.mkv", "words/a3.mpg"
    ]  # fmt: skip
    one, other = found[:2]
    assert (one.speaker, one.part, one.many, one.stem) == ("anna", Part.TRAIN, False, "a1")
    assert (other.speaker, other.part, other.many) == ("bo", Part.VALIDATION, True)
    assert (one.sync_offset, one.trusted) == (0.0, True)


def test_a_manifest_gives_order_lateness_and_trust(tmp_path: Path) -> None:
    manifest(
        tmp_path / "clips",
        "file fps sync_offset sync_C null_C95", "b1.mp4 25 -2 0.9 0.5", "a1.mp4 30.0 +3 0.4 0.5",
    )  # fmt: skip
    footage = folder(tmp_path, "clips/a0.mp4", "clips/a1.mp4", "clips/b1.mp4")
    found = [(s.stem, s.sync_offset, s.trusted) for s in footage.samples()]
    assert found == [("b1", -2.0, True), ("a1", 3.0, False)]


def test_a_clip_of_nobody_is_left_out_and_named(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        found = folder(tmp_path, "a1.mp4", "c1.mp4", "c2.mp4").samples()
    assert [s.stem for s in found] == ["a1"]
    assert "c1.mp4, c2.mp4" in caplog.text


def test_two_clips_of_one_name_would_be_one_in_the_cache(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'a1'"):
        folder(tmp_path, "a1.mp4", "words/a1.mov").samples()


def test_no_clips_are_told(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="no clips"):
            Footage(place).samples()


def test_a_folder_without_a_split_says_how_to_make_one(tmp_path: Path) -> None:
    footage = folder(tmp_path, "a1.mp4", "ar__1.mp4", split="")
    with pytest.raises(InputError, match=r"training\.split --footage"):
        footage.samples()


def test_the_footage_of_the_shipped_models_needs_no_split(tmp_path: Path) -> None:
    footage = folder(tmp_path, "words/ar__1.mp4", "clips/styletalk_reagan_clip1.mp4", split="")
    assert footage.split().path == OWN
    assert [s.part for s in footage.samples()] == [Part.VALIDATION, Part.TRAIN]


def test_the_split_beside_goes_first_and_a_named_one_before_it(tmp_path: Path) -> None:
    folder(tmp_path, "ar__1.mp4")
    other = tmp_path / "other.toml"
    other.write_text(SPLIT.replace("anna", "ada"))

    def speaker(*words: str) -> str:
        parser = argparse.ArgumentParser()
        add_footage(parser)
        options = parser.parse_args(["--footage", str(tmp_path), *words])
        return chosen_footage(options).samples()[0].speaker

    assert speaker() == "anna"
    assert speaker("--split", str(other)) == "ada"
