"""The figures of a dubbed shot: what each is called, and what it means in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

Figures = dict[str, float | None]
"""Name -> value; None where it could not or may not be given."""


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: its name in code and JSON.
        label: its name for people.
        goal: "more", "less" or "one" (as near to 1 as can be), "zero", or "" where neither
            is better.
        text: what it means.
        digits: number of decimals that are shown.
        unit: unit of the value; "" for none.
    """

    name: str
    label: str
    goal: str
    text: str
    digits: int = 2
    unit: str = ""


_SIZES = (2, 4, 8, 16)


def _bands(place: str, where: str) -> list[Figure]:
    """Figures of the four bands of detail in one place."""
    return [
        Figure(
            f"{place}_band{n + 1}", f"Detail, {place}, {size} px", "one",
            f"Energy of details of about {size} pixels {where} of the 256-pixel face crop (a band "
            "of its Laplacian pyramid) over the source's: below 1 is softer, above is harsher.",
        )
        for n, size in enumerate(_SIZES)
    ]  # fmt: skip


FIGURES: tuple[Figure, ...] = (
    Figure(
        "lmd", "LMD", "less",
        "Mean distance of the 40 lip landmarks from the true ones, in pixels of a 256-pixel face "
        "crop; each frame's lips are centred on their own mean, nothing is scaled or turned.",
        unit="px",
    ),
    Figure(
        "ssim", "SSIM", "more",
        "Structural similarity of the 256-pixel face crop and the true one (11 x 11 Gaussian "
        "window, sigma 1.5, population covariance); 1 is identical.", 3,
    ),
    Figure(
        "psnr", "PSNR", "more",
        "Peak signal-to-noise ratio of the 256-pixel face crop, mean over frames; identical "
        "frames count as 60 dB.", unit="dB",
    ),
    Figure(
        "cpbd", "CPBD", "more",
        "Share of edges in the face crop that look sharp to a person (cumulative probability of "
        "blur detection). Compare with the source's.", 3,
    ),
    Figure(
        "true_cpbd", "CPBD of the source", "", "The same of the source's own frames.", 3,
    ),
    Figure(
        "sync", "Sync confidence", "more",
        "How far lips and sound fit better at their best shift than at the middle one of 31 "
        "shifts, in distances of GSmooth's own sync expert. Not comparable with other experts' "
        "numbers.",
    ),
    Figure(
        "offset", "Sync offset", "zero",
        "Frames at 25 a second by which the sound is late; 0 is in sync.", 0, "frames",
    ),
    Figure(
        "mouth_psnr", "Mouth PSNR", "more",
        "PSNR in the box around the true lips and 10 pixels more.", unit="dB",
    ),
    Figure("mouth_ssim", "Mouth SSIM", "more", "SSIM in the same box.", 3),
    Figure(
        "mask_psnr", "Mask PSNR", "more",
        "PSNR under the mask, that is of all pixels that were made.", unit="dB",
    ),
    Figure(
        "outside_psnr", "PSNR outside", "more",
        "PSNR of the face crop outside mask and rim: what the encoder alone changed.", 1, "dB",
    ),
    Figure(
        "stlpips", "ST-LPIPS", "less",
        "Distance of the face crops in the features of a network (shift-tolerant LPIPS, AlexNet); "
        "not comparable with the original LPIPS.", 4,
    ),
    Figure(
        "identity", "Identity", "more",
        "Cosine of the face embeddings (dlib, 128-d) of a dubbed frame and its source frame.", 3,
    ),
    Figure(
        "true_identity", "Identity within the source", "",
        "The same between frames of the source: what a face differs from itself by.", 3,
    ),
    Figure(
        "detail", "Detail of the mouth", "one",
        "Of the four bands below in the mouth box the one that is farthest from 1, each frame "
        "held against frames of the source whose mouth is open as far.",
    ),
    *_bands("mouth", "in the mouth box"),
    *_bands("mask", "under the mask"),
    *_bands("ring", "in the rim outside of the mask"),
    Figure(
        "grain", "Grain", "one",
        "Deviation of the noise on the skin under the mask over the source's there: what differs "
        "between neighbouring frames, registered, in details of about 2 pixels.",
    ),
    Figure(
        "signal", "Fine detail without grain", "one",
        "Energy of details of about 2 pixels under the mask less that of the noise, over the "
        "source's.",
    ),
    Figure(
        "flicker", "Flicker", "one",
        "Mean change from frame to frame in the mouth box over the source's; above 1 is "
        "restless.",
    ),
    Figure(
        "jerk", "Jerk", "one",
        "Third derivative of the lips' shape over that of the source's true speech; above 1 "
        "trembles, far below is sluggish.",
    ),
    Figure(
        "seam", "Seam", "one",
        "Mean gradient across the mask's outline, in its rim, over the source's; above 1 is a "
        "visible edge. A steep edge is a chin's or a collar's own and counts as a seam's at most.",
        3,
    ),
    Figure(
        "tone", "Tone", "less",
        "Mean absolute difference of light and colour under the mask, in levels of 255: both "
        "pictures after a Gaussian of 1/12 of the face's width.",
    ),
    Figure("tone_worst", "Tone, worst frame", "less", "The same of the worst frame.", 1),
    Figure(
        "aperture_r", "Opening r", "more",
        "Pearson's r of the mouth's opening in the output and in the source, without any shift.",
    ),
    Figure("width_r", "Width r", "more", "The same of the mouth's width."),
    Figure(
        "follows", "Follows", "more",
        "Pearson's r of the opening found in the output and the one that was asked for: whether "
        "the picture does what the curves say.",
    ),
    Figure(
        "vertex", "Vertex error", "less",
        "Mean distance of the mouth mask's vertices from the tracked ones, on this person's "
        "template face.", unit="mm",
    ),
    Figure(
        "lve", "LVE", "less",
        "Distance of the farthest lip vertex, mean over frames.", unit="mm",
    ),
    Figure(
        "silence", "Silence motion", "less",
        "Speed of the mouth's opening where nobody is heard over its speed elsewhere.",
    ),
)  # fmt: skip

BY_NAME = {figure.name: figure for figure in FIGURES}


def shown(name: str, value: float | None) -> str:
    """A value as a person reads it; a dash where there is none."""
    if value is None:
        return "\N{EN DASH}"
    digits = BY_NAME[name].digits
    return f"{value:+.{digits}f}" if name == "offset" and value else f"{value:.{digits}f}"
