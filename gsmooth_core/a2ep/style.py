"""A person's mouth: its resting shape, its usual shape and its amplitude.

For a new person the paper picks the one-hot vector of any training speaker. Here the person's own
clip says how their lips rest and how widely they move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.a2ep.bounds import bounded
from gsmooth_core.a2ep.lesson import spoken_frames
from gsmooth_core.face.mouth import aperture
from gsmooth_core.types import FaceTrack, Float

AMPLITUDE_RANGE = (0.65, 1.5)  # beyond this a track is noise, or a face that hardly speaks
LEAST_FRAMES = 25  # fewer say nothing of how widely someone moves
HALF_TRUSTED = 40  # frames after which a mean shape counts as much as the shape at rest
PARTS_LIPS = 0.015  # eye distances that a component opens the lips by, from which it counts
REST_SHARE = 0.05  # share of the most closed frames that show the mouth at rest


@dataclass(frozen=True)
class Style:
    """A person's mouth, for E speech-driven components.

    Attributes:
        rest: (E,) expression of the closed, silent mouth.
        amplitude: how widely the mouth moves; 1 is usual.
        mean: (E,) mean expression of the person's clip; None of someone who does not speak in it.
        trust: how far `mean` is this person's usual one, 0..1; one sentence has its own mean.
    """

    rest: Float
    amplitude: float = 1.0
    mean: Float | None = None
    trust: float = 1.0

    def start(self, moved: Float, opening: Float) -> Float:
        """The shape from which speech moves this person's mouth.

        The most closed frames say how the lips meet, but a mouth that closes while it is pursed
        does not rest pursed. So the speech shall have this person's usual shape as its mean; what
        opens the lips stays the nearer to the closed mouth the less was seen of them.

        Args:
            moved: (T, E) the speech's movement from the average speaker's rest.
            opening: (E,) how far each component opens the lips.

        Returns:
            (E,)
        """
        spoken = spoken_frames(moved)
        if self.mean is None or not spoken.any():
            return self.rest
        usual = self.mean - self.amplitude * moved[spoken].mean(axis=0)
        usual = self.trust * usual + (1 - self.trust) * self.rest
        between = self.trust * usual + (1 - self.trust) * self.rest
        return np.where(opening > PARTS_LIPS, between, usual).astype(np.float32)

    def speak(self, moved: Float, opening: Float, strength: float = 1.0) -> Float:
        """(T, E) this person's mouth, 0..1, speaking with the movement `moved` (see `start`)."""
        spoken = self.start(moved, opening) + self.amplitude * strength * moved
        return bounded(spoken, opening)

    @classmethod
    def from_track(
        cls,
        track: FaceTrack,
        names: tuple[str, ...],
        gram: Float,
        opening: Float,
        usual: float,
        usual_rest: Float,
    ) -> Style | None:
        """Estimate a person's style from their clip.

        Args:
            track: the track of the person's clip.
            names: the E components that speech drives.
            gram: (E, E) squared movement of the mouth's vertices (eq. 8's quadratic form).
            opening: (E,) how far each component opens the lips.
            usual: amplitude of the average speaker.
            usual_rest: (E,) resting mouth of the average speaker.

        Returns:
            The style, or None when the track lacks the components or a usable frame.
        """
        if not set(names) <= set(track.expression_names) or not track.usable.any():
            return None
        places = [track.expression_names.index(name) for name in names]
        beta = track.expression[track.usable][:, places]
        gap = openness(track, beta, opening)
        return cls.from_curves(beta, gap, gram, opening, usual, usual_rest)

    @classmethod
    def from_curves(
        cls,
        beta: Float,
        gap: Float,
        gram: Float,
        opening: Float,
        usual: float,
        usual_rest: Float,
    ) -> Style:
        """As `from_track`, from (N, E) expressions and (N,) gaps of the lips; N at least 1."""
        rest = resting(beta, gap)
        if len(beta) < LEAST_FRAMES:
            return cls(closed(rest, usual_rest, opening))
        own = mouth_amplitude(beta, gram) / usual
        if own < AMPLITUDE_RANGE[0] / 2:  # a photograph, or a listener
            return cls(closed(rest, usual_rest, opening))
        trust = len(beta) / (len(beta) + HALF_TRUSTED)
        return cls(rest, float(np.clip(own, *AMPLITUDE_RANGE)), beta.mean(axis=0), trust)


def mouth_amplitude(beta: Float, gram: Float) -> float:
    """Root mean square movement of the mouth around its mean, from (T, E) and (E, E)."""
    moved = beta - beta.mean(axis=0)
    return float(np.sqrt(np.mean(np.einsum("te,ef,tf->t", moved, gram, moved))))


def openness(track: FaceTrack, beta: Float, opening: Float) -> Float:
    """(T,) gap of the lips in the usable frames: as found, or else as `beta` (T, E) says."""
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = aperture(track.landmarks[track.usable])
    return seen if np.isfinite(seen).all() else beta @ opening


def resting(beta: Float, openness: Float) -> Float:
    """(E,) median of `beta` (T, E) over the frames with the least `openness` (T,)."""
    most_closed = openness <= np.quantile(openness, REST_SHARE)
    return np.median(beta[most_closed], axis=0).astype(np.float32)  # type: ignore[no-any-return]


def closed(rest: Float, usual_rest: Float, opening: Float) -> Float:
    """A resting mouth whose lips part no further than usual; a smile stays a smile.

    Someone photographed with parted lips never shows where their lips meet, and a mouth that
    never shuts does not speak.
    """
    parts_lips = opening > PARTS_LIPS
    return np.where(parts_lips, np.minimum(rest, usual_rest), rest)
