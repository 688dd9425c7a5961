"""What the figures of a dubbed shot say about it, in words, before it is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gsmooth_core.evaluation.metrics.figures import Figures, shown

GOOD, FAIR, POOR = "good", "fair", "poor"

LIMITS: dict[str, tuple[float, float]] = {
    "detail": (0.18, 1.0),  # energy: up to .85 or 1.18, and to half or twice
    "seam": (0.05, 0.12),  # away from 1
    "jerk": (1.1, 1.4),
    "flicker": (1.2, 1.6),
    "identity": (0.02, 0.05),  # below what the face has with itself
    "offset": (1.0, 2.0),
}
"""Up to where a figure is good, and up to where it is fair."""
_RATE = 25  # frames a second in which the offset is told
_TELLING = 2.4  # seconds of speech: in less, lips that fit can seem not to


@dataclass(frozen=True)
class Finding:
    """What was found about one quality of a shot.

    Attributes:
        name: the quality.
        kind: "good", "fair" or "poor"; "" where it could not be judged.
        text: the finding, in a sentence.
        fault: what is wrong, in a few words; "" where it is good.
    """

    name: str
    kind: str
    text: str
    fault: str = ""


def graded(name: str, value: float | None) -> str:
    """How good a value of one of `LIMITS` is."""
    if value is None:
        return ""
    if name == "seam":
        value = abs(value - 1)
    if name == "detail":  # half as much is as bad as twice
        value = max(value, 1 / value) - 1
    good, fair = LIMITS[name]
    return GOOD if abs(value) <= good else FAIR if abs(value) <= fair else POOR


def findings(
    figures: Figures, *, sync_sure: bool, spoken: float, untouched: float, outside: int
) -> list[Finding]:
    """Judge everything that viewers notice, in the order in which they notice it.

    Args:
        figures: of the shot, by name.
        sync_sure: whether lips and sound fit better than those of strangers do.
        spoken: seconds in which the face is seen and somebody is heard.
        untouched: share of the frames that passed without a usable face.
        outside: largest change outside of the mask before encoding.
    """
    found = [
        _sync(figures, sure=sync_sure, spoken=spoken),
        _one("Detail", "detail", figures, "of the source's detail, where it is farthest from it",
             "The mouth is softer than the source", "mouth too soft",
             "The mouth is sharper than the source", "mouth too sharp"),
        _one("Seam", "seam", figures, "of the source's edge energy around the mask",
             "A smooth rim can be seen around the mouth", "blurred rim around the mouth",
             "An edge can be seen around the mouth", "visible edge around the mouth"),
        _upper("Calm movement", "jerk", figures, "of the source's jerk of the lips",
               "The lips tremble", "trembling lips"),
        _upper("Steady picture", "flicker", figures, "of the source's change between frames",
               "The mouth flickers", "flicker"),
        _identity(figures),
        _untouched(untouched),
        _outside(outside),
    ]  # fmt: skip
    return [finding for finding in found if finding.kind]


def verdict(found: Sequence[Finding]) -> tuple[str, str]:
    """The checks in one sentence, and the worst of them ("good", "fair" or "poor")."""
    poor = [c.fault for c in found if c.kind == POOR]
    fair = [c.fault for c in found if c.kind == FAIR]
    if poor:
        return f"Look at this shot before it goes out: {', '.join(poor)}.", POOR
    if fair:
        return f"Good, but look at: {', '.join(fair)}.", FAIR
    return "Ready to go out: nothing stands out.", GOOD


def _sync(figures: Figures, *, sure: bool, spoken: float) -> Finding:
    offset, confidence = figures.get("offset"), figures.get("sync")
    if offset is None or confidence is None:
        return Finding("Lip sync", "", "")
    frames = f"{abs(offset):.0f} frame{'s' if abs(offset) != 1 else ''} at 25 a second"
    words = f"confidence {shown('sync', confidence)}"
    if not sure and spoken < _TELLING:
        text = f"Too little is said to tell whether lips and sound are together ({spoken:.1f} s)."
        return Finding("Lip sync", GOOD, text)
    if not sure:
        text = f"Lips and sound hardly fit better than by chance ({words})."
        return Finding("Lip sync", FAIR, text, "lips that hardly fit the sound")
    kind = graded("offset", offset)
    if offset == 0:
        return Finding("Lip sync", kind, f"Lips and sound are together ({words}).")
    late = "late" if offset > 0 else "early"
    fault = "" if kind == GOOD else f"sound {abs(offset) / _RATE:.2f} s {late}"
    return Finding("Lip sync", kind, f"The sound is {frames} {late} ({words}).", fault)


def _one(
    name: str, figure: str, figures: Figures, of: str, low: str, less: str, high: str, more: str
) -> Finding:
    """A figure that may be too low (a sentence, and the fault in short) or too high."""
    value, kind = figures.get(figure), graded(figure, figures.get(figure))
    if value is None:
        return Finding(name, "", "")
    wrong, fault = (low, less) if value < 1 else (high, more)
    return _told(name, kind, f"{100 * value:.0f} % {of}", wrong, fault)


def _upper(name: str, figure: str, figures: Figures, of: str, wrong: str, fault: str) -> Finding:
    value, kind = figures.get(figure), graded(figure, figures.get(figure))
    if value is None:
        return Finding(name, "", "")
    return _told(name, kind, f"{100 * value:.0f} % {of}", wrong, fault)


def _told(name: str, kind: str, measured: str, wrong: str, fault: str) -> Finding:
    """What was measured, after what is wrong where something is."""
    if kind == GOOD:
        return Finding(name, kind, f"{measured}.")
    return Finding(name, kind, f"{wrong}: {measured}.", fault)


def _identity(figures: Figures) -> Finding:
    made, own = figures.get("identity"), figures.get("true_identity")
    if made is None or own is None:
        return Finding("Identity", "", "")
    kind = graded("identity", max(0.0, own - made))
    return Finding(
        "Identity", kind,
        f"The face is {shown('identity', made)} like the source's; the source's own frames are "
        f"{shown('identity', own)} like each other.",
        "" if kind == GOOD else "a face less like the person's",
    )  # fmt: skip


def _untouched(share: float) -> Finding:
    if share == 0:
        return Finding("Frames", GOOD, "Every frame has its new mouth.")
    kind = FAIR if share < 0.05 else POOR
    text = f"{100 * share:.1f} % of the frames show no usable face and were left as they are."
    return Finding("Frames", kind, text, "frames left as they were")


def _outside(changed: int) -> Finding:
    if changed == 0:
        return Finding("Outside the mask", GOOD, "Not one pixel was changed before encoding.")
    text = f"Pixels were changed by up to {changed} of 255: please report this."
    return Finding("Outside the mask", POOR, text, "changes outside the mouth")
