"""A job's result to a strip: where it goes, and what becomes of the old strip and its sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import bpy

from ..errors import UserError
from ..review import comparing, quality, words
from ..settings.properties import PERSON, SPEAKER
from ..storage import job_folder
from ..timeline import following, own_sound, put_away, stacking, strip_look, strips
from ..timeline.following import Part
from ..timeline.plan import Plan
from ..timeline.speeches import GIVEN
from ..timeline.timing import MAX_CHANNEL, undubbed


class Shape(NamedTuple):
    """In what a dub differs from the frames that it was made of.

    Attributes:
        longer: frames that it has more; the last piece shows them.
        turned: degrees anticlockwise by which it stands otherwise than they are stored.
    """

    longer: int = 0
    turned: int = 0


def place(
    planned: Plan,
    output: Path,
    folder: Path,
    info: str,
    replace: bool,
    shape: Shape = Shape(),  # noqa: B008 - it cannot change
) -> list[Any]:
    """Put the dubbed file exactly over the old strip as it lies now, which is muted or replaced.

    Args:
        planned: from which strip the file was made, and where that lay then.
        output: the file.
        folder: of the job.
        info: about the result, for people.
        replace: whether the old strip goes.
        shape: in what the file differs from its source.

    Returns:
        the new strips, one for each piece into which the old one was cut meanwhile.

    Raises:
        UserError: the old strip is gone; nothing was changed.
    """
    parts = following.find_parts(planned)
    if not parts:
        raise UserError(
            f"The strip '{planned.picture}' is gone, so the dubbed clip was not placed. "
            f"It is in '{output}'."
        )
    scene = parts[0].scene
    notes = {"gsmooth_job": job_folder.reference(folder), "gsmooth_info": info}
    ends = [strips.right(part.strip) for part in parts]
    made = [
        _place_part(planned, part, output, notes, replace, end + shape.longer * (end == max(ends)))
        for part, end in zip(parts, ends, strict=True)
    ]
    for strip in made if shape.turned and not strips.heeds_rotation() else ():
        strip_look.turn_back(strip, shape.turned)
    _select_only(scene, *made)
    return made


def has_another(planned: Plan, folder: Path) -> bool:
    """Whether a strip at another place shows the result of the job in `folder`."""
    shown = list(strips.showing(folder.absolute()))
    here = [
        strip
        for strip in shown
        if strip.id_data.name == planned.scene
        and strips.left(strip) < planned.right
        and planned.left < strips.right(strip)
    ]
    return len(here) < len(shown)


def _place_part(
    planned: Plan, part: Part, output: Path, notes: dict[str, str], replace: bool, end: int
) -> Any:
    scene, old = part.scene, part.strip
    new = strips.children(strips.owner_of(scene, old)).new_movie(
        f"{old.name} dubbed",
        job_folder.reference(output),
        MAX_CHANNEL,
        planned.span.first + part.shift,
    )
    strips.set_handles(new, strips.left(old), end)
    strip_look.copy_look(scene, old, new, planned.rendered)
    new.blend_type = put_away.blend(old)
    for name, text in notes.items():
        new[name] = text
    for name in (PERSON, SPEAKER, GIVEN):
        if name in old:
            new[name] = old[name]
    whole = planned.rendered or strips.is_still(old)
    missing = undubbed(planned.span, strips.placement(old), part.shift, whole)
    if missing:
        new["gsmooth_info"] += f", {missing} frames that were added meanwhile are not dubbed"
    siblings, known = strips.children(strips.owner_of(scene, old)), stacking.identify(old)
    for older in [strip for strip in siblings if strip.get(stacking.OF) == known]:
        comparing.end(older)  # else it would lie over the new one
    stacking.take_place(scene, old, new, replace)
    return new


def _select_only(scene: bpy.types.Scene, *chosen: Any) -> None:
    """Select these strips; the one under the playhead, else the first, is active."""
    for other in strips.open_strips(scene):
        other.select = False
    for strip in chosen:
        strip.select = True
    now = scene.frame_current
    there = [strip for strip in chosen if strips.left(strip) <= now < strips.right(strip)]
    scene.sequence_editor.active_strip = [*there, *chosen][0]


def restore(scene: bpy.types.Scene, dub: Any) -> Any:
    """Put the strip that was dubbed back into its place; the dub goes.

    Args:
        scene: whose strips they are.
        dub: a dubbed strip that has its original, see `stacking.original`.

    Returns:
        the original.
    """
    own_sound.unmute(dub)
    comparing.end(dub)
    old = stacking.restore(scene, dub)
    quality.mark(scene)
    words.mark(scene)
    _select_only(scene, old)
    return old
