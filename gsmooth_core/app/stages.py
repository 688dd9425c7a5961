"""Single stages from file to file, without a job: `gsmooth track|predict|curves|mesh`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core.a2ep import PredictSettings, load_a2ep, predict_expression
from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.words import load_recogniser
from gsmooth_core.app.words import proofread
from gsmooth_core.errors import InputError
from gsmooth_core.face.curves import fit_curves, resample
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mesh import write_mesh
from gsmooth_core.job.checks import check_target
from gsmooth_core.job.events import Cancelled, Message, OnEvent, progress
from gsmooth_core.job.job import MOST_FRAMES, MOST_SECONDS
from gsmooth_core.job.seen import untouched
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.speaker import choose
from gsmooth_core.job.tracks import chosen
from gsmooth_core.job.words import heard as heard_words
from gsmooth_core.media import probe, read_audio, read_frames, require_speech
from gsmooth_core.media.pictures.decode import in_words
from gsmooth_core.models.devices import check_device
from gsmooth_core.ranges import Part
from gsmooth_core.storage.arrays import load_expression, load_track, save_expression, save_track
from gsmooth_core.storage.files import cannot_write, same_file
from gsmooth_core.tracking.tracker import build_tracker
from gsmooth_core.types import Expression, FaceTrack

_CURVES = (".json", ".csv", ".safetensors")


def track(
    video: Path,
    output: Path,
    part: Part,
    settings: DubSettings,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """Follow the face of `video` and write the track.

    Args:
        video: video or still image.
        output: track to write.
        part: first frame and number of frames; None means to the end.
        settings: tracker, looks, face model, device and whose face.
        on_event: told about progress.
        cancelled: asked after every frame.

    Raises:
        GSmoothError: no face, or a file that cannot be read or written.
    """
    _check_output(output, ".safetensors")
    found = follow(video, part, settings, on_event, cancelled)
    _write(output, lambda: save_track(output, found))
    why = [asdict(stretch) for stretch in untouched(found)]
    usable = int(found.usable.sum())
    return {"track": str(output), "frames": len(found), "usable": usable, "untouched": why}


def follow(
    video: Path, part: Part, settings: DubSettings, on_event: OnEvent, cancelled: Cancelled
) -> FaceTrack:
    """The track of a video's face; see `track`."""
    start, count = part
    _check_count(count)
    clip = probe(video)
    if warning := in_words(clip):
        on_event(Message("warning", warning))
    frames = read_frames(clip, start, count)
    total = clip.frame_count - start if count is None else count
    check_device(settings.device)
    model = load_face_model(settings.face_model)
    tracker = build_tracker(settings.tracker, model, settings.device, settings.looks)
    people = tracker.follow(frames, progress("track", total, on_event, cancelled))
    person = choose(
        people, settings.face, clip, start, lambda text: on_event(Message("warning", text))
    )
    return tracker.fit(people, person, replace(clip, frame_count=total))


def predict(
    audio: Path,
    fps: Fraction,
    output: Path,
    count: int | None,
    settings: DubSettings,
    on_event: OnEvent,
    cancelled: Cancelled,
    *,
    words: bool = False,
) -> dict[str, Any]:
    """Turn speech into expression curves and write them.

    Args:
        audio: any file with speech.
        fps: rate of the curves.
        output: curves to write.
        count: frames; None means as many as the speech lasts.
        settings: strength, smoothing and model.
        on_event: told about progress.
        cancelled: asked after every block.
        words: whether words are recognised, for the result and for a .json output.

    Raises:
        GSmoothError: no speech, or a file that cannot be read or written; or words are asked for
            and cannot be recognised here.
    """
    _check_output(output, *_CURVES)
    _check_count(count, fps)
    track = chosen(audio, settings.audio_track).index
    heard = read_audio(audio, SAMPLE_RATE, track=track)
    samples = require_speech(heard, f"'{audio.name}'", SAMPLE_RATE)
    total = count or math.ceil(Fraction(len(samples), SAMPLE_RATE) * fps)
    recogniser = load_recogniser() if words else None  # or else it says so before the work
    on_progress, model = progress("predict", total, on_event, cancelled), load_a2ep(settings.a2ep)
    how = PredictSettings(settings.strength, settings.smoothing)
    curves = predict_expression(samples, total, fps, on_progress, how, model)
    beside = {}
    if recogniser:
        beside = proofread(heard_words(samples, on_event, cancelled, recogniser), curves, model)
    _write(output, lambda: save_expression(output, curves, beside))
    return {"expression": str(output), "frames": len(curves), "fps": str(fps), **beside}


def curves(source: Path, output: Path, fps: Fraction | None = None) -> dict[str, Any]:
    """Write curves, or those of a track, in the format that the output's name ends in.

    Args:
        source: curves, a track or a table.
        output: curves to write.
        fps: rate to write; None for their own.

    Raises:
        GSmoothError: no curves, or a file that cannot be read or written.
    """
    _check_output(output, *_CURVES)
    _check_other(output, source)
    found = load_expression(source)
    if fps is not None and fps != found.fps:
        count = max(1, round(len(found) / found.fps * fps))
        _check_count(count, fps)
        found = Expression(found.names, resample(found.values, found.fps, count, fps), fps)
    _write(output, lambda: save_expression(output, found))
    return {"expression": str(output), "frames": len(found), "fps": str(found.fps)}


@dataclass(frozen=True)
class MeshSources:
    """What a mesh is made from.

    Attributes:
        video: video or image to follow the face of, where there is no track.
        track: track to pose the mesh by.
        expression: curves to use instead of the track's.
    """

    video: Path | None = None
    track: Path | None = None
    expression: Path | None = None


def mesh(
    sources: MeshSources,
    output: Path,
    settings: DubSettings,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """Write the posed mesh of a video (followed now) or of a track.

    Raises:
        GSmoothError: no face, or a file that cannot be read or written.
    """
    _check_output(output, ".safetensors", ".npz", ".obj")
    _check_other(output, sources.track, sources.expression)
    if sources.track is not None:
        found = load_track(sources.track)
    elif sources.video is not None:
        found = follow(sources.video, (0, None), settings, on_event, cancelled)
    else:
        raise InputError("A mesh needs a video or a track.", "Give --video or --track.")
    curves = load_expression(sources.expression) if sources.expression else found.curves
    model, curves = load_face_model(settings.face_model), fit_curves(curves, found)
    on_progress = progress("mesh", len(found), on_event, cancelled)
    _write(output, lambda: write_mesh(output, model, found, curves, on_progress))
    return {"mesh": str(output), "frames": len(found)}


def _check_output(output: Path, *suffixes: str) -> None:
    """Refuse a name that says nothing about its content, or a place, before hours of work."""
    if output.suffix.lower() not in suffixes:
        allowed = " or ".join(suffixes)
        raise InputError(f"'{output.name}' is no name for this.", f"End it in {allowed}.")
    check_target(output)


def _check_other(output: Path, *sources: Path | None) -> None:
    """Refuse to write over what is read."""
    if any(given and same_file(given, output) for given in sources):
        text = f"The output '{output.name}' would overwrite its own source."
        raise InputError(text, "Choose another name for the output.")


def _check_count(count: int | None, fps: Fraction | None = None) -> None:
    """Refuse what nobody means: no frame, or more than there are in a day."""
    most = MOST_FRAMES if fps is None else int(MOST_SECONDS * fps)
    if count is not None and not 1 <= count <= most:
        raise InputError(f"{count} frames cannot be made.", f"Ask for 1 to {most}.")


def _write(output: Path, write: Callable[[], object]) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise cannot_write(output, error) from error
