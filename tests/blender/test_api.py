"""Scripts and buttons make the same: identical jobs, identical files, identical strips."""

from __future__ import annotations

import hashlib
import json
from math import nan

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import api  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.settings.options import NAMES, options_of  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from gsmooth_core.job.settings import DubSettings  # noqa: E402


def by_button(scene, picture, speech, **settings):
    for strip in strips.open_strips(scene):
        strip.select = strip in (picture, speech)
    scene.sequence_editor.active_strip = picture
    for name, value in settings.items():
        setattr(scene.gsmooth, name, value)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    for name in settings:
        scene.gsmooth.property_unset(name)
    return strips.active_strip(scene)


def by_script(scene, picture, speech, **settings):
    for strip in strips.open_strips(scene):
        strip.select = False
    job = api.dub(picture, speech, **settings)
    assert job.result().endswith("kept as they were.")
    [name] = job.strips
    return strips.find(scene, name)


def made(dub):
    """Bytes of the clip and the job, and how the strip lies."""
    folder = job_folder.resolve(dub["gsmooth_job"])
    digest = hashlib.sha256(strips.source_path(dub).read_bytes()).hexdigest()
    job = json.loads((folder / "job.json").read_text())
    look = (dub.name, dub.channel, strips.left(dub), strips.right(dub), dub["gsmooth_info"])
    return digest, folder.name, job, look


@pytest.mark.parametrize(
    "settings",
    [{}, {"strength": 0.5, "mask": "face", "intra": False}, {"person": 2}, {"speaker": True}],
)
def test_operator_and_api_make_the_same(timeline, scene, settings):
    picture, speech = timeline.movie(first=11), timeline.sound(first=11)
    one = made(by_button(scene, picture, speech, **settings))
    for name in ("gsmooth_person", "gsmooth_speaker"):  # kept with the strip
        picture.pop(name, None)
        scene.pop(name, None)
    api.restore(strips.active_strip(scene))
    other = made(by_script(scene, strips.find(scene, "clip"), speech, **settings))
    assert one == other


def test_a_photo_is_moved_by_a_script(timeline, scene):
    picture, speech = timeline.image(), timeline.sound()
    job = made(by_script(scene, picture, speech, photo="full", head=0.5))[2]
    assert job["animate"] == {
        "mode": "full",
        "motion": "auto",
        "head": 0.5,
        "blink": 1.0,
        "brows": 1.0,
        "seed": 0,
    }
    assert scene.gsmooth.photo == "mouth"


def test_settings_of_the_scene_count_where_none_are_given(timeline, scene):
    scene.gsmooth.strength = 0.25
    job = made(by_script(scene, timeline.movie(), timeline.sound()))[2]
    assert job["settings"]["strength"] == 0.25


def test_the_strips_own_person_counts_though_it_is_not_selected(timeline, scene):
    picture, other, speech = timeline.movie(), timeline.movie(channel=4), timeline.sound()
    picture["gsmooth_person"] = 2
    assert made(by_script(scene, picture, speech))[2]["settings"]["face"] == "2"
    other["gsmooth_speaker"] = 1
    assert made(by_script(scene, other, speech))[2]["settings"]["face"] == "speaker"


def test_every_option_is_a_setting_of_the_panel(scene):
    assert set(NAMES) == {
        prop.identifier
        for prop in scene.gsmooth.bl_rna.properties
        if prop.identifier not in ("rna_type", "name", "marks")
    }


TRACKS = ("audio_track", "source_audio_track")
ENUMS = ("mask", "length", "codec", "quality", "depth", "photo", *TRACKS)
NO_NUMBERS = ("x", None, nan, True)


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        *((name, value, "one of: ") for name in ENUMS for value in ("x", "", 9.5, None, True, [1])),
        *(("strength", value, "a number from 0 to 2") for value in (2.1, -0.1, *NO_NUMBERS)),
        *(("looks", value, "a whole number from 1 to 4") for value in (0, 2.5, "2")),
        *(("replace", value, "True or False") for value in ("no", None, 2)),
        *((name, 7, "path of a file") for name in ("movement", "copy_look_of")),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused_at_once(timeline, scene, option, value, hint):
    with pytest.raises(UserError, match=rf"option {option} is .*{hint}"):
        api.dub(timeline.movie(), timeline.sound(), **{option: value})


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"depth": 10}, {"depth": 10}),
        ({"depth": "10"}, {"depth": 10}),
        ({"audio_track": 2}, {"audio_track": "2"}),
        ({"source_audio_track": "31"}, {"source_audio_track": "31"}),
        ({"strength": np.float32(0.5), "looks": np.int64(2)}, {"strength": 0.5, "looks": 2}),
        ({"adapt": 60, "intra": 0}, {"adapt": 60.0, "intra": False}),
        ({"intra": np.True_, "grain": np.False_}, {"intra": True, "grain": False}),
        ({"copy_look_of": None, "movement": None}, {}),
    ],
)
def test_an_option_is_written_as_jobs_hold_it(scene, options, written):
    settings = options_of(scene, **options).settings
    assert {name: settings[name] for name in written} == written
    assert DubSettings.from_json(settings).to_json().items() >= written.items()
    json.dumps(settings)


def test_what_is_wrong_is_said_in_words(timeline, scene, double):
    picture, speech = timeline.movie(), timeline.sound()
    with pytest.raises(UserError, match="no option 'strenght'"):
        api.dub(picture, speech, strenght=1.0)
    with pytest.raises(UserError, match="picture strip and a sound strip"):
        api.dub(speech, picture)
    with pytest.raises(UserError, match="no original"):
        api.restore(picture)
    double("error")
    job = api.dub(picture, speech)
    with pytest.raises(UserError, match="There is no face"):
        job.result()
    assert job.state == "failed"


def test_a_job_can_be_polled_and_cancelled(timeline, scene, double):
    double("slow")
    job = api.dub(timeline.movie(), timeline.sound())
    assert job.state == "ready"
    job.begin()
    while job.update() and not job.task.done:
        job.task.pause()
    job.cancel()
    assert job.wait().state == "cancelled"
    assert job.strips == []


def test_preview_and_its_end(timeline, scene):
    picture, speech = timeline.movie(), timeline.sound()
    api.preview(picture, speech, frame=20).result()
    assert len(timeline.strips) == 3
    api.discard_preview(scene)
    assert len(timeline.strips) == 2


def test_face_is_edited_and_made_again_by_a_script(timeline, scene):
    picture, speech = timeline.movie(first=11), timeline.sound(first=11)
    strips.set_handles(speech, 11, 44)  # a job that no other test has
    dub = by_script(scene, picture, speech)
    job = api.face_mesh(dub)
    job.result()
    head = bpy.data.objects[job.head]
    assert head["gsmooth_first"] == 11
    assert "shows your curves now" in api.rerender(head).result()
    assert strips.source_path(dub).stem.startswith("clip_dubbed_v")
    with pytest.raises(UserError, match="no head"):
        api.rerender(bpy.data.objects.new("chair", None))


def test_face_of_a_strip_that_is_not_dubbed(timeline, scene):
    job = api.face_mesh(timeline.movie(first=11))
    assert job.wait().state == "done"
    folder = job_folder.resolve(bpy.data.objects[job.head]["gsmooth_job"])
    assert job_folder.read(folder)["audio"] is None


def test_people_are_found_by_a_script(timeline, scene):
    job = api.find_people(timeline.movie())
    job.result()
    assert [person.number for person in job.people] == [1, 2]


def test_sync_is_checked_and_moved_by_a_script(timeline, scene, monkeypatch):
    monkeypatch.setenv("GSMOOTH_DOUBLE_OFFSET", "3")
    picture, sound = timeline.movie(first=11), timeline.sound(first=11)
    assert "3 frames late" in api.check_sync(picture, sound, move=True).result()
    assert strips.left(sound) == 8


def test_what_buttons_and_scripts_can_do_is_the_same():
    """Every operator that asks the worker for strips is a function here, too."""
    assert {
        "dub",
        "preview",
        "export_mesh",
        "face_mesh",
        "rerender",
        "find_people",
        "check_sync",
        "check_quality",
        "add_to_queue",
        "run_queue",
        "restore",
        "discard_preview",
        "show_words",
        "words",
        "UserError",
    } == set(api.__all__)
