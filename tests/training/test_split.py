"""`split.toml`: what it says, what is wrong with it, and the proposal of one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gsmooth_core.errors import InputError
from training.split import OWN, Part, make, person_of, propose, read_split

GOOD = """
[speakers.anna]
part = "train"
clips = ["anna_*", "talk.mp4"]

[speakers.crowd]
part = "train"
clips = ["street_*"]
many = true
sync = { 25 = 1.4, 30 = 2 }

[speakers."Bo B."]
part = "validation"
clips = ["anna_and_bo", "b?"]

[sync]
above_29_fps = 1.2

[sync.clips]
talk = -2.5
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "split.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("clip", "speaker"),
    [
        ("anna_1.mp4", "anna"),
        ("talk.mp4", "anna"),
        ("talk.mov", None),  # named with its suffix
        ("anna_and_bo.mp4", "Bo B."),  # a whole name goes before a pattern
        ("b1.mov", "Bo B."),
        ("bob.mov", None),
        ("Anna_1.mp4", None),
    ],
)
def test_a_clip_belongs_to_who_names_it(tmp_path: Path, clip: str, speaker: str | None) -> None:
    found = read_split(written(tmp_path, GOOD)).speaker_of(Path("somewhere") / clip)
    assert (found and found.name) == speaker


def test_a_speaker_is_of_one_part_and_may_be_many(tmp_path: Path) -> None:
    anna, crowd, bo = read_split(written(tmp_path, GOOD)).speakers
    assert (anna.part, crowd.part, bo.part) == (Part.TRAIN, Part.TRAIN, Part.VALIDATION)
    assert (anna.many, crowd.many, bo.many) == (False, True, False)


@pytest.mark.parametrize(
    ("clip", "rate", "expected"),
    [
        ("talk.mp4", 30, -2.5),  # stated
        ("street_1.mp4", 29.97, 2.0),  # by its speaker's rates
        ("street_1.mp4", 25, 1.4),
        ("street_1.mp4", 50, 8.2),  # of a rate that the speaker's table lacks
        ("anna_1.mp4", 25, 7.0),  # the manifest's
        ("anna_1.mp4", 29.97, 8.2),
        ("nobody.mp4", 30, 8.2),
    ],
)
def test_what_is_known_best_about_a_clips_sound(
    tmp_path: Path, clip: str, rate: float, expected: float
) -> None:
    found = read_split(written(tmp_path, GOOD)).offset_of(Path(clip), rate, 7)
    assert found == pytest.approx(expected)


def test_two_patterns_that_meet_in_a_clip_are_told(tmp_path: Path) -> None:
    split = read_split(written(tmp_path, GOOD.replace('"street_*"', '"*_1"')))
    assert split.speaker_of(Path("x_1.mp4"))
    with pytest.raises(InputError, match="'anna' and 'crowd'"):
        split.speaker_of(Path("anna_1.mp4"))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("[speakers.anna]", "[speakers.anna", "cannot be read"),
        ('part = "validation"', 'part = "test"', "speakers.Bo B..part"),
        ('part = "validation"', "", "speakers.Bo B..part"),
        ('part = "validation"', 'part = "train"', "nobody for validation"),
        ('clips = ["anna_*", "talk.mp4"]', "", "speakers.anna.clips"),
        ('clips = ["anna_*", "talk.mp4"]', "clips = [3]", "speakers.anna.clips"),
        ('clips = ["anna_*", "talk.mp4"]', "clips = []", "speakers.anna.clips"),
        ('clips = ["anna_*", "talk.mp4"]', 'clips = "talk"', "speakers.anna.clips"),
        ("many = true", "many = 1", "speakers.crowd.many"),
        ("many = true", "crowded = true", "speakers.crowd.crowded"),
        ("25 = 1.4", "fast = 1.4", "speakers.crowd.sync"),
        ("25 = 1.4", 'x25 = "a"', "speakers.crowd.sync"),
        ("talk = -2.5", 'talk = "late"', "sync.clips.talk"),
        ("talk = -2.5", "talk = nan", "sync.clips.talk"),
        ("talk = -2.5", "talk = true", "sync.clips.talk"),
        ("above_29_fps", "above", "sync.above"),
        ("[speakers.anna]", "[people.anna]", "people"),
        ('"street_*"', '"anna_*"', "'anna_\\*' to 'anna' and 'crowd'"),
        (GOOD, "speakers = 3", "speakers"),
        (GOOD, "[speakers]\nanna = 3", "speakers.anna"),
    ],
)  # fmt: skip
def test_an_error_names_the_place(tmp_path: Path, old: str, new: str, word: str) -> None:
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(InputError, match=word) as told:
        read_split(path)
    assert str(path) in str(told.value)
    assert told.value.hint


def test_no_file_and_no_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no split"):
        read_split(tmp_path / "split.toml")
    (tmp_path / "split.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_split(tmp_path / "split.toml")


@pytest.mark.parametrize(
    ("stem", "person"),
    [
        ("anna_01", "anna"), ("anna-2", "anna"), ("anna 3", "anna"), ("anna.4", "anna"),
        ("anna__12", "anna"), ("s2", "s2"), ("take2b", "take2b"), ("2024", "2024"),
        ("_1", "_1"), ("anna_1_2", "anna_1"),
    ],
)  # fmt: skip
def test_a_number_at_the_end_is_no_other_person(stem: str, person: str) -> None:
    assert person_of(stem) == person


def proposed(people: int) -> dict[str, dict[str, object]]:
    clips = [(f"clip {n}.mp4", f'p "{n % people}"') for n in range(2 * people)]
    return tomllib.loads(propose(clips))["speakers"]


@pytest.mark.parametrize(("people", "judges"), [(3, 1), (7, 1), (8, 2), (10, 2), (40, 8)])
def test_a_proposal_has_everybody_once_and_a_fifth_judges(people: int, judges: int) -> None:
    speakers = proposed(people)
    assert sum(about["part"] == "validation" for about in speakers.values()) == judges
    assert {name: about["clips"] for name, about in speakers.items()} == {
        f'p "{n}"': sorted([f"clip {n}.mp4", f"clip {n + people}.mp4"]) for n in range(people)
    }


def test_who_judges_mostly_stays_when_others_come() -> None:
    few, more = (
        {name for name, about in proposed(n).items() if about["part"] == "validation"}
        for n in (40, 44)
    )
    assert len(few & more) >= 6


def test_too_few_people_are_told() -> None:
    with pytest.raises(InputError, match="2 people"):
        propose([("a.mp4", "a"), ("b.mp4", "b"), ("b2.mp4", "b")])


def test_a_proposal_is_written_once_and_read_again(tmp_path: Path) -> None:
    for name in ("anna_1.mp4", "anna_2.MP4", "bo.mov", "cy.mkv", "notes.txt"):
        (tmp_path / name).touch()
    path = make(tmp_path)
    assert path == tmp_path / "split.toml"
    split = read_split(path)
    assert {s.name for s in split.speakers} == {"anna", "bo", "cy"}
    assert split.speaker_of(tmp_path / "anna_2.MP4").name == "anna"
    with pytest.raises(InputError, match="already"):
        make(tmp_path)
    assert make(tmp_path, tmp_path / "other.toml").read_text() == path.read_text()
    with pytest.raises(InputError, match="cannot be written"):
        make(tmp_path, tmp_path / "nowhere" / "other.toml")


def test_a_manifest_says_who_is_who(tmp_path: Path) -> None:
    rows = ["file\tspeaker", *(f"clip_{n}.mp4\tperson {n % 3}" for n in range(6))]
    (tmp_path / "manifest.tsv").write_text("\n".join(rows))
    assert {s.name for s in read_split(make(tmp_path)).speakers} == {
        f"person {n}" for n in (0, 1, 2)
    }


def test_the_shipped_models_have_never_met_those_who_judge_them() -> None:
    """GRID's talker s2 goes under three kinds of names, all of which are kept from training."""
    own = read_split(OWN)
    judges = {s.name for s in own.speakers if s.part is Part.VALIDATION}
    assert judges == {
        "reagan", "latentsync_man", "liutaocode", "satya", "yoyo", "vincent", "grid_id2", "musk"
    }  # fmt: skip
    s2 = ("grid_s2_bbaf1n.mpg", "rizkiarm-LipNet__evaluation_samples_GRID_pwij3p.mpg",
          "rizkiarm-LipNet__evaluation_samples_id2_vcd_swwp2s.mpg")  # fmt: skip
    assert {own.speaker_of(Path(name)).name for name in s2} == {"grid_id2"}
    for talker, clip in (
        (3, "sbia1a"),
        (5, "lbax4n"),
        (22, "lbbc2a"),
        (26, "swiz3n"),
        (23, "lrwp9a"),
    ):
        one = own.speaker_of(Path(f"grid_s{talker}_abcdef.mpg"))
        other = own.speaker_of(Path(f"rizkiarm-LipNet__evaluation_samples_GRID_{clip}.mpg"))
        assert one == other
        assert one.part is Part.TRAIN
    readers = own.speaker_of(Path("ar__00159.mp4"))
    assert readers.many
    assert own.offset_of(Path("ar__00159.mp4"), 29.97, 1) == 2.1
