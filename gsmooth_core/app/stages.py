"""Single stages from file to file, without a job: what `gsmooth track|predict|mesh` do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core.errors import InputError
from gsmooth_core.job.checks import check_target
from gsmooth_core.job.events import Cancelled, Message, OnEvent, Progress, raise_if
from gsmooth_core.job.job import MOST_FRAMES, MOST_SECONDS
from gsmooth_core.media import probe, read_audio, read_frames, require_speech
from gsmooth_core.media.decode import in_words
from gsmooth_core.storage.arrays import load_expression, load_track, save_expression, save_track
from gsmooth_core.storage.files import cannot_write, same_file
from gsmooth_core.types import FaceTrack

SAMPLE_RATE = 16000


def track(
    video: Path,
    output: Path,
    start: int,
    count: int | None,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """Follow the face of `video` and write the track.

    Raises:
        GSmoothError: no face, or a file that cannot be read or written.
    """
    _check_output(output, ".safetensors")
    found = follow(video, start, count, on_event, cancelled)
    _write(output, lambda: save_track(output, found))
    return {"track": str(output), "frames": len(found), "usable": int(found.usable.sum())}


def follow(
    video: Path, start: int, count: int | None, on_event: OnEvent, cancelled: Cancelled
) -> FaceTrack:
    """The track of a video's face.

    Args:
        video: video or still image.
        start: first frame.
        count: number of frames; None means to the end.
        on_event: told about progress.
        cancelled: asked after every frame.
    """
    _check_count(count)
    clip = probe(video)
    if warning := in_words(clip):
        on_event(Message("warning", warning))
    frames = read_frames(clip, start, count)
    total = clip.frame_count - start if count is None else count
    from gsmooth_core.face.morphable import load_face_model
    from gsmooth_core.tracking import track_face

    part = replace(clip, frame_count=total)
    progress = _progress("track", total, on_event, cancelled)
    return track_face(frames, part, load_face_model(), on_progress=progress)


def predict(
    audio: Path,
    fps: Fraction,
    output: Path,
    count: int | None,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """Turn speech into expression curves and write them.

    Raises:
        GSmoothError: no speech, or a file that cannot be read or written.
    """
    _check_output(output, ".json", ".safetensors")
    _check_count(count, fps)
    samples = require_speech(read_audio(audio, SAMPLE_RATE), f"'{audio.name}'", SAMPLE_RATE)
    total = count or math.ceil(Fraction(len(samples), SAMPLE_RATE) * fps)
    from gsmooth_core.a2ep import predict_expression

    progress = _progress("predict", total, on_event, cancelled)
    curves = predict_expression(samples, total, fps, on_progress=progress)
    _write(output, lambda: save_expression(output, curves))
    return {"expression": str(output), "frames": len(curves), "fps": str(fps)}


def mesh(
    video: Path | None,
    track_path: Path | None,
    expression: Path | None,
    output: Path,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """Write the posed mesh of a video (followed now) or of a track.

    Raises:
        GSmoothError: no face, or a file that cannot be read or written.
    """
    _check_output(output, ".safetensors", ".npz", ".obj")
    if any(given and same_file(given, output) for given in (track_path, expression)):
        text = f"The output '{output.name}' would overwrite its own source."
        raise InputError(text, "Choose another name for the output.")
    if track_path is not None:
        found = load_track(track_path)
    elif video is not None:
        found = follow(video, 0, None, on_event, cancelled)
    else:
        raise InputError("A mesh needs a video or a track.", "Give --video or --track.")
    curves = load_expression(expression) if expression else found.curves
    from gsmooth_core.face.curves import fit_curves
    from gsmooth_core.face.mesh import write_mesh
    from gsmooth_core.face.morphable import load_face_model

    model, curves = load_face_model(), fit_curves(curves, found)
    progress = _progress("mesh", len(found), on_event, cancelled)
    _write(output, lambda: write_mesh(output, model, found, curves, progress))
    return {"mesh": str(output), "frames": len(found)}


def _progress(
    stage: str, total: int, on_event: OnEvent, cancelled: Cancelled
) -> Callable[[int], None]:
    on_event(Progress(stage, 0, total))

    def on_progress(done: int) -> None:
        raise_if(cancelled)
        on_event(Progress(stage, done, total))

    return on_progress


def _check_output(output: Path, *suffixes: str) -> None:
    """Refuse a name that says nothing about its content, or a place, before hours of work."""
    if output.suffix.lower() not in suffixes:
        allowed = " or ".join(suffixes)
        raise InputError(f"'{output.name}' is no name for this.", f"End it in {allowed}.")
    check_target(output)


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
