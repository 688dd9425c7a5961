"""Words of a dub whose lips should have met: what a proofreader looks for first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from gsmooth_core.a2ep.closures import SpokenWord, spoken_words
from gsmooth_core.a2ep.words import Transcript
from gsmooth_core.errors import ModelError, NoSpeechError
from gsmooth_core.evaluation.metrics.shot import Shot
from gsmooth_core.evaluation.metrics.verdict import FAIR, GOOD, Finding
from gsmooth_core.evaluation.report import page as html
from gsmooth_core.face.mouth import aperture
from gsmooth_core.job.events import Cancelled, Message, OnEvent
from gsmooth_core.job.words import words_of
from gsmooth_core.text import clock
from gsmooth_core.types import Float

MET_WELL = 0.6
"""Share of p, b and m from which nothing is said against a shot; people have .84 on average."""
FEWEST = 5
"""Of p, b and m below which a share says nothing."""
_NAMED = 3  # words in a sentence


def proofread(
    shot: Shot, found: Float, on_event: OnEvent, cancelled: Cancelled
) -> tuple[SpokenWord, ...]:
    """The words of a dub, and whether its lips meet in them.

    Args:
        shot: a finished dub.
        found: (T, 478, 2) landmarks of its output.
        on_event: told about progress, and where words cannot be recognised here.
        cancelled: asked after every few sentences.
    """
    if shot.job.audio is None:
        return ()
    try:
        said, _ = words_of(shot.folder, shot.source, on_event, cancelled)
    except NoSpeechError:
        return ()
    except ModelError as error:
        on_event(Message("info", f"Words were not looked at. {error.message} {error.hint}"))
        return ()
    return seen_words(said, shot, found)


def seen_words(said: Transcript, shot: Shot, found: Float) -> tuple[SpokenWord, ...]:
    """The words of a dub beside the (T, 478, 2) landmarks of its output."""
    opening = np.where(shot.track.usable, aperture(found), np.nan)
    return spoken_words(said.words, opening, float(shot.track.fps))


def finding(words: Sequence[SpokenWord]) -> Finding:
    """How many of the p, b and m are met, and the first words in which they are not."""
    judged = [c for word in words for c in word.closures if c.met is not None]
    missed = [word for word in words if word.missed]
    if not judged:
        return Finding("Closed lips", "", "")
    met = sum(bool(c.met) for c in judged)
    text = f"Lips meet on {met} of {len(judged)} p, b and m"
    if not missed:
        return Finding("Closed lips", GOOD, f"{text}.")
    named = ", ".join(f"'{w.text}' {clock(w.start)}" for w in missed[:_NAMED])
    more = f" and {len(missed) - _NAMED} more" if len(missed) > _NAMED else ""
    well = len(judged) < FEWEST or met >= MET_WELL * len(judged)
    text = f"{text}; open in {named}{more}."
    if well:
        return Finding("Closed lips", GOOD, text)
    return Finding("Closed lips", FAIR, text, "lips open on p, b and m")


def word_elements(words: Sequence[SpokenWord]) -> list[Markup]:
    """The words whose lips stay open, as a table of a page; nothing where there are none."""
    rows = [[w.text, clock(w.start), w.missed] for w in words if w.missed]
    if not rows:
        return []
    note = "By the letters of the words; a sound that is swallowed is no fault of the picture."
    table = html.table(["word", "at", "lips stay open on"], rows)
    return [html.text("h2", "Words with open lips"), table, html.text("p", note, "soft")]
