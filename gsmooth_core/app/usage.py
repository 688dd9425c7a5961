"""How the command line explains itself: options in groups, examples, and a way out of a mistake."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from typing import Any, NoReturn

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


class HelpfulParser(argparse.ArgumentParser):
    """A parser that keeps the lines of its epilog, and that says where help is."""

    def __init__(self, **words: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **words)

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, as argparse does; here also with what may have been meant."""
        near = _near(message)
        hint = f"Did you mean '{near}'? " if near else ""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n{hint}All options: {self.prog} --help\n")


def _near(message: str) -> str:
    """The choice that is most like the one that was not among them, or ""."""
    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    choices = [word.strip("' ") for word in found[2].split(",")] if found else []
    return next(iter(difflib.get_close_matches(found[1], choices, 1) if found else []), "")


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
