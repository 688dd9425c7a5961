"""People with their pictures in the panel, and the choice of one; warnings that last."""

from __future__ import annotations

import json

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.panels import people_panel, task_box  # noqa: E402
from blender_addon.review import people  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import pictures, strips  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


@pytest.fixture
def movie(timeline, scene):
    strip = timeline.movie()
    timeline.sound()
    scene.sequence_editor.active_strip = strip
    return strip


def find():
    assert bpy.ops.gsmooth.find_people() == {"FINISHED"}


def drawn(scene):
    layout = Recorder()
    people_panel.draw_people(layout, scene)
    return layout


def warned():
    layout = Recorder()
    task_box.draw_task(layout)
    return " ".join(layout.labels)


def test_everybody_is_shown_with_a_picture(scene, movie):
    assert drawn(scene).buttons == []
    find()
    layout = drawn(scene)
    buttons = [(button.name, button.text, button.person) for button in layout.buttons]
    choose, give = "gsmooth.choose_person", "gsmooth.give_speech"
    assert buttons == [
        part
        for number in (1, 2)
        for part in (
            (choose, f"Person {number}", number),
            (give, "No Speech of Their Own", number),
        )
    ]
    assert len(layout.icons) == 2
    assert bpy.app.background or 0 not in layout.icons  # without a window there are no icons
    red, blue = (icons[name].image_pixels_float[:3] for icons in people._icons for name in "12")
    assert red[0] > 0.9 > 0.1 > red[2]
    assert blue[2] > 0.9 > 0.1 > blue[0]


def test_a_click_chooses_and_another_one_takes_the_choice_back(scene, movie):
    find()
    assert bpy.ops.gsmooth.choose_person(person=2) == {"FINISHED"}
    choices = [button for button in drawn(scene).buttons if "choose" in button.name]
    assert [button.pressed for button in choices] == [False, True]
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    folder = job_folder.resolve(strips.active_strip(scene)["gsmooth_job"])
    assert json.loads((folder / "job.json").read_text())["settings"]["face"] == "2"
    assert bpy.ops.gsmooth.choose_person(person=2) == {"FINISHED"}
    assert scene.gsmooth.person == 0


def test_a_dub_knows_the_people_of_its_original(scene, movie):
    find()
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert strips.active_strip(scene) != movie
    assert len(drawn(scene).icons) == 2


def test_tooltip_says_what_is_known_of_the_person(scene, movie):
    find()
    about = [people.about(number) for number in (1, 2, 3)]
    assert about[0] == "Person 1: 9 frames, 80 pixels wide"
    assert about[1].endswith("speaks in the clip's own sound")
    assert about[2] == ""


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda strip: strips.move(strip, 7), True),
        (lambda strip: strips.set_handles(strip, 5, 41), False),
        (lambda strip: strips.set_handles(strip, 1, 30), False),
        (lambda strip: setattr(strip, "use_reverse_frames", True), False),
        (lambda strip: setattr(strip, "filepath", strip.filepath + "x"), False),
    ],
)
def test_numbers_are_those_of_the_frames_that_were_looked_at(scene, movie, change, kept):
    find()
    change(movie)
    assert bool(drawn(scene).buttons) == kept


def test_other_frames_of_the_same_number_are_others(scene, movie):
    strips.set_handles(movie, 1, 31)
    find()
    strips.set_handles(movie, 6, 36)
    assert not drawn(scene).buttons
    strips.set_handles(movie, 1, 31)
    assert drawn(scene).buttons


def test_people_of_a_rendered_strip(scene, movie):
    movie.use_reverse_frames = True
    assert pictures.why_rendered(movie)
    find()
    assert len(drawn(scene).icons) == 2


def test_the_same_strip_has_one_folder_whatever_the_settings(scene, movie):
    from blender_addon import preferences

    folder = preferences.jobs_folder() / "people"
    strips.set_handles(movie, 3, 17)  # frames that no other test looks at
    before = set(folder.glob("*"))
    for strength in (0.5, 1.5):
        scene.gsmooth.strength = strength
        find()
    assert len(set(folder.glob("*")) - before) == 1


def test_answer_with_nonsense_is_refused(scene, movie, monkeypatch):
    from blender_addon.errors import UserError
    from blender_addon.jobs import finding

    good = {"number": 1, "frames": 9, "width": 80.5, "speaker": False, "thumbnail": None}
    finding.check_answer({"people": [good]}, finding.ANSWER)
    for name, value in (("number", "1"), ("width", "8"), ("thumbnail", "/nowhere.png")):
        with pytest.raises(UserError, match="people"):
            finding.check_answer({"people": [good | {name: value}]}, finding.ANSWER)


def test_warning_stays_until_the_next_act(scene, movie):
    find()
    assert warned().endswith("The light is low.")
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert "The light" not in warned()


def test_error_stays_until_the_next_act(scene, movie, double):
    double("error")
    with pytest.raises(RuntimeError):
        bpy.ops.gsmooth.dub_strip()
    assert warned() == "Dub 'clip': failed There is no face. Use another."
    double("")
    runtime.stop_worker()
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert warned().startswith("Dub 'clip': done 'clip dubbed' is ready")
