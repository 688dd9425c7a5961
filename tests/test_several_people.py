"""Several people of one clip: each says their own, or one speech goes to whoever speaks there."""

from __future__ import annotations

import dataclasses

import numpy as np

from gsmooth_core.dub import dub
from gsmooth_core.face.mouth import aperture, correlation
from gsmooth_core.job.events import Message, Progress
from gsmooth_core.job.job import Job
from gsmooth_core.media import probe, read_frames
from gsmooth_core.tracking.people.people import follow_people
from tests.clips import FRAMES, SETTINGS, curves, pictures, video
from tests.media import made
from tests.tracking.heads import drawn_head


def test_two_people_move_each_their_own_mouth_in_one_pass(tmp_path):
    """Side by side, in the end she alone. Edits of each stand for what speech would open."""
    him, wall = drawn_head(1, 240, 0.05), np.full((240, 240, 3), 90, np.uint8)
    frames = [np.hstack([frame, wall if n > 13 else him]) for n, frame in enumerate(pictures())]
    clip = video(tmp_path / "two.mp4", frames)
    tone = made.speechlike(0.6)
    sounds = {"1": tone, "2": tone[::-1]}
    speech = {n: made.write_wav(tmp_path / f"{n}.wav", s, 16000) for n, s in sounds.items()}
    opening = {n: 0.25 - 0.25 * np.cos(np.arange(FRAMES) * np.pi * int(n) / 8) for n in speech}
    for number, values in opening.items():
        (tmp_path / "job" / f"person_{number}").mkdir(parents=True)
        curves(tmp_path / "job" / f"person_{number}" / "expression.json", values)
    job, seen = Job(clip, tmp_path / "o.mkv", speech=speech, settings=SETTINGS), []
    result = dub(job, tmp_path / "job", seen.append)
    follows = [e for e in seen if isinstance(e, Progress) and (e.stage, e.done) == ("track", 0)]
    assert len(follows) == 1  # one pass over the pictures, for both
    assert result.outside_mask_max_difference == 0
    assert [(p.speech, p.dubbed) for p in result.people] == [
        (str(speech["1"]), [(0, 15)]),
        (str(speech["2"]), [(0, 13)]),
    ]
    assert result.untouched == []
    before, after = (list(read_frames(probe(path))) for path in (clip, job.output))
    assert (
        max(
            np.abs(a[:, 256:].astype(int) - b[:, 256:]).max()
            for a, b in zip(before[14:], after[14:], strict=True)
        )
        <= 20
    )  # the encoder's
    assert probe(job.output).has_audio
    found = follow_people(after, lambda _frame, _face: None)
    for person, (own, other) in zip(found.people, (("1", "2"), ("2", "1")), strict=True):
        rows = person.frames
        mouth = aperture(found.track(person)[0].points[rows][..., :2])
        assert correlation(mouth, opening[own][rows]) > 0.8
        assert abs(correlation(mouth, opening[other][rows])) < 0.4
    again = []
    curves(tmp_path / "job" / "expression.json", opening["1"])  # whose?
    dub(job, tmp_path / "job", again.append)
    said = [e.text for e in again if isinstance(e, Message) and e.level == "warning"]
    assert any("person_N" in text for text in said)
    assert {e.stage for e in again if isinstance(e, Progress)} <= {"render", "encode"}


def test_one_speech_goes_to_who_speaks_there_in_turns(tmp_path, monkeypatch):
    """She has the first half of the frames, he the second; both are seen all the time."""
    frames = [np.hstack([frame, drawn_head(1, 240, 0.05)]) for frame in pictures()]
    clip = video(tmp_path / "two.mp4", frames)
    first = np.arange(FRAMES) < 8

    def turns_of(people, *_):
        left = {p.number: next(p.sightings[0].points())[:, 0].mean() < 256 for p in people.people}
        return {str(n): first if is_her else ~first for n, is_her in sorted(left.items())}

    monkeypatch.setattr("gsmooth_core.job.followed.turns_of", turns_of)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.6), 16000)
    settings = dataclasses.replace(SETTINGS, face="speaker")
    job = Job(clip, tmp_path / "o.mkv", audio=speech, settings=settings)
    result = dub(job, tmp_path / "job")
    assert sorted(person.dubbed for person in result.people) == [[(0, 7)], [(8, 15)]]
    assert result.untouched == []
    before, after = (list(read_frames(probe(path))) for path in (clip, job.output))
    for number, (a, b) in enumerate(zip(before, after, strict=True)):
        left, right = (np.abs(a.astype(int) - b)[:, part] for part in (np.s_[:256], np.s_[256:]))
        still = right if number < 8 else left
        assert still.max() <= 20  # the encoder's
    assert dub(job, tmp_path / "job").people == result.people
