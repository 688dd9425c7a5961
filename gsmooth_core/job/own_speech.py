"""What clips teach about the speech of the person in them, where lips and sound belong together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep import PredictSettings, SpeechModel
from gsmooth_core.a2ep.lesson import Lesson, joined, sounds_of
from gsmooth_core.a2ep.manner_choice import FEWEST, Mouths, choose_manner
from gsmooth_core.a2ep.manner_file import Taught
from gsmooth_core.a2ep.mel import BLOCK, SAMPLE_RATE
from gsmooth_core.a2ep.predict import Spoken, predict_speech
from gsmooth_core.a2ep.style import Style, openness
from gsmooth_core.errors import NoFaceError, NoSpeechError
from gsmooth_core.face.curves import resample
from gsmooth_core.job.source import Source
from gsmooth_core.media import read_audio, require_speech
from gsmooth_core.sync import load_sync_expert, measure_sync
from gsmooth_core.sync.expert import OwnExpert
from gsmooth_core.sync.offset import SyncResult
from gsmooth_core.sync.sound import hears_with
from gsmooth_core.types import Bool, FaceTrack, Float

MOST_LATE = 0.3  # seconds that the sound may be off: beyond it, chance is too likely
SURE = 1.6  # times the usual threshold that the fit of lips and sound must reach
_WHOLE = PredictSettings(bounded=False)
_RATE = Fraction(25)  # of the model


@dataclass(frozen=True)
class Listened:
    """What one clip has to teach.

    Attributes:
        name: of its file.
        lesson: None where it teaches nothing.
        why: it does not, in words.
        heard: (T, H) what is heard in each of its frames, see `Taught`.
    """

    name: str
    lesson: Lesson | None
    why: str = ""
    heard: Float | None = None

    def settled(self, style: Style, mouths: Mouths) -> Listened:
        """The same, its mouth moved to where it lies in the clip of `style`."""
        return replace(self, lesson=self.lesson and mouths.settled(self.lesson, style))


def own_speech(source: Source, track: FaceTrack, model: SpeechModel) -> Taught:
    """Learn how the person of a clip speaks, from the clip; see `listen`."""
    own = listen(source, track, model)
    return replace(taught_by([own], model), heard=own.heard)


def listen(source: Source, track: FaceTrack, model: SpeechModel) -> Listened:
    """Listen to the speech of a clip, where lips and sound belong together.

    Args:
        source: the clip.
        track: the person's face in all its frames.
        model: the one that listens.
    """
    name, fps = source.clip.path.name, source.clip.fps
    if not set(model.names) <= set(track.expression_names):
        return Listened(name, None, "the face model has other expressions")
    if not source.clip.has_audio:
        return Listened(name, None, "the clip has no sound of its own")
    try:
        audio = _own_sound(source)
        spoken = _spoken(audio, model)
        sync = measure_sync(track, fps, audio, sound=_embedded(spoken, model))
    except (NoSpeechError, NoFaceError) as error:
        return Listened(name, None, error.message[:1].lower() + error.message[1:].rstrip("."))
    if why := _out_of_step(sync):
        return Listened(name, None, why)
    agrees = _in_step(sync, len(track), float(fps))
    heard = resample(spoken.heard, _RATE, len(track), fps, sync.offset_seconds)
    lesson = _lesson(track, spoken, heard, agrees, fps, sync.offset_seconds, model)
    return Listened(name, lesson, heard=np.where(agrees[:, None], heard, np.float32(np.nan)))


def taught_by(clips: Sequence[Listened], model: SpeechModel) -> Taught:
    """What clips of one person teach together.

    Args:
        clips: at least one.
        model: the one that listened.
    """
    lessons = [clip.lesson for clip in clips if clip.lesson]
    alone = len(clips) == 1
    refused = () if alone else tuple(f"'{c.name}': {c.why}." for c in clips if not c.lesson)
    if not lessons:
        return _not(clips[0].why if alone else "no clip shows how this person speaks", refused)
    learned = choose_manner(joined(lessons), Mouths.of(model))
    clips_in_words = "" if alone else f" in {len(lessons)} of {len(clips)} clips"
    if learned.manner:
        return Taught(
            f"Speaks like this person: learned from {learned.seconds:.0f} s of their own speech"
            f"{clips_in_words} ({learned.gain:.0%} closer on held-back stretches).",
            learned.manner,
            refused,
        )
    if learned.seconds * 25 < FEWEST:
        return _not(f"only {learned.seconds:.1f} s of their own speech is seen and heard", refused)
    return _not("what one part of their own speech teaches does not fit the rest", refused)


def _spoken(audio: Float, model: SpeechModel) -> Spoken:
    """What the average person says with (S,) samples, at the model's own rate."""
    count = max(1, math.ceil(len(audio) / BLOCK))
    return predict_speech(
        audio, count, _RATE, settings=_WHOLE, model=model, keep_features=hears_with(model)
    )


def _embedded(spoken: Spoken, model: SpeechModel) -> Float | None:
    """The sound as the sync expert has it, so that it is not encoded twice; None if it has to."""
    expert = load_sync_expert()
    if spoken.features is None or not isinstance(expert, OwnExpert) or not hears_with(model):
        return None
    return expert.embed_features(spoken.features)


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


def _lesson(
    track: FaceTrack,
    spoken: Spoken,
    heard: Float,
    agrees: Bool,
    fps: Fraction,
    late: float,
    model: SpeechModel,
) -> Lesson:
    """The lesson of a track and its sound, whose lateness is taken out of `heard` (T, H)."""
    said = spoken.curves
    moved = said.values[:, [said.names.index(name) for name in model.names]] - model.array("rest")
    shown = track.expression[:, [track.expression_names.index(name) for name in model.names]]
    apart = np.zeros(len(track), np.float32)
    usable = track.usable
    apart[usable] = openness(track, shown[usable], model.array("opening"))
    moved = resample(moved, _RATE, len(track), fps, late)
    sounds = sounds_of(heard, moved, float(fps))
    return Lesson(moved, shown, usable & agrees, apart, float(fps), sounds)


def _not(why: str, refused: tuple[str, ...] = ()) -> Taught:
    return Taught(
        f"The mouth moves as an average person's would, since {why}: that is no fault. A clip in "
        "which this person is seen and clearly heard would teach how they speak.",
        None,
        refused,
    )
