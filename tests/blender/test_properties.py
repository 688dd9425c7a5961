"""Settings in Blender are those of the core: one default, one set of limits."""

from __future__ import annotations

from dataclasses import fields

import pytest

pytest.importorskip("bpy")

from blender_addon.settings.options import options_of
from gsmooth_core.job.settings import DubSettings


def test_defaults_are_the_cores(scene):
    core = DubSettings(intra=True).to_json()  # clips in Blender are edited further
    assert options_of(scene).settings == {name: core[name] for name in options_of(scene).settings}


def test_core_accepts_the_extremes(scene):
    known = {field.name: field.metadata for field in fields(DubSettings)}
    for name in ("strength", "smoothing", "shutter"):
        prop = scene.gsmooth.bl_rna.properties[name]
        assert (prop.hard_min, prop.hard_max) == known[name]["limits"]
    items = scene.gsmooth.bl_rna.properties["mask"].enum_items
    assert tuple(item.identifier for item in items) == known["mask"]["choices"]


def test_core_takes_what_goes_into_a_job(scene):
    assert DubSettings.from_json(options_of(scene).settings) == DubSettings(intra=True)


def test_a_person_is_chosen_by_number(scene):
    scene.gsmooth.person = 2
    assert DubSettings.from_json(options_of(scene).settings).face == "2"
    scene.gsmooth.person = 500
    assert DubSettings.from_json(options_of(scene).settings).face == "99"


def test_who_speaks_is_asked_where_nobody_is_named(scene):
    scene.gsmooth.speaker = True
    assert DubSettings.from_json(options_of(scene).settings).face == "speaker"
    scene.gsmooth.person = 3
    assert DubSettings.from_json(options_of(scene).settings).face == "3"


def test_whose_face_it_is_belongs_to_the_strip(scene, timeline):
    one, other = timeline.movie(name="one"), timeline.movie(channel=3, name="other")
    for strip, number in ((one, 2), (other, 0)):
        one.select, other.select = strip == one, strip == other
        scene.sequence_editor.active_strip = strip
        scene.gsmooth.person = number
    assert scene.gsmooth.person == 0
    one.select, other.select = True, False
    scene.sequence_editor.active_strip = one
    assert scene.gsmooth.person == 2
    one["gsmooth_person"] = "a stranger's"
    assert scene.gsmooth.person == 0


def test_every_setting_and_every_choice_says_what_it_is(scene):
    from blender_addon import preferences
    from blender_addon.settings import properties

    for owner in (*properties.CLASSES, *preferences.CLASSES):
        for prop in owner.bl_rna.properties:
            if prop.identifier in ("rna_type", "name", "bl_idname"):
                continue
            assert prop.description, prop.identifier
            items = prop.enum_items if prop.type == "ENUM" else ()
            assert all(item.description for item in items), prop.identifier
