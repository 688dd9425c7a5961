"""When each phone is spoken: `python -m training.a2ep.align --footage DIR --cache DIR`.

Writes what is said in the English clips (`text/<stem>.json`, by Whisper base through
`faster-whisper`) and when (`phones/<stem>.json`, forced alignment by `pocketsphinx`). Only the
figures of closing lips need this; the two packages come with `pip install gsmooth[align]`.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.words import Transcript, Word, load_recogniser, recognise
from gsmooth_core.types import Float
from training.footage import add_footage, chosen_footage
from training.prepare import load_speech

LONGEST = 4.0  # seconds aligned at a time
MARGINS = (0.15, 0.3, 0.05)  # seconds before the first and after the last word, in turn
FRAME = 0.01  # seconds a frame of pocketsphinx
FULL_SCALE = 32767
SILENCE = "SIL"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Phone:
    """A phone in ARPAbet without stress; seconds."""

    name: str
    start: float
    end: float


def spelled(text: str) -> list[str]:
    """A word as the pronouncing dictionary spells it; "P2" is two words."""
    parts = re.findall(r"[a-z']+|[0-9]", text.lower().replace("\u2019", "'"))
    words = (DIGITS[int(part)] if part.isdigit() else part.strip("'") for part in parts)
    return [word for word in words if word]


def stretches(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Runs of words of at most `LONGEST` seconds."""
    run: list[Word] = []
    for word in words:
        if run and word.end - run[0].start > LONGEST:
            yield run
            run = []
        run.append(word)
    if run:
        yield run


class Aligner:
    """Forced alignment of known words."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder  # only this script needs it

        self.decoder = Decoder(lm=None, cmn="batch", loglevel="FATAL")

    def _pass(self, samples: bytes) -> None:
        self.decoder.start_utt()
        self.decoder.process_raw(samples, full_utt=True)
        self.decoder.end_utt()

    def _align(self, audio: Float, said: list[str], first: float, last: float) -> list[Phone]:
        part = audio[int(first * SAMPLE_RATE) : int(last * SAMPLE_RATE)]
        samples = np.round(np.clip(part, -1, 1) * FULL_SCALE).astype(np.int16).tobytes()
        self.decoder.set_align_text(" ".join(said))
        try:
            self._pass(samples)
            if self.decoder.hyp() is None:
                return []
            self.decoder.set_alignment()
            self._pass(samples)
        except RuntimeError:  # the words do not fit the sound
            return []
        return [
            Phone(p.name, first + p.start * FRAME, first + (p.start + p.duration) * FRAME)
            for word in self.decoder.get_alignment()
            for p in word
            if p.name != SILENCE
        ]

    def align(self, audio: Float, words: list[Word]) -> list[Phone]:
        """Phones of one stretch; none when a word is unknown or nothing fits."""
        said = [part for word in words for part in spelled(word.text)]
        if not said or any(self.decoder.lookup_word(word) is None for word in said):
            return []
        for margin in MARGINS:
            first, last = max(0.0, words[0].start - margin), words[-1].end + margin
            if phones := self._align(audio, said, first, last):
                return phones
        return []


def load_phones(cache: Path, stem: str) -> list[Phone]:
    """What `main` wrote of a clip; none when there is no file."""
    path = cache / "phones" / f"{stem}.json"
    if not path.exists():
        return []
    return [Phone(*row) for row in json.loads(path.read_text(encoding="utf-8"))]


def _words_of(path: Path, recogniser: Any, audio: Float) -> Transcript:
    if path.exists():
        held = json.loads(path.read_text(encoding="utf-8"))
        return Transcript(held["language"], tuple(Word(*row) for row in held["words"]))
    said = recognise(audio, recogniser=recogniser)
    held = {"language": said.language, "words": [astuple(word) for word in said.words]}
    path.write_text(json.dumps(held), encoding="utf-8")
    return said


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Align phones with the footage's speech.")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    recogniser, aligner = load_recogniser(), Aligner()
    for name in ("text", "phones"):
        (options.cache / name).mkdir(exist_ok=True)
    for sample in chosen_footage(options).samples():
        if sample.many:
            continue
        audio = load_speech(options.cache / "speech" / f"{sample.stem}.safetensors")
        path = options.cache / "text" / f"{sample.stem}.json"
        said = _words_of(path, recogniser, audio)
        if said.language != "en":
            continue
        phones = [p for run in stretches(said.words) for p in aligner.align(audio, run)]
        rows = json.dumps([astuple(phone) for phone in phones])
        (options.cache / "phones" / f"{sample.stem}.json").write_text(rows, encoding="utf-8")
        log.info("%s: %d words, %d phones", sample.stem, len(said.words), len(phones))


if __name__ == "__main__":
    main()
