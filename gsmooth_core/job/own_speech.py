"""What the clip's own speech teaches about its person, where lips and sound belong together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep import A2EP, PredictSettings, predict_expression
from gsmooth_core.a2ep.manner import Lesson
from gsmooth_core.a2ep.manner_choice import FEWEST, Mouths, choose_manner
from gsmooth_core.a2ep.manner_file import Taught
from gsmooth_core.a2ep.style import openness
from gsmooth_core.errors import NoFaceError, NoSpeechError
from gsmooth_core.job.source import SAMPLE_RATE, Source, heard
from gsmooth_core.media import read_audio, require_speech
from gsmooth_core.sync import measure_sync
from gsmooth_core.sync.offset import SyncResult
from gsmooth_core.types import Bool, FaceTrack, Float

MOST_LATE = 0.3  # seconds that the sound may be off: beyond it, chance is too likely
SURE = 1.6  # times the usual threshold that the fit of lips and sound must reach
_WHOLE = PredictSettings(bounded=False)


def own_speech(source: Source, track: FaceTrack, model: A2EP) -> Taught:
    """Learn how the person of a clip speaks, from the clip.

    Args:
        source: the clip.
        track: the person's face in all its frames.
        model: the one that will be listened with.
    """
    if not set(model.names) <= set(track.expression_names):
        return _not("the face model has other expressions")
    if not source.clip.has_audio:
        return _not("the clip has no sound of its own")
    try:
        audio = _own_sound(source)
        sync = measure_sync(track, source.clip.fps, audio)
    except (NoSpeechError, NoFaceError) as error:
        return _not(error.message[:1].lower() + error.message[1:].rstrip("."))
    if why := _out_of_step(sync):
        return _not(why)
    return learned_from(track, audio, source.clip.fps, sync, model)


def learned_from(
    track: FaceTrack, audio: Float, fps: Fraction, sync: SyncResult, model: A2EP
) -> Taught:
    """What a track and its sound (S,) teach, the sound's lateness taken out."""
    seconds = float(len(track) / fps)
    aligned = heard(audio, sync.offset_seconds, None, 0.0, seconds)
    lesson = _lesson(track, aligned, fps, _in_step(sync, len(track), float(fps)), model)
    learned = choose_manner(lesson, Mouths.of(model))
    if learned.manner:
        return Taught(
            f"Speaks like this person: learned from {learned.seconds:.0f} s of their own speech "
            f"({learned.gain:.0%} closer on held-back stretches).",
            learned.manner,
        )
    if learned.seconds * 25 < FEWEST:
        return _not(f"only {learned.seconds:.1f} s of their own speech is seen and heard")
    return _not("held-back stretches of their own speech do not bear it out")


def _own_sound(source: Source) -> Float:
    """(S,) the clip's own sound while the picture is shown."""
    fps = source.clip.fps
    start, seconds = float(source.job.start_frame / fps), float(source.count / fps)
    audio = read_audio(source.job.video, SAMPLE_RATE, start, seconds, source.clip.sound_track)
    return require_speech(audio, "the clip's own sound")


def _out_of_step(sync: SyncResult) -> str:
    """Why lips and sound cannot teach; empty where they can."""
    if sync.confidence <= SURE * sync.threshold:
        return "lips and sound of the clip do not clearly belong together"
    if abs(sync.offset_seconds) > MOST_LATE:
        return f"the clip's sound is {abs(sync.offset_seconds):.1f} s off"
    return ""


def _in_step(sync: SyncResult, count: int, fps: float) -> Bool:
    """(T,) frames in whose second lips and sound agree: elsewhere someone else may speak."""
    second = (np.arange(count) / fps).astype(int)
    agrees = np.nan_to_num(sync.per_second, nan=-1.0) > 0
    return agrees[np.clip(second, 0, len(agrees) - 1)]  # type: ignore[no-any-return]


def _lesson(track: FaceTrack, audio: Float, fps: Fraction, agrees: Bool, model: A2EP) -> Lesson:
    said = predict_expression(audio, len(track), fps, settings=_WHOLE, model=model)
    moved = said.values[:, [said.names.index(name) for name in model.names]] - model.array("rest")
    shown = track.expression[:, [track.expression_names.index(name) for name in model.names]]
    apart = np.zeros(len(track), np.float32)
    usable = track.usable
    apart[usable] = openness(track, shown[usable], model.array("opening"))
    return Lesson(moved, shown, usable & agrees, apart, float(fps))


def _not(why: str) -> Taught:
    return Taught(f"Speaks like the average person: {why}.")
