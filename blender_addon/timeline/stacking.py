"""Which strip lies over which: a dub takes the channel of the strip that it was made from.

So what lies over that strip (a title, an adjustment layer) lies over the dub, and what lies under
it stays under. The old strip goes to a channel with room, muted, and remembers where it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy

from ..errors import UserError
from ..storage import job_folder
from . import pictures, put_away, strips
from .timing import MAX_CHANNEL, free_channel

ID, OF, HOME = "gsmooth_id", "gsmooth_of", "gsmooth_channel"
"""Custom properties: a name of its own of a strip that was dubbed, the same on its dubs, and the
channel where a strip lay before a dub took it."""


def identify(strip: Any) -> str:
    """The name that tells this strip from all others, whatever people call it."""
    known = strip.get(ID)
    if not isinstance(known, str):
        strip[ID] = known = uuid.uuid4().hex
    return known


def find(scene: Any, name: str, known: Any, kinds: tuple[str, ...]) -> Any:
    """The strip of that mark, whatever it is called by now; None where it is gone.

    Copies have the same mark; the one of that name is meant, or the only one of that mark.
    """
    alike = [s for s in strips.all_strips(scene) if s.get(ID) == known and s.type in kinds]
    named = strips.find(scene, name)
    if named is not None and (named in alike or (not alike and named.type in kinds)):
        return named
    return alike[0] if alike else None


def take_place(scene: bpy.types.Scene, old: Any, new: Any, replace: bool) -> None:
    """Put `new` where `old` lies, over earlier dubs of it; those are muted, and so is `old`.

    Args:
        scene: whose strips they are.
        old: the strip that was dubbed.
        new: its dub, which has the same handles.
        replace: whether the old strip goes.

    Raises:
        UserError: all channels are taken.
    """
    new[OF] = identify(old)
    older = _older_dubs(scene, old, new)
    wider = [dub for dub in older if not _covers(new, dub)]
    channel = _gap_above(scene, wider, new) if wider else 0
    # An older dub that shows more than the new one stays, where the new one has room above it.
    retired = [old, *(dub for dub in older if not channel or dub not in wider)]
    channel = channel or _channel_for(scene, retired, new)
    for strip in retired:
        _relink(scene, strip, new)
        _retire(scene, strip, channel)
    if replace and not put_away.sounds_in(old):
        siblings = strips.children(strips.owner_of(scene, old))
        for strip in (old, *pictures.inputs(old)):
            siblings.remove(strip)
    new.channel = channel


def _older_dubs(scene: bpy.types.Scene, old: Any, new: Any) -> list[Any]:
    return [
        strip
        for strip in strips.children(strips.owner_of(scene, old))
        if strip not in (old, new)
        and strip.get(OF) == new[OF]
        and not strip.mute
        and strips.overlap(strip, new)
    ]


def _covers(one: Any, other: Any) -> bool:
    return strips.left(one) <= strips.left(other) and strips.right(other) <= strips.right(one)


def _gap_above(scene: bpy.types.Scene, lower: list[Any], new: Any) -> int:
    """A channel with room above these strips and below the next picture; 0 for none."""
    floor = max(strip.channel for strip in lower)
    others = strips.children(strips.owner_of(scene, new))
    pictures = [
        strip.channel
        for strip in others
        if strip.type != "SOUND"
        and not put_away.is_away(strip)
        and strip != new
        and strip.channel > floor
        and strips.overlap(strip, new)
    ]
    taken = _taken(scene, new, [new])
    room = range(floor + 1, min([*pictures, MAX_CHANNEL + 1]))
    return next((channel for channel in room if channel not in taken), 0)


def channel_above(scene: bpy.types.Scene, lower: Any, new: Any) -> int:
    """A channel for `new` above `lower` and the dubs of it that are seen.

    It is below what is seen over these where there is room.
    """
    seen = [lower, *_older_dubs(scene, lower, new)]
    floor = max(strip.channel for strip in seen)
    taken = _taken(scene, new, [new]) | set(range(floor + 1))
    return _gap_above(scene, seen, new) or free_channel(taken, floor)


def _channel_for(scene: bpy.types.Scene, retired: list[Any], new: Any) -> int:
    """The channel of the topmost strip that is retired and was seen."""
    old, *older = retired
    seen = [strip.channel for strip in older] + (
        [] if put_away.is_away(old) and older else [_home(old)]
    )
    channel = max(seen)
    taken = _taken(scene, new, [*retired, new])
    return free_channel(taken, channel) if channel in taken else channel


def _home(strip: Any) -> int:
    """Where the strip lies, or lay before a dub that is gone by now took its channel."""
    noted = strip.get(HOME)
    moved = put_away.is_away(strip) and isinstance(noted, int) and 0 < noted <= MAX_CHANNEL
    return int(noted if moved else strip.channel)


def _taken(scene: bpy.types.Scene, strip: Any, but: Iterable[Any]) -> set[int]:
    """Channels in which others lie at the time of the strip."""
    others = strips.children(strips.owner_of(scene, strip))
    return {other.channel for other in others if other not in but and strips.overlap(other, strip)}


def _retire(scene: bpy.types.Scene, strip: Any, channel: int) -> None:
    """Put the strip away (and what it uses), and take it out of the channel."""
    for each in (strip, *pictures.inputs(strip)):
        put_away.hide(each)
    if strip.channel == channel:
        strip[HOME] = channel
        owner = strips.owner_of(scene, strip)
        barred = {i for i, each in enumerate(owner.channels) if each.lock or each.mute}
        strip.channel = free_channel(_taken(scene, strip, [strip]) | barred | {channel}, channel)


def _relink(scene: bpy.types.Scene, old: Any, new: Any) -> None:
    """Effects that use the old strip (a crossfade, say) use the new one from now on."""
    for effect in strips.children(strips.owner_of(scene, old)):
        for name in ("input_1", "input_2"):
            if getattr(effect, name, None) == old:
                setattr(effect, name, new)


def restore(scene: bpy.types.Scene, dub: Any) -> Any:
    """Put the original of a dub back into its place and return it; the dub goes."""
    old, channel = original(scene, dub), dub.channel
    _relink(scene, dub, old)
    strips.children(strips.owner_of(scene, dub)).remove(dub)
    for each in (old, *pictures.inputs(old)):
        put_away.show(each)
    if HOME in old:
        del old[HOME]
    if channel not in _taken(scene, old, [old]):
        old.channel = channel
    return old


def original(scene: bpy.types.Scene, dub: Any) -> Any:
    """The strip, put away, from which a dub was made and whose place it has, or None."""
    noted = dub.get(OF) if dub is not None else None
    if isinstance(noted, str):
        return _put_away_under(scene, dub, lambda strip: strip.get(ID) == noted)
    file = _dubbed_file(dub)
    return _put_away_under(scene, dub, lambda strip: _shows(strip, file)) if file else None


def _put_away_under(scene: bpy.types.Scene, dub: Any, fits: Callable[[Any], bool]) -> Any:
    found = (
        strip
        for strip in strips.children(strips.owner_of(scene, dub))
        if fits(strip) and put_away.is_away(strip) and strips.overlap(strip, dub)
    )
    # Another take of the file may lie there, too: the one that fills the dub's place is meant.
    return min(found, key=lambda strip: _beside(strip, dub), default=None)


def _beside(strip: Any, dub: Any) -> int:
    """Frames by which the ends of two strips are apart."""
    ends = (abs(end(strip) - end(dub)) for end in (strips.left, strips.right))
    return sum(ends)


def _dubbed_file(dub: Any) -> Path | None:
    """The file that was dubbed, of a dub from before originals were marked."""
    job = strips.dubbed_job(dub)
    try:
        return Path(job_folder.read_plan(job_folder.resolve(job))["source"]) if job else None
    except UserError:
        return None


def _shows(strip: Any, file: Path) -> bool:
    """Whether this is no dub, and shows that file."""
    shown = strip.type == "MOVIE" and not strips.dubbed_job(strip)
    return shown and strips.source_path(strip) == file
