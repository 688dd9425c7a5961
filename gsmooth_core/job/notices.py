"""What a job's output will not have as its source has it, and what else is said beforehand."""

from __future__ import annotations

from gsmooth_core.job.events import Message, Notice
from gsmooth_core.job.job import Job
from gsmooth_core.job.source import Source
from gsmooth_core.job.tracks import own_track, speech_track
from gsmooth_core.media import Sound, container_for
from gsmooth_core.media.encoding.encode import kept_by
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.losses import Loss, picture_losses, timing_losses
from gsmooth_core.media.joining.carry import Carried, plan, tags_fit
from gsmooth_core.media.joining.sound_grid import refusal
from gsmooth_core.media.joining.sound_rate import track_rate
from gsmooth_core.media.reading.description import describe
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.media.reading.still import is_still, is_transparent


def carried_by(source: Source, *, mixed: bool = False) -> Carried | None:
    """The source of a job, as what its output takes streams from; None for a still picture.

    Args:
        source: of the job.
        mixed: whether the speeches of several people make the new sound.
    """
    clip = source.clip
    if clip.still:
        return None
    kept = source.keeps_own_sound and not mixed and takes_streams(source)
    replaced = None if kept or not clip.has_audio else clip.sound_track
    return Carried(clip.path, source.first, clip.fps, replaced, source.in_step)


def along(source: Source, mixed: Sound | None) -> tuple[Sound | None, Carried | None]:
    """What goes into a job's output beside the pictures.

    Args:
        source: of the job.
        mixed: the speeches of several people, where they make the new sound.

    Returns:
        the sound that is laid under the pictures, where none is taken over as it is; and the
        source, as what streams are taken from.
    """
    carried = carried_by(source, mixed=mixed is not None)
    own = source.keeps_own_sound and carried is not None and takes_streams(source)
    return source.laid(mixed) if mixed else (None if own else source.sound()), carried


def takes_streams(source: Source) -> bool:
    """Whether the source's own sounds can be taken over packet by packet."""
    return source.in_step and bool(container_for(source.job.output).video)


def wish_of(job: Job) -> Wish:
    """What a job says about the coding of its pictures."""
    names = ("codec", "quality", "depth", "crf", "preset", "intra")
    return Wish(**{name: getattr(job.settings, name) for name in names}, like=job.copy_look_of)


def notices(source: Source) -> list[Notice]:
    """Every loss, before the work begins.

    Raises:
        MediaError: the source cannot be read.
    """
    job, read = source.job, probe_source(source.clip.path)
    mixed = bool(job.speech) and not job.settings.keep_source_audio
    carried = carried_by(source, mixed=mixed)
    losses = picture_losses(read.picture, kept_by(job.output, read, wish_of(job)))
    if source.clip.still:  # every photo has colour in full, and nobody keys a video of it
        losses = [loss for loss in losses if loss.what != "chroma"]
    losses += [] if source.clip.paced else timing_losses(read.timing)
    if source.clip.still and is_still(source.clip.path) and is_transparent(source.clip.path):
        losses.append(Loss("alpha", "The photo's transparency is left out."))
    losses += _recoded(source, carried)
    if carried is not None:
        losses += plan(carried, container_for(job.output).muxer).losses
    return [Notice(loss.what, loss.text) for loss in losses]


def _recoded(source: Source, carried: Carried | None) -> list[Loss]:
    """That the source's own sound track is coded anew because the speech is laid into it."""
    sounds = describe(source.clip.path).sounds if source.clip.has_audio else ()
    if source.length == source.count or source.keeps_own_sound or not sounds:
        return []
    track, container = source.clip.sound_track, container_for(source.job.output)
    speech = speech_track(source.job).index
    given = [(source.job.audio, speech)] if source.job.audio else []
    why = refusal(source.clip.path, track, container.muxer, track_rate(given, carried))
    if not why or sounds[track].coding.startswith("pcm_"):
        return []
    text = f"Sound track {track + 1} is coded anew as a whole, for the speech in it: {why}."
    return [Loss("sound", text)]


def choices(source: Source) -> list[Message]:
    """Which sound tracks were chosen, where there was a choice, and what the new one is called."""
    said = [speech_track(source.job).said]
    if not source.clip.still:
        said += [own_track(source.job).said, _language(source)]
    return [Message("info", text) for text in dict.fromkeys(said) if text]


def _language(source: Source) -> str:
    """That the new sound is tagged with the language of the one it replaces, or ""."""
    job, carried = source.job, carried_by(source)
    if job.audio is None or carried is None or not container_for(job.output).video:
        return ""
    index, track = carried.replaced_stream, speech_track(job).index
    if index is None or not tags_fit(carried, job.audio, track):
        return ""
    language = describe(carried.path).streams[index].language
    if language in ("", "und") or describe(job.audio).sounds[track].language == language:
        return ""
    return f"The new sound track is tagged '{language}', as the one whose place it takes."
