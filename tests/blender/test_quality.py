"""What a check of a dub found, on the timeline and in the panel."""

from __future__ import annotations

import json

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import api  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.head import actions, rig  # noqa: E402
from blender_addon.panels import quality_panel  # noqa: E402
from blender_addon.review import quality  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import speeches, strips  # noqa: E402
from tests.blender.conftest import make_sound  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402

POOR = (16, "GSmooth ! an edge")
FAIR = [(11, "GSmooth ? 2 frames not dubbed: no face"), (11, "GSmooth ? sound 0.08 s late")]
SOFT = (18, "GSmooth ? a soft mouth")


@pytest.fixture
def dubbed(timeline, scene):
    """Frames 11 to 51, the first frames of which are cut off."""
    movie = timeline.movie(first=1)
    strips.set_handles(movie, 11, 41)
    timeline.sound(first=1)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


def markers(scene):
    return sorted((marker.frame, marker.name) for marker in scene.timeline_markers)


def test_a_dub_marks_what_it_left_as_it_was(scene, dubbed):
    assert markers(scene) == [(11, "GSmooth ? 2 frames not dubbed")]


def test_a_check_marks_where_to_look(scene, dubbed):
    scene.timeline_markers.new("scene 2", frame=20)
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    own = (20, "scene 2")
    assert markers(scene) == sorted([POOR, *FAIR, SOFT, own])
    assert dubbed.color_tag == "COLOR_01"
    for marks, wanted in (("poor", [POOR]), ("none", []), ("all", [POOR, *FAIR, SOFT])):
        scene.gsmooth.marks = marks
        assert markers(scene) == sorted([*wanted, own])


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("unusable", "1 frame not dubbed: face turned away or hidden"),
        ("dissolve", "1 frame not dubbed: two pictures are mixed"),
        ("no face", "1 frame not dubbed: no face"),
        (7, "1 frame not dubbed"),
    ],
)
def test_a_marker_says_in_words_why_frames_stayed(scene, dubbed, why, words):
    run = {"first": 3, "last": 3, "why": why}
    quality.note_dub(dubbed, {"untouched_frames": [[3, 3]], "untouched": [run]})
    assert [name for _frame, name in markers(scene)] == [f"GSmooth ? {words}"]


def test_each_reason_of_the_worker_has_words():
    seen = pytest.importorskip("gsmooth_core.job.seen")
    assert set(seen._WORDS) == {*quality._WHYS, "no face"}


def test_markers_go_where_the_strip_goes(scene, dubbed):
    bpy.ops.gsmooth.check_quality()
    strips.move(dubbed, 100)
    quality.mark(scene)
    assert (116, POOR[1]) in markers(scene)
    strips.set_handles(dubbed, 117, 141)
    quality.mark(scene)
    assert (116, POOR[1]) not in markers(scene)


def test_a_restored_strip_has_no_markers(scene, dubbed):
    bpy.ops.gsmooth.check_quality()
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert markers(scene) == []


def test_every_dub_is_checked_where_that_is_wanted(timeline, scene):
    timeline.movie(first=11)
    timeline.sound(first=11)
    scene.gsmooth.check = True
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert quality.of_strip(strips.active_strip(scene)).kind == "poor"
    assert len(markers(scene)) == 4


def panel(scene):
    layout = Recorder()
    quality_panel.GSMOOTH_PT_quality.draw(type("P", (), {"layout": layout})(), bpy.context)
    return " ".join(layout.labels)


def test_the_panel_says_what_was_found(scene, dubbed):
    assert "1 place to look at." in panel(scene)
    report = job_folder.resolve(dubbed["gsmooth_job"]) / "report.html"
    report.unlink(missing_ok=True)  # of a test before this one
    assert not bpy.ops.gsmooth.open_report.poll()
    bpy.ops.gsmooth.check_quality()
    told = panel(scene)
    assert "Look at this shot" in told
    assert "An edge can be seen around the mouth." in told
    assert "Seam" not in told  # the fault, not the quality
    assert "The strip's colour: red for poor (green for good" in told
    assert "97 %" not in told  # what is good needs no words
    assert [path.name for path in quality.pages(dubbed).values()] == ["report.html"]


@pytest.mark.parametrize(
    "noted", [7, "", "[]", "{}", '{"verdict": 1}', '{"verdict": "x", "kind": "evil"}']
)
def test_a_strangers_note_is_none(scene, dubbed, noted):
    dubbed[quality.NOTED] = noted
    assert quality.of_strip(dubbed) == quality.Quality()
    quality.mark(scene)
    assert markers(scene) == []


def test_an_answer_with_nonsense_is_refused(scene, dubbed, tmp_path):
    folder = job_folder.resolve(dubbed["gsmooth_job"])
    (tmp_path / "p.html").write_text("x")
    good = {"verdict": "v", "kind": "good", "checks": [], "worst": [], "untouched_frames": []}
    good["page"] = str(tmp_path / "p.html")
    assert quality.note(folder, {0: good}) == "v"
    bad_worst = [{"frame": -1, "reason": "r", "score": 1}]
    for name, value in (("kind", "evil"), ("worst", bad_worst), ("page", "/nowhere")):
        with pytest.raises(UserError, match=name):
            quality.note(folder, {0: json.loads(json.dumps(good | {name: value}))})


def test_scripts_check_a_dub(scene, dubbed, timeline):
    assert api.check_quality(dubbed).result().startswith("Look at this shot")
    with pytest.raises(UserError, match="is no dub"):
        api.check_quality(timeline.strips["clip"])


# -- frame by frame ------------------------------------------------------------------------------


def keys(owner, path):
    return dict(actions.points_of(owner, path))


def test_quality_is_a_curve_of_the_strip_and_of_its_head(scene, dubbed):
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    path = f'{dubbed.path_from_id()}["GSmooth Quality"]'
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    # Score 0 is 1, 1 (look) is 0.5, 2 and more (poor) is 0; the first two frames have none.
    found = keys(scene, path)
    first = strips.first_source_frame(dubbed)
    assert [found.get(first + i) for i in range(8)] == pytest.approx(
        [None, None, 1.0, 0.95, 0.9, 0.0, 0.5, 0.4]
    )
    assert len(found) == 28
    assert keys(head, '["GSmooth Quality"]') == found
    scene.frame_set(first + 5)
    assert dubbed["GSmooth Quality"] == head["GSmooth Quality"] == 0.0
    # A head that is made later has it, too.
    rig.remove(head)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    assert keys(head, '["GSmooth Quality"]') == found
    # It is about the clip that was judged, and goes with it.
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert keys(scene, path) == keys(head, '["GSmooth Quality"]') == {}
    assert "GSmooth Quality" not in dubbed


def test_curve_of_a_restored_strip_is_gone(scene, dubbed):
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    assert list(actions.curves_of(scene))
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert not list(actions.curves_of(scene))


# -- several people ------------------------------------------------------------------------------


@pytest.fixture
def both(timeline, scene, media):
    """Two people of a clip from frame 11 on, each with a speech; dubbed at once."""
    movie = timeline.movie(first=11)
    for number in (1, 2):
        make_sound(media / f"said{number}.wav")
        speeches.give(movie, number, timeline.sound(11, 2 + number, f"said{number}.wav"))
    scene.sequence_editor.active_strip = movie
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


@pytest.mark.slow  # a module's own mixer can crash the process
def test_each_of_several_people_is_judged(scene, both):
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    found = quality.of_strip(both)
    assert found.verdict == (
        "Person 1: Look at this shot before it goes out: visible edge. Person 2: This shot is good."
    )
    assert (found.kind, both.color_tag) == ("poor", "COLOR_01")
    told = panel(scene)
    assert "Person 1: An edge can be seen" in told
    assert "Person 2: 97 %" not in told
    kept = (11, "GSmooth ? 2 frames not dubbed: no face")
    late = (11, "GSmooth ? Person 1: sound 0.08 s late")
    edge, soft = (16, "GSmooth ! Person 1: an edge"), (18, "GSmooth ? Person 1: a soft mouth")
    other = (19, "GSmooth ? Person 2: an edge")
    assert markers(scene) == sorted([kept, late, edge, soft, other])


@pytest.mark.slow  # a module's own mixer can crash the process
def test_each_has_a_curve_and_a_page(scene, both):
    assert bpy.ops.gsmooth.preview_mesh(person=2) == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    names = [f"GSmooth Quality{whose}" for whose in (" of Person 1", " of Person 2", "")]
    one, two, worst = (keys(scene, f'{both.path_from_id()}["{name}"]') for name in names)
    assert [round(curve[16], 2) for curve in (one, two, worst)] == [0.0, 1.0, 0.0]
    assert [round(curve[19], 2) for curve in (one, two, worst)] == [1.0, 0.25, 0.25]
    assert keys(head, '["GSmooth Quality"]') == two
    pages = quality.pages(both)
    assert {number: path.parent.name for number, path in pages.items()} == {
        1: "person_1",
        2: "person_2",
    }
    layout = Recorder()
    quality_panel.GSMOOTH_PT_quality.draw(type("P", (), {"layout": layout})(), bpy.context)
    reports = [b for b in layout.buttons if b.name == "gsmooth.open_report"]
    assert [(b.text, b.person) for b in reports] == [
        ("Report of Person 1", 1),
        ("Report of Person 2", 2),
    ]
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert not list(actions.curves_of(scene))


@pytest.mark.slow  # a module's own mixer can crash the process
def test_each_is_judged_right_after_the_dub_where_that_is_wanted(timeline, scene, both):
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    scene.gsmooth.check = True
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert quality.of_strip(strips.active_strip(scene)).verdict.count("Person") == 2
