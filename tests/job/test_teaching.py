"""Clips that teach beside the dubbed one; what is seen and heard in them is given."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep import Style
from gsmooth_core.errors import GSmoothError, InputError
from gsmooth_core.job import checks, teaching
from gsmooth_core.job.checks import check
from gsmooth_core.job.job import Job
from gsmooth_core.job.own_speech import Listened, taught_by
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.teaching import MOST, Listeners, told
from gsmooth_core.types import Clip
from tests.a2ep.small import model
from tests.a2ep.talkers import OPENING, lesson


def ears():
    made = model()
    made.opening[:] = made.opening.new_tensor(OPENING)
    made.gram.copy_(made.gram.new_ones(5).diag())
    made.usual.fill_(0.1)
    return made


@pytest.fixture
def listeners(monkeypatch):
    """Clips by name: their lessons, or why there is none; notes which frames are asked for."""
    jobs = []
    known = {"a.mp4": lesson(80, noise=0.003), "b.mp4": lesson(300, noise=0.003), "c.mp4": None}
    clips = {
        name: Clip(Path(name), 64, 48, 25, 100_000 if name == "b.mp4" else 80, has_audio=True)
        for name in known
    } | {"p.png": Clip(Path("p.png"), 64, 48, 25, 1, has_audio=False, still=True)}
    sounds = {name: np.full((80, 5), n, np.float32) for n, name in enumerate(known)}
    monkeypatch.setattr(checks, "probe", lambda path: clips[path.name])

    def source(job):
        jobs.append(job)
        return SimpleNamespace(name=job.video.name, clip=clips[job.video.name])

    def listen(source, track, ears):
        found = known[source.name]
        words = "" if found else "it is silent"
        return Listened(source.name, found, words, None if found is None else sounds[source.name])

    followed = SimpleNamespace(track=lambda face: face)
    monkeypatch.setattr(teaching, "style_of", lambda track, ears: track)
    monkeypatch.setattr(teaching, "Source", source)
    monkeypatch.setattr(teaching, "Followed", lambda *_: followed)
    monkeypatch.setattr(teaching, "listen", listen)
    made = Listeners(None, ears(), DubSettings(), lambda event: None, lambda: False)
    return SimpleNamespace(made=made, jobs=jobs)


def named(name):
    return SimpleNamespace(name=name, clip=SimpleNamespace(still=name == "p.png"))


def test_several_clips_teach_together(listeners):
    own = named("a.mp4"), None
    alone = listeners.made.teach([], *own)
    both = listeners.made.teach([Path("b.mp4")], *own)
    assert "from 3 s" in alone.said
    assert "from 15 s of their own speech in 2 of 2 clips" in both.said
    assert both.manner is not None
    assert both.refused == ()


def test_only_the_clip_that_is_dubbed_is_heard(listeners):
    alone = listeners.made.teach([], named("a.mp4"), None)
    both = listeners.made.teach([Path("b.mp4")], named("a.mp4"), None)
    photo = listeners.made.teach([Path("b.mp4")], named("p.png"), None)
    assert np.array_equal(alone.heard, np.zeros((80, 5))) and both.heard is alone.heard
    assert photo.heard is None


def test_clips_teach_a_photo(listeners):
    taught = listeners.made.teach([Path("b.mp4")], named("p.png"), None)
    assert taught.manner is not None
    assert "learned from 12 s" in taught.said


def test_a_clip_that_teaches_nothing_is_named(listeners):
    taught = listeners.made.teach([Path("b.mp4"), Path("c.mp4")], named("p.png"), None)
    assert taught.manner is not None
    assert taught.refused == ("'c.mp4': it is silent.",)
    said = []
    told(taught, said.append)
    assert [message.level for message in said] == ["info", "warning"]
    assert said[1].text == "Nothing was learned from 'c.mp4': it is silent."


def test_other_clips_teach_how_the_mouth_moves_and_not_where_it_lies(listeners):
    """What one track takes for the face is an expression to the other."""
    style = Style(np.full(5, 0.1, np.float32), 1.0, np.full(5, 0.3, np.float32))
    taught = listeners.made.teach([Path("b.mp4")], named("p.png"), style)
    known = lesson(300, noise=0.003)
    there = style.speak(known.moved[known.spoken], OPENING).mean(axis=0)
    assert np.abs(there - known.shown.mean(axis=0)).max() > 0.1
    np.testing.assert_allclose(taught.manner.mean, there, atol=1e-3)
    as_it_was = listeners.made.teach([Path("b.mp4")], named("p.png"), None)
    np.testing.assert_allclose(taught.manner.weights, as_it_was.manner.weights, atol=0.05)


def test_where_no_clip_teaches_nobody_is_learned_from(listeners):
    taught = taught_by([Listened("c", None, "it is silent")] * 2, ears())
    assert taught.manner is None
    assert "no clip shows how this person speaks: that is no fault" in taught.said
    assert len(taught.refused) == 2


def test_a_minute_of_a_clip_is_looked_at(listeners):
    listeners.made.hear(Path("b.mp4"))
    listeners.made.hear(Path("a.mp4"))
    assert [job.frame_count for job in listeners.jobs] == [MOST * 25, 80]


def test_a_photo_teaches_nothing(listeners):
    with pytest.raises(InputError, match="nobody speaks in it"):
        listeners.made.hear(Path("p.png"))


# -- in a job ------------------------------------------------------------------------------------


def job(**changes):
    return Job(Path("/a/v.mp4"), Path("/a/o.mp4"), audio=Path("/a/s.wav"), **changes)


def test_teachers_survive_json_and_are_left_out_where_there_are_none():
    taught = job(teach=(Path("/a/b.mp4"), Path("/a/c.mp4")))
    assert Job.from_json(json.loads(json.dumps(taught.to_json()))) == taught
    like = job(speaks_like=Path("/a/anna.safetensors"))
    assert Job.from_json(json.loads(json.dumps(like.to_json()))) == like
    assert not {"teach", "speaks_like"} & set(job().to_json())  # an older GSmooth opens it


@pytest.mark.parametrize("value", ["a.mp4", [1], [""], ["a"] * 21, {"a": "b"}])
def test_what_is_no_list_of_clips_is_refused(value):
    with pytest.raises(InputError, match="teach is"):
        Job.from_json(job().to_json() | {"teach": value})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"teach": (Path("/a/b.mp4"),), "speaks_like": Path("/a/s")}, "given twice"),
        ({"teach": (Path("/a/b.mp4"),), "settings": DubSettings(style=False)}, "learning is off"),
        ({"speaks_like": Path("/a/s"), "settings": DubSettings(face="speaker")}, "one person's"),
    ],
)
def test_teachers_that_contradict_the_rest_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        check(job(**changes))


def test_teachers_of_several_people_are_refused():
    several = Job(
        Path("/a/v.mp4"), Path("/a/o.mp4"), speech={"1": Path("/a/s.wav")},
        teach=(Path("/a/b.mp4"),),
    )  # fmt: skip
    with pytest.raises(InputError, match="one person's"):
        check(several)


def test_a_clip_that_is_not_there_is_found_before_any_work(tmp_path):
    speech = tmp_path / "s.wav"
    speech.write_bytes(b"x")
    given = Job(speech, tmp_path / "o.mp4", audio=speech, teach=(tmp_path / "none.mp4",))
    with pytest.raises(GSmoothError, match=r"none\.mp4"):
        check(given)
    own = Job(speech, tmp_path / "s.mp4", audio=speech, teach=(tmp_path / "s.mp4",))
    (tmp_path / "s.mp4").write_bytes(b"x")
    with pytest.raises(InputError, match="overwrite its own source"):
        check(own)
