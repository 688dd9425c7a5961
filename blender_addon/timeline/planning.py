"""From strips to a job: which frames, which seconds, and where the result will belong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from ..errors import UserError
from . import following, obstacles, pictures, selection, strips, voices
from .plan import Plan, Speech
from .timing import Cut, Span, around, mixed_cut, picture_span, speech_cut

_PREVIEW = 2  # seconds


def make_plan(
    scene: bpy.types.Scene,
    chosen: selection.Selection,
    length: str = "trim",
    frame: int | None = None,
) -> Plan:
    """Work out frames and seconds of a dub.

    Args:
        scene: whose strips they are.
        chosen: the strips.
        length: the setting of that name; but for "trim" the speech is heard to its end.
        frame: scene frame around which two seconds are dubbed; None for the whole strip.

    Raises:
        UserError: the strips cannot be dubbed as they are.
    """
    obstacles.check_files(chosen)
    video, voice, rate = chosen.picture, chosen.speech, strips.scene_rate(scene)
    span, to_end, rendered = _picture(scene, video)
    if frame is not None:
        span, to_end = _part(span, frame, rate, strips.is_still(video) or rendered), False
    whole = length != "trim" and video.type != "IMAGE"
    tag = following.mark(video, voice)
    return Plan(
        scene=scene.name,
        picture=video.name,
        source="" if rendered else str(strips.source_path(video)),
        left=strips.left(video),
        right=strips.right(video),
        span=span,
        to_end=to_end,
        rate=f"{rate.numerator}/{rate.denominator}",
        anchor=strips.first_source_frame(video),
        tag=tag,
        files=pictures.files(video),
        rendered=rendered,
        still=strips.is_still(video) and not rendered,
        speeches=_speeches(chosen.speeches, span, tag),
        **_spoken(scene, voice, span, whole),
    )


def _spoken(scene: bpy.types.Scene, voice: Any, span: Span, whole: bool) -> dict[str, Any]:
    """What a plan knows of the one speech; `whole` hears it to its end."""
    if voice is None:
        return {"speech": "", "sound": "", "cut": None, "mixed": False}
    mixed = _is_mixed(scene, voice)
    return {
        "speech": voice.name,
        "sound": "" if mixed else str(strips.source_path(voice)),
        "cut": _cut(scene, voice, span, mixed, whole),
        "mixed": mixed,
    }


def _speeches(given: tuple[tuple[int, Any], ...], span: Span, tag: str) -> tuple[Speech, ...]:
    """What each of several people says in the span; who says nothing there is left out."""
    heard = [
        (number, strip)
        for number, strip in given
        if strips.left(strip) < span.first + span.count and span.first < strips.right(strip)
    ]
    if given and not heard:
        raise UserError(obstacles.NO_SPEECH_OVERLAPS)
    for number, strip in heard:
        strip[following.TAG] = following.voice_tag(tag, number)
    return tuple(Speech(number, strip.name) for number, strip in heard)


def _part(span: Span, frame: int, rate: Fraction, from_zero: bool) -> Span:
    """The seconds of a span around a frame; a file of their own, or a still, begins with them."""
    part = around(span, frame, round(_PREVIEW * rate))
    return replace(part, source=0) if from_zero else part


def _is_mixed(scene: bpy.types.Scene, voice: Any) -> bool:
    return bool(voices.why_mixed(voice)) or voices.at_another_speed(scene, voice)


def _cut(scene: bpy.types.Scene, voice: Any, span: Span, mixed: bool, whole: bool) -> Cut:
    """The part of the speech that is heard over the span; mixed, it is a file of its own."""
    rate, offset = strips.scene_rate(scene), getattr(voice, "sound_offset", 0.0)
    where = strips.placement(voice)
    if mixed:
        return mixed_cut(span, where, rate, whole)
    return speech_cut(span, where, offset, rate, whole)


def _picture(scene: bpy.types.Scene, video: Any) -> tuple[Span, bool, bool]:
    """Frames that are dubbed, whether they reach the file's end, whether they must be rendered."""
    where, still = strips.placement(video), strips.is_still(video)
    rendered, length = bool(pictures.why_rendered(video)), 0
    if not rendered and not still:
        length = _file_length(strips.source_path(video))
        rendered = pictures.at_adjusted_rate(scene, video, length)
    if rendered:
        return Span(where.left, where.right - where.left, 0), False, True
    span = picture_span(where, still)
    return span, not still and span.source + span.count >= length, False


def job_of(
    planned: Plan, settings: dict[str, Any], moves: dict[str, Any] | None = None, like: str = ""
) -> dict[str, Any]:
    """The job file's content (without its output, which depends on the job's folder).

    Args:
        planned: its plan.
        settings: how it is done.
        moves: how a photo moves; of no account where the strip is none.
        like: a video as which the dub is coded; "" for the source.
    """
    cut = planned.cut
    job = {
        "kind": "gsmooth-job",
        "version": 1,
        "video": planned.source,
        "start_frame": planned.span.source,
        # Blender's count of a file's frames is an estimate; the worker decodes them.
        "frame_count": None if planned.to_end else planned.span.count,
        "fps": planned.rate,
        "audio": planned.sound or None,
        "audio_start": cut.start if cut else 0.0,
        "audio_duration": cut.duration if cut else None,
        "audio_delay": cut.delay if cut else 0.0,
        "expression": None,
        "settings": settings,
    }
    if planned.speeches:  # each names a person, and begins with the picture
        job["speech"] = {str(said.number): said.sound for said in planned.speeches}
        job["settings"] = settings | {"face": "largest", "length": "trim"}
    job |= {"copy_look_of": like} if like else {}
    return job | ({"animate": moves} if moves and planned.still else {})


def _file_length(path: Path) -> int:
    """Frames of a movie file, as a strip counts them: read through a scene of its own."""
    with strips.probing() as (_scene, timeline):
        return strips.placement(timeline.new_movie("probe", str(path), 1, 1)).length
