"""A person's way of speaking as a file: what `gsmooth style` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.manner_choice import Mouths
from gsmooth_core.a2ep.manner_file import save_style
from gsmooth_core.errors import InputError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.checks import TEACH_HINT, check_target, teacher
from gsmooth_core.job.events import Cancelled, OnEvent
from gsmooth_core.job.own_speech import Listened, taught_by
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.teaching import Listeners, told
from gsmooth_core.models.devices import check_device


def alike(heard: Sequence[Listened], mouths: Mouths) -> list[Listened]:
    """The clips' lessons, with the mouth where it lies in the first of them."""
    first = next((clip.lesson for clip in heard if clip.lesson and clip.lesson.usable.any()), None)
    if first is None:
        return list(heard)
    plain = mouths.style(first)
    return [clip if clip.lesson is first else clip.settled(plain, mouths) for clip in heard]


def style(
    videos: Sequence[Path],
    output: Path,
    settings: DubSettings,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """Learn how a person speaks and write it, for other pictures of the same person.

    Args:
        videos: clips in which the person speaks with their own sound.
        output: style file to write.
        settings: models, tracker and device.
        on_event: told about progress and about clips that teach nothing.
        cancelled: asked after every frame.

    Raises:
        InputError: nothing could be learned, or the output is no place for a file.
        GSmoothError: a clip cannot be read, or shows nobody.
    """
    if output.suffix.lower() != ".safetensors":
        raise InputError(
            f"'{output.name}' is no style file.", "Name one that ends in .safetensors."
        )
    check_target(output)
    for video in videos:
        teacher(video)
    check_device(settings.device)
    a2ep, face_model = load_a2ep(settings.a2ep), load_face_model(settings.face_model)
    listeners = Listeners(face_model, a2ep, settings, on_event, cancelled)
    heard = [listeners.hear(video) for video in videos]
    taught = taught_by(alike(heard, Mouths.of(a2ep)), a2ep)
    told(taught, on_event)
    if taught.manner is None:
        raise InputError("No style was written.", TEACH_HINT)
    save_style(output, taught.manner, a2ep)
    clips = [
        {"video": str(video), "taught": clip.lesson is not None, "why": clip.why}
        for video, clip in zip(videos, heard, strict=True)
    ]
    return {"style": str(output), "said": taught.said, "clips": clips}
