"""The panel about who is dubbed, and who says what."""

from __future__ import annotations

from typing import Any

import bpy

from ..errors import UserError
from ..review import people
from ..timeline import selection, speeches, stacking, strips
from .layouts import SequencerPanel, wrapped

_SEVERAL = 2


class GSMOOTH_PT_people(SequencerPanel, bpy.types.Panel):
    """Who is dubbed, where several are seen."""

    bl_label = "People"
    bl_parent_id = "GSMOOTH_PT_dub"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, strips.sequencer_scene(context)
        layout.operator("gsmooth.find_people", icon="COMMUNITY")
        if draw_people(layout, scene):  # each of those is named
            return
        layout.prop(scene.gsmooth, "person", text="Person (0: Largest Face)")
        if scene.gsmooth.person == 0:
            layout.prop(scene.gsmooth, "speaker")


def _picture(scene: bpy.types.Scene) -> Any:
    try:
        return selection.select(scene, need_speech=False).picture
    except UserError:
        return None


def draw_people(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> bool:
    """Everybody who was found in the selected clip: a click chooses one, a list gives a speech.

    Returns:
        whether anybody was given one.
    """
    picture = _picture(scene)
    if picture is None:
        return False
    found, given = _seen_in(scene, picture), dict(speeches.given(picture))
    several = len(found) > 1 or bool(given)
    for person in found:
        row = layout.box().row()
        row.template_icon(people.icon(person), scale=3.0)
        _draw_person(row.column(), scene, person.number, given, several)
    for number in sorted(set(given) - {person.number for person in found}):
        _draw_person(layout.box().column(), scene, number, given, several)
    if several and not given:
        wrapped(layout, "Click on the one to dub, or give each a speech.", "INFO")
    if given:
        wrapped(layout, _dubbed(set(given), {person.number for person in found}), "INFO")
    return bool(given)


def draw_hint(
    layout: bpy.types.UILayout, scene: bpy.types.Scene, chosen: selection.Selection
) -> None:
    """In the main panel: that several people are seen, and where one chooses among them."""
    count = len(_seen_in(scene, chosen.picture))
    if count < _SEVERAL or chosen.speeches:
        return
    number = scene.gsmooth.person
    if number:
        wrapped(layout, f"Person {number} of {count} is dubbed: see below, under People.", "INFO")
    else:
        wrapped(layout, f"{count} people are seen: choose below, under People.", "INFO")


def _seen_in(scene: bpy.types.Scene, picture: Any) -> tuple[people.Person, ...]:
    """Who was found in a strip, or in the one that it is the dub of."""
    found, old = people.seen_in(picture), stacking.original(scene, picture)
    return found or (people.seen_in(old) if old is not None else ())


def _dubbed(given: set[int], seen: set[int]) -> str:
    count = len(given)
    told = "1 person is dubbed" if count == 1 else f"{count} people are dubbed at once"
    if seen and seen <= given:
        return f"{told}."
    return f"{told}; all others stay as they are."


def _draw_person(
    column: bpy.types.UILayout,
    scene: bpy.types.Scene,
    number: int,
    given: dict[int, Any],
    several: bool,
) -> None:
    name = f"Person {number}"
    if given:  # one of them needs no choice
        column.label(text=name, icon="CHECKMARK" if number in given else "BLANK1")
    else:
        words = {"text": name, "depress": scene.gsmooth.person == number}
        column.operator("gsmooth.choose_person", **words).person = number
    if several:
        text = given[number].name if number in given else "No Speech of Their Own"
        menu = column.operator_menu_enum("gsmooth.give_speech", "sound", text=text, icon="SPEAKER")
        menu.person = number


CLASSES = (GSMOOTH_PT_people,)
