"""Predicted speech on a tracked person: their eyes, brows and rest, the speech's mouth."""

from __future__ import annotations

from typing import Protocol

from gsmooth_core.a2ep.curves import smooth_curves
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.lesson import sounds_of
from gsmooth_core.a2ep.load import load_a2ep
from gsmooth_core.a2ep.manner import Manner
from gsmooth_core.a2ep.style import Style
from gsmooth_core.errors import InputError, NoFaceError
from gsmooth_core.types import Expression, FaceTrack, Float


class MergeSettings(Protocol):
    """What merging reads of the job's settings."""

    @property
    def strength(self) -> float:
        """How far the mouth moves; 1 as predicted."""
        ...

    @property
    def smoothing(self) -> float:
        """0 as predicted, 1 very calm."""
        ...


def style_of(track: FaceTrack, model: SpeechModel) -> Style | None:
    """The style of the tracked person in the components of `model`."""
    return Style.from_track(
        track.only(track.new),  # a held picture says no more than one
        model.names,
        model.array("gram"),
        model.array("opening"),
        float(model.array("usual")),
        model.array("rest"),
    )


def settled(manner: Manner, track: FaceTrack, model: SpeechModel) -> Manner:
    """A manner from other clips, on the mouth of this track (see `Mouths.settled`)."""
    style = style_of(track, model)
    if style is None:
        return manner
    opening = model.array("opening")
    mean = style.speak(manner.usual[None], opening)[0]
    return manner.settled(mean, float(style.rest @ opening))


def merge_expression(
    track: FaceTrack,
    predicted: Expression,
    settings: MergeSettings,
    model: SpeechModel | None = None,
    manner: Manner | None = None,
    heard: Float | None = None,
) -> Expression:
    """Put predicted speech on the tracked person.

    The speech-driven components leave from this person's own mouth (`Style.start`) and move as
    widely as theirs does; all others (eyes, brows, nose, cheeks) stay as tracked.

    Args:
        track: the target clip's, T frames.
        predicted: what `predict_expression` gave, T frames; unbounded, so that movement which the
            average mouth has no room for is not lost to this one.
        settings: strength and smoothing.
        model: the one that predicted; None is the shipped one.
        manner: how this person speaks, learned with the same model; None where it is not known.
        heard: (T, H) of `predict_speech`, with which a manner is more exact.

    Returns:
        (T, E) curves with the track's names, 0..1.

    Raises:
        NoFaceError: no frame has a usable face.
        InputError: the lengths differ, or the track belongs to a face model that the predicted
            components do not fit.
    """
    if len(predicted) != len(track):
        raise InputError(
            f"The speech's curves have {len(predicted)} frames, the clip has {len(track)}.",
            "Predict them for the clip's length.",
        )
    if not track.usable.any():
        raise NoFaceError(
            "No frame shows the face well enough to give it a new mouth.",
            "Choose frames in which it is larger, or seen from the front.",
        )
    model = model or load_a2ep()
    style = style_of(track, model)
    if style is None:
        raise InputError(
            f"The expressions of '{track.model}' are not those the speech model predicts.",
            "Track the clip with the default face model.",
        )
    source = [predicted.names.index(name) for name in model.names]
    target = [track.expression_names.index(name) for name in model.names]
    moved = predicted.values[:, source] - model.array("rest")
    moved = smooth_curves(moved, settings.smoothing, track.fps)
    values = track.expression.copy()
    opening, strength = model.array("opening"), settings.strength
    if manner:
        sounds = None if heard is None else sounds_of(heard, moved, float(track.fps))
        values[:, target] = manner.at(float(track.fps)).speak(moved, opening, strength, sounds)
    else:
        values[:, target] = style.speak(moved, opening, strength)
    return Expression(track.expression_names, values, track.fps)
