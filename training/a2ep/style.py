"""What a clip's own speech is worth: learned on one half, judged on the other.

    python -m training.a2ep.style --footage DIR --cache DIR [--part all] [--output FILE]

Each clip of 7 s or more is cut in halves with half a second between them; either half teaches and
the other judges. The lag between sound and lips is the one that the learned half shows. Figures
stand over those of the mean face, the last one with the person's mean counted.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep import SpeechModel, load_a2ep
from gsmooth_core.a2ep.lesson import Lesson, sounds_of
from gsmooth_core.a2ep.manner import Manner
from gsmooth_core.a2ep.manner_choice import PLAN, Mouths, choose_manner
from gsmooth_core.a2ep.predict import predict_speech
from gsmooth_core.face.load import load_face_model
from gsmooth_core.types import Float
from training.a2ep.data import Utterance, driven_names, read_cache
from training.a2ep.face import SpeechFace, speech_face
from training.a2ep.measure import Figures, measure
from training.a2ep.validate import WHOLE
from training.command import finish
from training.footage import add_footage, chosen_footage
from training.prepare import load_speech
from training.split import Part

LONG = 175  # frames: 7 s
GAP = 12  # frames between the halves
MOST_LAG = 4  # frames that sound and lips may lie apart
FULL = 0.95  # of a manner whose movement is full by a gain alone

log = logging.getLogger(__name__)

Speaker = Callable[[Lesson, Lesson, Mouths], Float]
"""What a system, after a lesson, makes of what is heard in another: (T, E) expressions."""


@dataclass(frozen=True)
class Row:
    """Figures of a clip, its halves averaged.

    Attributes:
        figures: around the mean.
        counted: lip error with the mean counted, over that of the mean face.
    """

    figures: Figures
    counted: float

    @classmethod
    def mean(cls, rows: Sequence[Row]) -> Row:
        """Each row counts once."""
        figures = Figures.mean([row.figures for row in rows])
        return cls(figures, float(np.mean([row.counted for row in rows])))

    def text(self) -> str:
        """One line of a table."""
        return f"{self.figures.row()} | {self.counted:.3f}"


def plain(lesson: Lesson, test: Lesson, mouths: Mouths) -> Float:
    """The plain style: rest, mean and amplitude."""
    return mouths.style(lesson).speak(test.moved, mouths.opening)


def learned(lesson: Lesson, test: Lesson, mouths: Mouths) -> Float:
    """What the product does: a manner where it is borne out, else the plain style."""
    manner = choose_manner(lesson, mouths).manner
    return _said(manner, test, mouths) if manner else plain(lesson, test, mouths)


def damped(lesson: Lesson, test: Lesson, mouths: Mouths) -> Float:
    """The same without its full opening."""
    manner = choose_manner(lesson, mouths).manner
    calm = replace(manner, fullness=0.0) if manner else None
    return _said(calm, test, mouths) if calm else plain(lesson, test, mouths)


def forgetful(lesson: Lesson, test: Lesson, mouths: Mouths) -> Float:
    """The same as the product, without sounds to remember."""
    return learned(replace(lesson, sounds=None), test, mouths)


def always(lesson: Lesson, test: Lesson, mouths: Mouths) -> Float:
    """The same for everybody, refused by nothing."""
    return _said(replace(mouths.manner(lesson, PLAN), fullness=FULL), test, mouths)


def _said(manner: Manner, test: Lesson, mouths: Mouths) -> Float:
    return manner.speak(test.moved, mouths.opening, sounds=test.sounds)


SYSTEMS: dict[str, Speaker] = {
    "plain": plain,
    "learned": learned,
    "learned, damped": damped,
    "learned, no memory": forgetful,
    "always": always,
}


def later(values: Float, lag: int) -> Float:
    """Rows `lag` frames on, the ends repeated."""
    return values[np.clip(np.arange(len(values)) + lag, 0, len(values) - 1)]


def lag_of(lesson: Lesson, opening: Float) -> int:
    """Frames by which the sound is late: where its opening agrees best with that of the lips."""
    usable, open_by = lesson.usable, lesson.moved @ opening
    true = (lesson.shown @ opening)[usable]
    lags = range(-MOST_LAG, MOST_LAG + 1)
    return max(lags, key=lambda lag: float(np.corrcoef(later(open_by, lag)[usable], true)[0, 1]))


def halves(count: int) -> Iterator[tuple[slice, slice]]:
    """The half that teaches and the half that judges, twice."""
    first = slice(0, count // 2 - GAP // 2)
    second = slice(count // 2 + GAP // 2, count)
    yield first, second
    yield second, first


def judged_halves(
    lesson: Lesson, mouths: Mouths, face: SpeechFace, speak: Speaker
) -> Iterator[Row]:
    """Figures of each half after the other has taught."""
    for taught, tested in halves(len(lesson.usable)):
        lag = lag_of(_cut(lesson, taught), mouths.opening)
        sounds = None if lesson.sounds is None else later(lesson.sounds, lag)
        late = replace(lesson, moved=later(lesson.moved, lag), sounds=sounds)
        test = _cut(late, tested)
        made = speak(_cut(late, taught), test, mouths)
        figures = measure(face, made, test.shown, test.usable)
        yield Row(figures, counted_error(face, made[test.usable], test.shown[test.usable]))


def _cut(lesson: Lesson, frames: slice) -> Lesson:
    names = (
        "moved",
        "shown",
        "usable",
        "apart",
        *(("sounds",) if lesson.sounds is not None else ()),
    )
    return replace(lesson, **{name: getattr(lesson, name)[frames] for name in names})


def counted_error(face: SpeechFace, made: Float, true: Float) -> float:
    """Lip error of (T, E) with the mean counted, over that of the mean face."""
    lips, true_lips = face.lips(made), face.lips(true)
    error = float(np.sum((lips - true_lips) ** 2))
    return error / float(np.sum((true_lips - true_lips.mean(axis=0)) ** 2))


def lesson_of(model: SpeechModel, clip: Utterance, cache: Path) -> Lesson:
    """A clip's own speech at 25 frames a second."""
    audio = load_speech(cache / "speech" / f"{clip.sample.stem}.safetensors")
    spoken = predict_speech(audio, len(clip.truth), Fraction(25), settings=WHOLE, model=model)
    places = [spoken.curves.names.index(name) for name in model.names]
    moved = spoken.curves.values[:, places] - model.array("rest")
    sounds = sounds_of(spoken.heard, moved, 25.0)
    return Lesson(moved, clip.truth, clip.takes[0].valid, clip.seen, 25.0, sounds)


def tables(
    model: SpeechModel, face: SpeechFace, cache: Path, clips: Sequence[Utterance]
) -> dict[str, dict[str, Row]]:
    """Rows of each clip, for each system."""
    mouths = Mouths.of(model)
    lessons = {clip.sample.stem: lesson_of(model, clip, cache) for clip in clips}
    return {
        name: {
            stem: Row.mean(list(judged_halves(lesson, mouths, face, speak)))
            for stem, lesson in lessons.items()
        }
        for name, speak in SYSTEMS.items()
    }


def summary(name: str, rows: dict[str, Row], base: dict[str, Row]) -> str:
    """Means of a system, and how they stand to the plain style's."""
    mean, plain = Row.mean(list(rows.values())), Row.mean(list(base.values()))
    worst = max(row.counted - base[stem].counted for stem, row in rows.items())
    return (
        f"{name:20s} {mean.text()} | shape x {mean.figures.lip_error / plain.figures.lip_error:.3f}"
        f", counted x {mean.counted / plain.counted:.3f}, worst clip {worst:+.3f}"
    )


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Judge what a clip's own speech teaches.")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="what training.prepare made")
    parser.add_argument("--model", default="a2ep", help="the shipped model, or a checkpoint")
    parser.add_argument("--part", choices=("validation", "all"), default="validation")
    parser.add_argument("--output", type=Path, help="file for the figures, clip by clip")
    options = parser.parse_args()
    whole = load_face_model()
    face = speech_face(whole, driven_names(whole.expression_names))
    clips = [
        clip
        for clip in read_cache(chosen_footage(options), options.cache, "whisper-base-3", face)
        if clip.sample.trusted and clip.takes[0].valid.sum() >= LONG
        if options.part == "all" or clip.sample.part is Part.VALIDATION
    ]
    found = tables(load_a2ep(options.model), face, options.cache, clips)
    for stem in found["plain"]:
        for name, rows in found.items():
            log.info("%-28s %-20s %s", stem[-28:], name, rows[stem].text())
    for name, rows in found.items():
        log.info("%s", summary(name, rows, found["plain"]))
    if options.output:
        content = {n: {s: asdict(row) for s, row in rows.items()} for n, rows in found.items()}
        options.output.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    finish(main)
