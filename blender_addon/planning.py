"""From strips to a job: which frames, which seconds, and where the result will belong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy

from . import selection, strips
from .errors import UserError
from .plan import Plan
from .timing import picture_span, speech_cut


def make_plan(scene: bpy.types.Scene, chosen: selection.Selection) -> Plan:
    """Work out frames and seconds of a dub.

    Raises:
        UserError: the strips cannot be dubbed as they are.
    """
    _check(scene, chosen)
    video, voice, rate = chosen.picture, chosen.speech, strips.scene_rate(scene)
    still = video.type == "IMAGE"
    span = picture_span(strips.placement(video), still)
    length = 0 if still else _file_length(strips.source_path(video))
    if not still:
        _check_rate(scene, video, length)
    cut = None
    if voice is not None:
        offset, whole = getattr(voice, "sound_offset", 0.0), selection.goes_on(scene, video)
        cut = speech_cut(span, strips.placement(voice), offset, rate, whole)
    return Plan(
        scene=scene.name,
        picture=video.name,
        speech=voice.name if voice else "",
        source=str(strips.source_path(video)),
        sound=str(strips.source_path(voice)) if voice else "",
        left=strips.left(video),
        right=strips.right(video),
        span=span,
        to_end=not still and span.source + span.count >= length,
        cut=cut,
        rate=f"{rate.numerator}/{rate.denominator}",
    )


def job_of(planned: Plan, settings: dict[str, Any]) -> dict[str, Any]:
    """The job file's content (without its output, which depends on the job's folder)."""
    cut = planned.cut
    return {
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


def _check(scene: bpy.types.Scene, chosen: selection.Selection) -> None:
    problem = selection.obstacle(scene, chosen.picture) or selection.speech_obstacle(chosen.speech)
    if problem:
        raise UserError(problem)
    for strip in (chosen.picture, chosen.speech):
        # Path.is_file raises for a name that no disk takes.
        if strip is not None and not os.path.isfile(strips.source_path(strip)):  # noqa: PTH113
            raise UserError(
                f"The file of '{strip.name}' is missing: '{strips.source_path(strip)}'. "
                "Find it with File > External Data, or relink the strip."
            )


def _check_rate(scene: bpy.types.Scene, strip: Any, file_length: int) -> None:
    trimmed = strips.value_of(strip, "content_trim_end", "animation_offset_end")
    where = strips.placement(strip)
    if abs(where.length + where.trim + trimmed - file_length) > 1:
        raise UserError(
            f"'{strip.name}' plays at an adjusted rate: {strip.fps:g} fps in a scene of "
            f"{float(strips.scene_rate(scene)):g} fps. Set the scene to {strip.fps:g} fps and add "
            "the clip again, or add it with 'Adjust Playback Rate' switched off."
        )


def _file_length(path: Path) -> int:
    """Frames of a movie file, as a strip counts them: read through a scene of its own."""
    scene = bpy.data.scenes.new("GSmooth probe")
    try:
        timeline = strips.children(scene.sequence_editor_create())
        return strips.placement(timeline.new_movie("probe", str(path), 1, 1)).length
    finally:
        bpy.data.scenes.remove(scene)
