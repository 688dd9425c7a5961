"""How the command line explains itself: options in groups, examples, and a way out of a mistake."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from gsmooth_core.job.events import Failure, to_line

_USAGE = 2  # status of a command line that is not understood, as with argparse

GROUPS = {
    "picture in": ("video",),
    "speech in": ("audio", "audio_track", "source_audio_track"),
    "movement": ("moves",),
    "who speaks, and how": ("face", "strength", "smoothing", "style", "teach", "adapt"),
    "what is made": (
        "mask",
        "occluders",
        "grain",
        "sharpness",
        "shutter",
        "draft",
        "looks",
        "crop_size",
    ),
    "output": (
        "output",
        "length",
        "keep_rest",
        "timing",
        "keep_source_audio",
        "codec",
        "quality",
        "crf",
        "depth",
        "preset",
        "intra",
    ),
    "job": ("job", "chunk_frames"),
    "models and machine": (
        "device",
        "tracker",
        "face_model",
        "a2ep",
        "taft",
        "reference_gap",
    ),
}
"""Titles in the order of the help, with the settings and the kinds of options below each."""

EXAMPLES = {
    "dub": (
        "gsmooth dub --video take3.mov --audio french.wav --output take3_french.mp4",
        "gsmooth dub --video take3.mov --audio french.wav --output look.mp4 --draft",
        "gsmooth dub --video talk.mov --audio ben.wav --output talk_ben.mp4 --face 2",
    ),
    "animate": (
        "gsmooth animate --photo anna.jpg --audio french.wav --output anna.mp4",
        "gsmooth animate --photo anna.jpg --audio french.wav --output anna.mp4 --mode still",
    ),
    "faces": ("gsmooth faces --video talk.mov --output people",),
    "report": (
        "gsmooth dub --video a.mov --audio b.wav --output c.mp4 --keep-job",
        "gsmooth report c.mp4.gsmooth",
    ),
    "style": (
        "gsmooth style --video anna1.mov --video anna2.mov --output anna.safetensors",
        "gsmooth dub --video a.mov --audio b.wav --output c.mp4 --speaks-like anna.safetensors",
    ),
}
"""Whole commands, by the command whose help they close."""


_OTHER_NAMES = {"h265": "hevc", "h.265": "hevc", "x265": "hevc", "h.264": "h264", "avc": "h264"}


class HelpfulParser(argparse.ArgumentParser):
    """A parser that keeps the lines of its epilog, and that says where help is."""

    def __init__(self, **words: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **words)
        self._given: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does; what was given is looked at again where it is wrong."""
        self._given = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, as argparse does; here also with what may have been meant."""
        near = _near(message) or self._mistyped()
        hint = f"Did you mean '{near}'? " if near else ""
        hint += f"All options: {self.prog} --help"
        if "--json" in self._given:  # whoever reads lines waits for one
            failure = Failure("bad_input", message, hint, _USAGE)
            sys.stdout.write(to_line(failure) + "\n")
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {message}\n{hint}\n")

    def _mistyped(self) -> str:
        """The option that is most like a given one that there is not, or ""."""
        known = [word for word in self._option_string_actions if word.startswith("--")]
        words = (word.partition("=")[0] for word in self._given)
        unknown = (w for w in words if w.startswith("--") and not any(map(_begins(w), known)))
        return next((near for word in unknown if (near := _closest(word, known))), "")


def _near(message: str) -> str:
    """The choice that is most like the one that was not among them, or ""."""
    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    choices = [word.strip("' ") for word in found[2].split(",")] if found else []
    return _closest(found[1], choices) if found else ""


def _closest(word: str, choices: Sequence[str]) -> str:
    word = word.lower()
    if (same := _OTHER_NAMES.get(word)) in choices:
        return str(same)
    return next(iter(difflib.get_close_matches(word, choices, 1)), "")


def _begins(word: str) -> Callable[[str], bool]:
    """Whether a known option begins with a word: then argparse takes that for it."""
    return lambda known: known.startswith(word)


class Grouped:
    """The groups of a command's options, in the order of `GROUPS`; an empty one is not shown.

    Args:
        parser: of the command.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        made = {title: parser.add_argument_group(title) for title in GROUPS}
        self._groups = {name: made[title] for title, names in GROUPS.items() for name in names}

    def of(self, name: str) -> argparse._ArgumentGroup:
        """The group that a setting, or a kind of options, belongs to.

        Raises:
            KeyError: no group has it.
        """
        return self._groups[name]


def examples(command: str) -> str | None:
    """The end of a command's help; None where it needs none."""
    lines = EXAMPLES.get(command, ())
    return "\n  ".join(["for example:", *lines]) if lines else None


def first_steps() -> str:
    """The end of the help of all: what a newcomer types."""
    lines = ("gsmooth doctor", EXAMPLES["dub"][0], EXAMPLES["animate"][0])
    return "\n  ".join(["to begin:", *lines]) + "\n\nAll options of one: gsmooth COMMAND --help"
