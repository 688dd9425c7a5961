"""Stand-ins for packages that a bare machine lacks and that no part but `bench` uses.

Training and tracking import them at the top of their files; what runs here never calls them.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGES = {
    "ai_edge_litert": ("ai_edge_litert", "ai_edge_litert.interpreter"),
    "av": ("av", "av.error"),
    "imageio_ffmpeg": ("imageio_ffmpeg",),
}


class StandIn(ModuleType):
    """A module of whatever names are asked for; each is an exception class, so none is of use."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)  # others ask find_spec for it
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> type[Exception]:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})


def missing() -> list[str]:
    """Names of the packages of `PACKAGES` that are not installed here."""
    return [
        name
        for name in PACKAGES
        if isinstance(sys.modules.get(name), StandIn) or importlib.util.find_spec(name) is None
    ]


def stand_in() -> None:
    """Make what is missing importable."""
    for package in missing():
        for name in PACKAGES[package]:
            sys.modules.setdefault(name, StandIn(name))
