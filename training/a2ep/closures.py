"""Whether lips meet where speech shuts them: on aligned p, b and m, and never on open vowels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep import PredictSettings, SpeechModel, merge_expression, predict_expression
from gsmooth_core.a2ep.closures import SHUT
from gsmooth_core.types import Bool, FaceTrack, Float
from training.a2ep.align import Phone
from training.a2ep.data import Utterance, at_times, driven_curves, frame_times
from training.a2ep.face import SpeechFace

FPS = Fraction(25)
BILABIALS = frozenset({"P", "B", "M"})
OPEN_VOWELS = frozenset({"AA", "AE", "AO", "AW", "AY"})
SLACK = 0.04  # seconds that lips may meet before and after the phone
FEWEST_SHUT = 3  # frames that show where the lips meet


@dataclass
class Closures:
    """Counts over phones.

    Attributes:
        bilabials: p, b and m in sight.
        truth: of these, those where the true lips meet.
        met: of these, those where the predicted lips meet as well.
        vowels: open vowels in sight, where the true lips stay apart.
        false: of these, those where the predicted lips meet.
        depths: predicted aperture over the 95th percentile, for each of `truth`.
    """

    bilabials: int = 0
    truth: int = 0
    met: int = 0
    vowels: int = 0
    false: int = 0
    depths: list[float] = field(default_factory=list)

    def add(self, other: Closures) -> None:
        """Count the phones of another clip as well."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def summary(self) -> dict[str, float]:
        """Counts and shares."""
        counts = {k: float(v) for k, v in asdict(self).items() if k != "depths"}
        return counts | {
            "met_share": self.met / max(self.truth, 1),
            "false_share": self.false / max(self.vowels, 1),
        }

    def row(self) -> str:
        """One line for a person."""
        return (
            f"{self.truth} of {self.bilabials} p, b, m shut; followed "
            f"{self.met / max(self.truth, 1):.2f}; "
            f"false on {self.vowels} open vowels {self.false / max(self.vowels, 1):.2f}"
        )


class ApertureMeter:
    """Aperture of a person's mesh as a share of its 95th percentile, zero where lips touch.

    A mesh's inner lip points never coincide: where a picture's lips meet, the mesh still shows a
    small gap, which differs between people. The clip itself says how large it is.
    """

    def __init__(self, face: SpeechFace, mesh: Float, seen: Float) -> None:
        """Take (T,) apertures of the tracked mesh and of the landmarks in the picture."""
        shut = seen < SHUT * np.percentile(seen, 95)
        enough = shut.sum() >= FEWEST_SHUT
        self.face = face
        self.contact = float(np.median(mesh[shut]) if enough else mesh.min())
        self.usual = float(np.percentile(mesh, 95)) - self.contact

    def read(self, beta: Float) -> Float:
        """(T, E) -> (T,) share of the person's 95th percentile."""
        return (self.face.aperture(beta) - self.contact) / self.usual


def frames_of(phone: Phone, slack: float) -> slice:
    """Frames whose middle lies within the phone, `slack` seconds wider on both sides."""
    first = int(np.ceil((phone.start - slack) * FPS - 0.5))
    last = int(np.floor((phone.end + slack) * FPS - 0.5))
    return slice(max(first, 0), max(last + 1, first + 1, 1))


def middle_of(phone: Phone) -> slice:
    """The frames of the middle half of a phone; one at least."""
    quarter = (phone.end - phone.start) / 4
    return frames_of(phone, -quarter)


def count_closures(phones: Sequence[Phone], made: Float, true: Float, valid: Bool) -> Closures:
    """Compare (T,) apertures as shares of a person's 95th percentile, phone by phone."""
    found = Closures()
    for phone in phones:
        place = frames_of(phone, SLACK) if phone.name in BILABIALS else middle_of(phone)
        if len(valid[place]) == 0 or not valid[place].all():
            continue
        if phone.name in BILABIALS:
            found.bilabials += 1
            if true[place].min() < SHUT:
                found.truth += 1
                found.met += int(made[place].min() < SHUT)
                found.depths.append(float(made[place].min()))
        elif phone.name in OPEN_VOWELS and true[place].min() >= SHUT:
            found.vowels += 1
            found.false += int(made[place].min() < SHUT)
    return found


def closures_of(
    model: SpeechModel,
    face: SpeechFace,
    clip: Utterance,
    track: FaceTrack,
    audio: Float,
    phones: Sequence[Phone],
) -> Closures:
    """Closures of the curves that the product gives to the person of a clip."""
    curves = driven_curves(track, face.names)
    valid = clip.takes[0].valid
    meter = ApertureMeter(face, face.aperture(clip.truth[valid]), clip.seen[valid])
    whole = PredictSettings(bounded=False)
    predicted = predict_expression(audio, len(track), track.fps, settings=whole, model=model)
    merged = merge_expression(track, predicted, whole, model)
    places = [merged.names.index(name) for name in face.names]
    everywhere = np.ones(len(curves), bool)
    made, _ = at_times(
        merged.values[:, places], everywhere, float(track.fps), frame_times(len(clip.truth))
    )
    return count_closures(phones, meter.read(made), meter.read(clip.truth), valid)
