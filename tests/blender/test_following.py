"""What an editor does to the strip while its dub is made: the dub lands where the picture is."""

from __future__ import annotations

from dataclasses import asdict

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.jobs import placing  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import planning, selection, strips  # noqa: E402
from blender_addon.timeline.plan import Plan  # noqa: E402
from tests.blender.conftest import shown_frame  # noqa: E402


@pytest.fixture
def movie(timeline):
    timeline.sound(first=11)
    return timeline.movie(first=11)


@pytest.fixture
def begun(scene, media, movie):
    """Begins a job; the clip itself stands for the result when it is placed."""
    plan = planning.make_plan(scene, selection.select(scene))
    return lambda: placing.place(plan, media / "clip.mp4", media, "good", replace=False)


def split(strip, frame):
    """What the blade does; returns the piece on the right."""
    return strip.split(frame=frame, split_method="SOFT")


def spans(made):
    return [(strips.left(strip), strips.right(strip)) for strip in made]


def test_renamed(movie, begun):
    movie.name = "the interview"
    [new] = begun()
    assert (new.name, movie.mute) == ("the interview dubbed", True)


def test_renamed_and_another_took_its_name(timeline, movie, begun):
    movie.name = "the interview"
    other = timeline.movie(first=11, channel=5)
    assert other.name == "clip"
    begun()
    assert (movie.mute, other.mute) == (True, False)


def test_scene_renamed(scene, movie, begun):
    scene.name = "Act 2"
    assert spans(begun()) == [(11, 51)]


def test_moved_to_another_channel_and_time(scene, movie, begun):
    strips.move(movie, 7)
    movie.channel = 6
    [new] = begun()
    assert (new.channel, spans([new])) == (6, [(18, 58)])
    assert [shown_frame(scene, at) for at in (18, 57)] == [0, 39]


def test_cut_in_pieces_that_lie_elsewhere(scene, movie, begun):
    second = split(movie, 21)
    third = split(second, 31)
    strips.move(third, 20)
    strips.set_handles(second, 21, 26)
    assert spans(begun()) == [(11, 21), (21, 26), (51, 71)]
    assert [strip.mute for strip in (movie, second, third)] == [True] * 3
    looked_at = (11, 20, 21, 25, 51, 70)
    assert [shown_frame(scene, at) for at in looked_at] == [0, 9, 10, 14, 20, 39]


def test_first_piece_deleted(timeline, scene, movie, begun):
    split(movie, 21)
    timeline.strips.remove(movie)
    assert spans(begun()) == [(21, 51)]
    assert shown_frame(scene, 21) == 10


def test_copy_is_left_alone(timeline, scene, movie, begun):
    copy = timeline.movie(first=71, channel=5, name="copy")
    copy["gsmooth_tag"] = movie["gsmooth_tag"]
    movie.name = "renamed"
    strips.move(movie, 3)
    assert spans(begun()) == [(14, 54)]
    assert not copy.mute


def test_still_cut_in_three(timeline, scene, media):
    still, _speech = timeline.image(first=11, end=41), timeline.sound(first=11)
    plan = planning.make_plan(scene, selection.select(scene))
    middle = split(still, 21)
    split(middle, 31)
    made = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert spans(made) == [(11, 21), (21, 31), (31, 41)]
    assert [shown_frame(scene, at) for at in (11, 20, 21, 30, 31, 40)] == [0, 9, 10, 19, 20, 29]


def test_put_into_a_meta_strip(timeline, movie, begun):
    meta = timeline.strips.new_meta("meta", 5, 11)
    movie.move_to_meta(meta)
    strips.set_handles(meta, 11, 51)
    [new] = begun()
    assert new.parent_meta() == meta
    assert strips.left(new) == 11


def test_undo_took_the_tag(movie, begun):
    del movie["gsmooth_tag"]
    assert spans(begun()) == [(11, 51)]


def test_part_that_was_cut_off_before_is_no_part(scene, media, movie):
    """A job marks its strip anew, so what shared an old mark does not follow it."""
    planning.make_plan(scene, selection.select(scene))
    rest = split(movie, 31)
    rest.select, movie.select = False, True
    for strip in strips.open_strips(scene):
        strip.select = strip.type == "SOUND" or strip == movie
    plan = planning.make_plan(scene, selection.select(scene))
    strips.set_handles(rest, 25, 51)
    made = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert spans(made) == [(11, 31)]
    assert not rest.mute


def test_plan_of_an_earlier_version_is_read(scene, movie):
    plan = planning.make_plan(scene, selection.select(scene))
    old = {k: v for k, v in asdict(plan).items() if k not in ("anchor", "tag")}
    read = Plan.from_dict(old)
    assert (read.anchor, read.tag) == (11, "")
    assert Plan.from_dict(old | {"anchor": None, "tag": None}) == read


def test_plan_survives_its_file(scene, movie, tmp_path):
    plan = planning.make_plan(scene, selection.select(scene))
    folder = job_folder.make(tmp_path, planning.job_of(plan, {}), asdict(plan))
    assert Plan.from_dict(job_folder.read_plan(folder)) == plan
