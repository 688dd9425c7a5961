"""Who says what in a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import InputError, JobError
from gsmooth_core.job.checks import check
from gsmooth_core.job.job import Job
from gsmooth_core.job.roles import Role, person_job, roles_in
from gsmooth_core.job.seen import Dubbed, Seen, Untouched, told
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.turns import at_turns, fade
from gsmooth_core.job.workplace import clear, person_folder
from gsmooth_core.types import Expression
from tests.doubles import face_track

SEVERAL = Job(Path("v.mp4"), Path("o.mp4"), speech={"2": Path("b.wav"), "10": Path("c.wav")})


def test_speeches_survive_the_job_file_in_the_order_of_people() -> None:
    content = SEVERAL.to_json()
    assert content["speech"] == {"2": "b.wav", "10": "c.wav"}
    content["speech"] = dict(reversed(content["speech"].items()))
    assert list(Job.from_json(content).speech) == ["2", "10"]
    assert Job.from_json(content) == SEVERAL


def test_a_job_of_one_speech_is_written_as_ever() -> None:
    assert "speech" not in Job(Path("v.mp4"), Path("o.mp4"), Path("a.wav")).to_json()


@pytest.mark.parametrize("speech", [["a"], "a.wav", {"0": "a"}, {"largest": "a"}, {"1": None}])
def test_what_is_no_speech_of_people_is_refused(speech: object) -> None:
    with pytest.raises(InputError):
        Job.from_json(SEVERAL.to_json() | {"speech": speech})


@pytest.mark.parametrize(
    "change",
    [
        {"audio": Path("a.wav")},
        {"expression": Path("e.json")},
        {"audio_start": 1.0},
        {"audio_delay": 0.5},
        {"settings": DubSettings(face="2")},
    ],
)
def test_several_speeches_leave_no_room_for_one(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        check(replace(SEVERAL, **change))  # type: ignore[arg-type]


def test_each_person_has_a_job_of_one_speech(tmp_path: Path) -> None:
    roles = roles_in(SEVERAL, tmp_path, 30)
    assert roles == [Role("2", Path("b.wav")), Role("10", Path("c.wav"))]
    job = person_job(SEVERAL, roles[1], 30)
    assert (job.audio, job.speech, job.settings.face) == (Path("c.wav"), {}, "10")
    assert job.frame_count == 30


def test_turns_are_roles_where_the_speaker_is_dubbed(tmp_path: Path) -> None:
    (tmp_path / "turns.json").write_text('{"1": [[0, 3]], "3": [[4, 9]]}')
    job = Job(Path("v.mp4"), Path("o.mp4"), Path("a.wav"), settings=DubSettings(face="speaker"))
    first, second = roles_in(job, tmp_path, 10)
    assert (first.face, second.face, first.speech) == ("1", "3", Path("a.wav"))
    assert first.turns is not None and second.turns is not None
    np.testing.assert_array_equal(first.turns, np.arange(10) < 4)
    np.testing.assert_array_equal(second.turns, np.arange(10) >= 4)
    assert roles_in(replace(job, settings=DubSettings()), tmp_path, 10) == []
    (tmp_path / "turns.json").write_text('{"1": [[0, 9]]}')
    assert roles_in(job, tmp_path, 10) == []
    (tmp_path / "turns.json").write_text('{"1": 3}')
    with pytest.raises(JobError):
        roles_in(job, tmp_path, 10)


def test_a_turn_fades_from_and_to_the_clips_own_mouth() -> None:
    turns = np.isin(np.arange(40), range(10, 30))
    weight = fade(turns, 25.0)
    assert (weight[~turns] == 0).all()
    assert weight[10] == weight[29] == pytest.approx(0.2)
    assert (weight[14:26] == 1).all()
    to_the_end = fade(np.arange(40) >= 10, 25.0)
    assert to_the_end[-1] == 1
    assert (fade(np.ones(5, bool), 25.0) == 1).all()
    track = replace(face_track(40), expression=np.full((40, 1), 0.5, np.float32))
    target = Expression(track.expression_names, np.ones((40, 1), np.float32), track.fps)
    shown = at_turns(target, track, turns).values[:, 0]
    assert shown[0] == shown[39] == 0.5
    assert shown[20] == 1
    assert shown[10] == pytest.approx(0.6)


def test_what_is_told_of_two_people_is_where_either_is_dubbed() -> None:
    people = np.stack([np.arange(10) < 6, np.arange(10) >= 4], 1)
    both = [
        replace(face_track(10), people=people, person=n + 1, confidence=seen.astype(np.float32))
        for n, seen in enumerate(people.T)
    ]
    dubbed = [Dubbed(both[0], None, Path("a.wav")), Dubbed(both[1], np.arange(10) > 7)]
    found = told(dubbed)
    assert found["untouched_frames"] == [(6, 7)]
    assert found["untouched"] == [Untouched(6, 7, "someone else")]
    assert found["people"] == [
        Seen(1, [(0, 5)], chosen=True, speech="a.wav", dubbed=[(0, 5)]),
        Seen(2, [(4, 9)], chosen=True, dubbed=[(8, 9)]),
    ]


def test_a_folder_of_people_goes_with_the_job_and_strangers_files_stay(tmp_path: Path) -> None:
    job = tmp_path / "job"
    one, two = (person_folder(job, number) for number in ("1", "12"))
    (one / "track.safetensors").write_bytes(b"ours")
    (two / "letter.txt").write_text("not ours")
    (job / "sound.wav").write_bytes(b"ours")
    clear(job)
    assert [path.name for path in job.rglob("*")] == ["person_12", "letter.txt"]


def test_a_link_in_the_place_of_a_persons_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "person_1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JobError):
        person_folder(tmp_path, "1")
