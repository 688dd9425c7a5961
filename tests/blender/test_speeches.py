"""One speech strip a person: several people of a clip are dubbed at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import api  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.jobs import job_queue, rendering  # noqa: E402
from blender_addon.panels import face_panel, people_panel  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import planning, selection, speeches, strips  # noqa: E402
from blender_addon.worker.process import Process  # noqa: E402
from tests.blender.hearing import RATE, read, tone, tones  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402

ANNA, BEN = 1000, 300
FIRST, COUNT = 11, 40


@pytest.fixture
def talk(timeline, scene, media):
    """A clip from scene frame 11 on; Anna speaks from frame 5 to 24, Ben from 30 to the end."""
    tones(media / "anna.wav", (ANNA, 0.8))
    tones(media / "ben.wav", (BEN, 2.4))
    movie = timeline.movie(first=FIRST)
    anna = timeline.sound(first=5, channel=3, file="anna.wav", name="anna")
    ben = timeline.sound(first=30, channel=4, file="ben.wav", name="ben")
    for strip in timeline.strips:
        strip.select = strip == movie
    scene.sequence_editor.active_strip = movie
    return movie, anna, ben


def give(number, sound):
    name = f"+{sound.name}" if sound else "-"
    assert bpy.ops.gsmooth.give_speech(person=number, sound=name) == {"FINISHED"}


def job_of(dubbed):
    folder = job_folder.resolve(dubbed["gsmooth_job"])
    return json.loads((folder / "job.json").read_text())


def heard(path, hertz):
    """Job frames in which a tone is heard in a sound file."""
    samples, frame = read(path), RATE // 25
    parts = (samples[i * frame : (i + 1) * frame] for i in range(COUNT))
    return [i for i, part in enumerate(parts) if tone(part, hertz) > 2800]


@pytest.mark.slow  # a module's own mixer can crash the process
def test_each_says_the_strip_that_was_given_where_it_lies(scene, talk, monkeypatch):
    started = []
    monkeypatch.setattr(rendering, "Process", lambda *how: started.append(how) or Process(*how))
    _movie, anna, ben = talk
    give(1, anna)
    give(2, ben)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert len(started) == 1  # one Blender mixes both
    job = job_of(strips.active_strip(scene))
    assert (job["audio"], set(job["speech"])) == (None, {"1", "2"})
    assert (job["settings"]["face"], job["settings"]["length"]) == ("largest", "trim")
    assert (job["audio_start"], job["audio_duration"], job["audio_delay"]) == (0.0, None, 0.0)
    # Both begin with the picture: Anna's first six frames are before it, Ben is silent at first.
    one, other = (Path(job["speech"][number]) for number in "12")
    assert heard(one, ANNA) == list(range(14))
    assert heard(other, BEN) == list(range(19, COUNT))
    assert (heard(one, BEN), heard(other, ANNA)) == ([], [])
    assert not anna.mute
    assert not ben.mute


def test_files_that_are_not_whole_are_refused(scene, talk, tmp_path):
    _movie, anna, ben = talk
    give(1, anna)
    give(2, ben)
    planned = planning.make_plan(scene, selection.select(scene))
    assert rendering.missing(planned) == ["1", "2"]

    def answer(*frames):
        files = [tmp_path / f"{number}.avi" for number, _count in enumerate(frames)]
        for number, file in enumerate(files):
            file.write_bytes(bytes([number]))
        made = zip(files, frames, strict=True)
        return {"parts": [{"output": str(file), "frames": count} for file, count in made]}

    with pytest.raises(UserError, match="1 of 2 files"):
        rendering.with_files(planned, answer(COUNT))
    with pytest.raises(UserError, match="39 of 40 frames"):
        rendering.with_files(planned, answer(COUNT, COUNT - 1))
    whole = rendering.with_files(planned, answer(COUNT, COUNT))
    assert [Path(said.sound).read_bytes() for said in whole.speeches] == [b"\0", b"\1"]
    assert rendering.missing(whole) == []


def test_a_strip_is_one_persons_and_can_be_taken_back(scene, talk):
    movie, anna, ben = talk
    give(1, anna)
    give(2, anna)
    assert [(number, strip.name) for number, strip in speeches.given(movie)] == [(2, "anna")]
    give(1, ben)
    anna.name = "Anna, later"  # a new name is no other strip
    assert [number for number, _strip in speeches.given(movie)] == [1, 2]
    chosen = selection.select(scene)
    assert (chosen.speech, {n: s.name for n, s in chosen.speeches}) == (
        None,
        {1: "ben", 2: "Anna, later"},
    )
    give(1, None)
    give(2, None)
    assert speeches.GIVEN not in movie
    assert selection.why_not(scene)  # no speech is selected


def test_what_a_stranger_noted_gives_nobody_a_speech(scene, talk):
    movie, *_sounds = talk
    for noted in ("x", '{"1": 3}', '{"0": ["anna", "a"]}', '{"1": ["gone", "b"]}', 7):
        movie[speeches.GIVEN] = noted
        assert speeches.given(movie) == ()
    movie[speeches.GIVEN] = '{"1": ["clip", "b"]}'  # no sound
    assert speeches.given(movie) == ()


def test_the_panel_names_who_says_what(scene, talk):
    _movie, anna, ben = talk
    assert bpy.ops.gsmooth.find_people() == {"FINISHED"}

    def drawn():
        layout = Recorder()
        people_panel.draw_people(layout, scene)
        return layout

    give(2, ben)
    given = {b.person: b.text for b in drawn().buttons if b.name == "gsmooth.give_speech"}
    assert given == {1: "No Speech of Their Own", 2: "ben"}
    assert "gsmooth.choose_person" not in {button.name for button in drawn().buttons}
    told = "Person 1 Person 2 1 person is dubbed; all others stay as they are."
    assert " ".join(drawn().labels) == told
    give(1, anna)
    assert " ".join(drawn().labels).endswith("2 2 people are dubbed at once.")
    give(1, None)
    give(7, anna)  # of whom nobody has a picture
    assert {b.person for b in drawn().buttons} == {1, 2, 7}


def test_speech_beside_the_clip_is_refused_in_words(scene, talk):
    movie, anna, _ben = talk
    strips.move(anna, 500)
    with pytest.raises(UserError, match="No speech overlaps the clip"):
        api.dub(movie, {1: anna}).result()
    with pytest.raises(UserError, match="numbers from 1 to 99"):
        api.dub(movie, {0: anna})
    with pytest.raises(UserError, match="sound strip of one scene"):
        api.dub(movie, {1: movie})


def test_a_queue_that_is_read_again_knows_who_says_what(scene, talk, tmp_path):
    _movie, anna, ben = talk
    give(1, anna)
    give(2, ben)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "talk.blend"))
    assert bpy.ops.gsmooth.add_to_queue() == {"FINISHED"}
    [entry] = job_queue.entries()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "talk.blend"))
    [read_again] = job_queue.entries()
    assert read_again.target == entry.target
    assert read_again.options == entry.options
    assert [name for _number, name, _id in entry.target.speeches] == ["anna", "ben"]


@pytest.mark.slow  # as above
def test_the_face_of_each_is_edited_by_itself(scene, talk):
    _movie, anna, ben = talk
    give(1, anna)
    give(2, ben)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    dub = strips.active_strip(scene)
    folder = job_folder.resolve(dub["gsmooth_job"])
    layout = Recorder()
    face_panel._draw_mesh_buttons(layout, dub)
    assert [(b.text, b.person) for b in layout.buttons] == [
        ("Face Mesh of Person 1", 1),
        ("Face Mesh of Person 2", 2),
    ]
    heads = {}
    for number in (1, 2):
        assert bpy.ops.gsmooth.preview_mesh(person=number) == {"FINISHED"}
        heads[number] = bpy.context.view_layer.objects.active
        own = json.loads((folder / f"person_{number}" / "job.json").read_text())
        assert (own["audio"], own["settings"]["face"]) == (
            job_of(dub)["speech"][str(number)],
            str(number),
        )
        assert "speech" not in own
    assert heads[1].name != heads[2].name
    assert bpy.ops.gsmooth.preview_mesh(person=1) == {"FINISHED"}  # is there already
    assert bpy.context.view_layer.objects.active == heads[1]
    # One is edited: the dub is made again, from that person's curves and the other's speech.
    before = strips.source_path(dub)
    bpy.context.view_layer.objects.active = heads[2]
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert (folder / "person_2" / "expression.json").is_file()
    assert not (folder / "person_1" / "expression.json").exists()
    assert not (folder / "expression.json").exists()
    job = job_of(dub)
    assert (job["expression"], set(job["speech"])) == (None, {"1", "2"})
    assert strips.source_path(dub) == Path(job["output"]) != before
    # Dubbed anew, it begins with what is predicted.
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert not list(folder.glob("**/expression.json"))


@pytest.mark.slow  # as above
def test_a_preview_is_of_all_who_speak_there(scene, talk):
    movie, anna, ben = talk
    give(1, anna)
    give(2, ben)
    strips.move(anna, -9)  # so that she is silent before the clip begins
    strips.set_handles(anna, strips.left(anna), FIRST - 1)
    scene.frame_set(FIRST + 5)
    assert bpy.ops.gsmooth.preview() == {"FINISHED"}
    [draft] = [s for s in strips.open_strips(scene) if s.get("gsmooth_preview")]
    folder = job_folder.resolve(draft["gsmooth_preview"])
    assert set(json.loads((folder / "job.json").read_text())["speech"]) == {"2"}
    assert not movie.mute
