"""Which word a mouth belongs to: markers on the timeline, and a list for scripts."""

from __future__ import annotations

import json

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import api, preferences  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.panels import quality_panel  # noqa: E402
from blender_addon.review import quality, words  # noqa: E402
from blender_addon.review.words import Word  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import speeches, strips  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from tests.blender.conftest import make_sound  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402

# At 25 frames a second, in a clip whose first frame is frame 11 of the scene.
SHOWN = [(16, "· bébé,"), (19, "· maybe (m, b open)"), (39, "· no")]
KEPT = (11, "GSmooth ? 2 frames not dubbed")  # of the dub itself


@pytest.fixture
def dubbed(timeline, scene):
    """Frames 11 to 41, the first ten frames of the clip are cut off."""
    movie = timeline.movie(first=1)
    strips.set_handles(movie, 11, 41)
    timeline.sound(first=1)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


def markers(scene):
    return sorted((marker.frame, marker.name) for marker in scene.timeline_markers)


def show():
    return bpy.ops.gsmooth.show_words()


def test_each_word_has_a_marker_where_it_begins(scene, dubbed):
    scene.timeline_markers.new("no", frame=39)
    assert show() == {"FINISHED"}
    own = (39, "no")
    assert markers(scene) == sorted([KEPT, own, *SHOWN])
    assert runtime.outcome().text == "3 words; lips stay open in 1."
    # The check's markers come and go beside them.
    scene.gsmooth.marks = "none"
    assert markers(scene) == sorted([own, *SHOWN])


def test_pressed_again_the_markers_go_and_no_others(scene, dubbed):
    scene.timeline_markers.new("scene 2", frame=20)
    before = markers(scene)
    assert show() == show() == {"FINISHED"}
    assert (markers(scene), words.of_strip(dubbed)) == (before, [])
    show()
    assert set(SHOWN) < set(markers(scene))


def test_markers_go_where_the_strip_goes(scene, dubbed):
    show()
    strips.move(dubbed, 100)
    words.mark(scene)
    assert [m for m in markers(scene) if m != KEPT] == [(at + 100, text) for at, text in SHOWN]


def test_what_is_trimmed_away_has_no_marker(scene, dubbed):
    show()
    # 19 is the frame after "bébé,"; in 21 "maybe" goes on; 39 is the first of "no".
    strips.set_handles(dubbed, 21, 39)
    words.mark(scene)
    assert [m for m in markers(scene) if m != KEPT] == [(21, SHOWN[1][1])]
    strips.set_handles(dubbed, 18, 40)
    words.mark(scene)
    assert [m for m in markers(scene) if m != KEPT] == [(18, SHOWN[0][1]), *SHOWN[1:]]
    strips.set_handles(dubbed, 19, 40)
    words.mark(scene)
    assert [m for m in markers(scene) if m != KEPT] == SHOWN[1:]


def test_muted_and_restored_strips_have_no_markers(scene, dubbed):
    show()
    dubbed.mute = True
    words.mark(scene)
    assert markers(scene) == [KEPT]
    dubbed.mute = False
    words.mark(scene)
    assert len(markers(scene)) == 4
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert markers(scene) == []


def test_words_of_the_version_before_are_forgotten(scene, dubbed):
    show()
    quality.note_dub(dubbed, {"untouched_frames": [[0, 1]]})
    assert (markers(scene), words.of_strip(dubbed)) == ([KEPT], [])


def test_the_button_says_whether_they_are_shown(scene, dubbed):
    def pressed():
        layout = Recorder()
        quality_panel.GSMOOTH_PT_quality.draw(type("P", (), {"layout": layout})(), bpy.context)
        return [b.pressed for b in layout.buttons if b.name == "gsmooth.show_words"]

    assert pressed() == [False]
    show()
    assert pressed() == [True]


def test_no_other_strip_has_words(scene, timeline):
    scene.sequence_editor.active_strip = timeline.movie()
    assert not bpy.ops.gsmooth.show_words.poll()


# -- for scripts ---------------------------------------------------------------------------------


def test_scripts_get_the_words(scene, dubbed, timeline):
    assert api.words(dubbed) == [
        Word("bébé,", 5, 8),
        Word("maybe", 8, 15, "m, b"),
        Word("no", 28, 30),
    ]
    assert markers(scene) == [KEPT]
    assert api.show_words(dubbed).result() == "3 words; lips stay open in 1."
    assert words.of_strip(dubbed) == api.words(dubbed)
    for ask in (api.words, api.show_words):
        with pytest.raises(UserError, match="is no dub"):
            ask(timeline.strips["clip"])


# -- where words cannot be heard -----------------------------------------------------------------


def test_the_workers_own_hint_is_told(scene, dubbed, double):
    double("mute")
    with pytest.raises(RuntimeError, match=r"Words cannot be recognised\. Install it with: pip"):
        show()
    hint = 'Install it with: pip install "gsmooth[words]"'
    assert runtime.outcome().text == f"Words cannot be recognised. {hint}"
    assert markers(scene) == [KEPT]
    with pytest.raises(UserError, match="pip install"):
        api.words(dubbed)


def test_of_what_install_made_it_is_said_how_to_get_them(scene, dubbed, double, monkeypatch):
    double("mute")
    _origin, python = preferences.find_python()
    monkeypatch.setattr(preferences, "own_runtime", lambda: python.parent.parent)
    job = api.show_words(dubbed).wait()
    assert job.state == "failed"
    way = "Switch on Words in Preferences > Add-ons > GSmooth and press Install."
    assert job.text == f"Words cannot be recognised. {way}"


def test_other_failures_are_told_as_they_are(scene, dubbed, double, monkeypatch):
    double("error")
    _origin, python = preferences.find_python()
    monkeypatch.setattr(preferences, "own_runtime", lambda: python.parent.parent)
    assert api.show_words(dubbed).wait().text == "There is no face. Use another."


# -- what others may have made -------------------------------------------------------------------


@pytest.mark.parametrize(
    "noted",
    [7, "", "[]", "{}", '{"words": 1}', '{"words": [1]}', '{"words": [{"text": "x"}]}', "[" * 9999],
)
def test_a_strangers_note_is_none(scene, dubbed, noted):
    dubbed[words.NOTED] = noted
    assert words.of_strip(dubbed) == []
    words.mark(scene)
    assert markers(scene) == [KEPT]


@pytest.mark.parametrize(
    ("name", "value"),
    [("text", 1), ("start", -1), ("end", 1e9), ("closures", None), ("closures", [{"met": 1}])],
)
def test_an_answer_with_nonsense_is_refused(scene, dubbed, name, value):
    folder = job_folder.resolve(dubbed["gsmooth_job"])
    good = {"text": "a", "start": 0.1, "end": 0.1, "closures": []}
    assert words.read(folder, {0: {"words": [good]}}) == [Word("a", 2, 3)]
    with pytest.raises(UserError, match="'words' of the worker's answer"):
        words.read(folder, {0: json.loads(json.dumps({"words": [good | {name: value}]}))})


def test_a_long_word_is_cut_where_a_letter_ends(scene, dubbed):
    folder = job_folder.resolve(dubbed["gsmooth_job"])
    words.note(folder, [Word("é" * 99, 0, 40)])
    name = next(m.name for m in scene.timeline_markers if m.name.startswith("·"))
    assert name == "· " + "é" * 30  # 63 bytes


# -- several people ------------------------------------------------------------------------------


@pytest.mark.slow  # a module's own mixer can crash the process
def test_each_of_several_people_has_words(timeline, scene, media):
    movie = timeline.movie(first=11)
    for number in (1, 2):
        make_sound(media / f"said{number}.wav")
        speeches.give(movie, number, timeline.sound(11, 2 + number, f"said{number}.wav"))
    scene.sequence_editor.active_strip = movie
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert show() == {"FINISHED"}
    one, open_, last = ((at, f"· 1: {text[2:]}") for at, text in SHOWN)
    assert [m for m in markers(scene) if m != KEPT] == [
        one,
        open_,
        (19, "· 2: maybe (m, b open)"),
        last,
    ]
