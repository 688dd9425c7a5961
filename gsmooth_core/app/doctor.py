"""What works on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gsmooth_core import __version__
from gsmooth_core.errors import GSmoothError
from gsmooth_core.face.rasterizer import CHOICE, available_backends, chosen_backend
from gsmooth_core.media import ffmpeg
from gsmooth_core.models import registry
from gsmooth_core.networks.engine import has_bfloat16, has_torch

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
SPACE_BYTES = 2 * 10**9

# module -> distribution, what it is for
_PACKAGES = {
    "numpy": ("numpy", "arrays"),
    "scipy": ("scipy", "fitting"),
    "cv2": ("opencv-python", "images"),
    "av": ("av", "what a file holds"),
    "PIL": ("pillow", "photos"),
    "jinja2": ("jinja2", "reports"),
    "safetensors": ("safetensors", "model files"),
    "numba": ("numba", "drawing the mesh on the processor"),
    "ai_edge_litert": ("ai-edge-litert", "finding faces"),
    "onnxruntime": ("onnxruntime", "all other networks"),
    "tqdm": ("tqdm", "progress bars"),
}
_OPTIONAL = {
    "pytorch3d": ("pytorch3d", f"another rasteriser, see {CHOICE}"),
    "transformers": ("transformers", "the paper's speech encoder"),
    "faster_whisper": ("faster-whisper", "words, for proofreading"),
}

_KNOWN = {
    "matches": "matches",
    "foreign": "foreign: not the one that comes with GSmooth",
    "unknown hash": "unchecked",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what, in a few words.
        ok: whether it works; things nobody needs are always fine.
        detail: what was found.
        hint: what to do when it does not work.
        optional: whether GSmooth works without it.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Report:
    """All checks."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether GSmooth can work here."""
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        checks = [asdict(check) for check in self.checks]
        return {"ok": self.ok, "version": __version__, "checks": checks}

    def to_text(self) -> str:
        """The report for a person, one line a check."""
        lines = [_line(check) for check in self.checks]
        failed = sum(not check.ok for check in self.checks)
        lines.append(
            "Everything works." if not failed else f"{failed} of {len(self.checks)} need help."
        )
        return "\n".join(lines)


def examine() -> Report:
    """Look at everything GSmooth needs; nothing is changed or downloaded."""
    return Report(tuple(_checks()))


def _checks() -> Iterator[Check]:
    yield _python()
    for module, (distribution, purpose) in _PACKAGES.items():
        yield _package(module, distribution, purpose)
    yield _torch()
    yield _ffmpeg()
    yield _numba_cache()
    yield _rasterizer()
    yield from (_model(name) for name in registry.MODELS)
    yield _disk(Path(tempfile.gettempdir()))
    for module, (distribution, purpose) in _OPTIONAL.items():
        yield _package(module, distribution, purpose, optional=True)


def _line(check: Check) -> str:
    mark = "ok  " if check.ok else "FAIL"
    absent = check.optional and check.detail.startswith("not ")
    return f"{'-   ' if absent else mark} {check.name}: {check.detail}" + (
        "" if check.ok else f"\n     {check.hint}"
    )


def _python() -> Check:
    version = sys.version_info[:2]
    return Check(
        "Python",
        OLDEST_PYTHON <= version <= NEWEST_PYTHON,
        f"{sys.version.split()[0]} at {sys.executable}, {os.cpu_count()} processor cores",
        "Use Python 3.11, 3.12 or 3.13.",
    )


def _package(module: str, distribution: str, purpose: str, optional: bool = False) -> Check:
    name = f"{distribution} ({purpose})"
    if importlib.util.find_spec(module) is None:
        hint = f"Install it: pip install {distribution}"
        return Check(name, optional, "not installed", hint, optional)
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        version = "installed"
    return Check(name, True, version, optional=optional)


def _torch() -> Check:
    name = "torch (graphics cards, bfloat16)"
    if not has_torch():
        return Check(name, True, "not installed; the processor does without", optional=True)
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a library of it does not load
        return Check(name, False, f"cannot be loaded: {error}", "pip install 'torch>=2.6,<2.14'")
    if torch.cuda.is_available():
        device = f"graphics card {torch.cuda.get_device_name(0)}"
    elif torch.backends.mps.is_available():
        device = "Apple graphics (mps)"
    else:
        device = "processor only" + (", in bfloat16" if has_bfloat16() else "")
    return Check(name, True, f"{torch.__version__}, {device}")


def _ffmpeg() -> Check:
    name, hint = "ffmpeg (video and sound)", "Reinstall the package imageio-ffmpeg."
    try:
        _, version, _ = ffmpeg.run(ffmpeg.command("-version"), timeout=30)
        _, encoders, _ = ffmpeg.run(ffmpeg.command("-encoders"), timeout=30)
    except GSmoothError as error:
        return Check(name, False, error.message, error.hint)
    missing = [codec for codec in ("libx264", "aac") if f" {codec} " not in encoders]
    number = re.search(r"ffmpeg version (\S+)", version)
    detail = f"{number.group(1) if number else 'unknown version'} at {ffmpeg.executable()}"
    if missing:
        return Check(name, False, f"{detail} lacks {', '.join(missing)}", hint)
    return Check(name, bool(number), detail, hint)


def _numba_cache() -> Check:
    name = "store for compiled code"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(chosen or Path(__file__).parents[1] / "face" / "rasterizer")]
    if not chosen:
        with suppress(RuntimeError):  # there is no home
            places.append(Path.home())
    writable = [place for place in places if os.access(place, os.W_OK)]
    if writable:
        return Check(name, True, str(writable[0]))
    hint = "Set NUMBA_CACHE_DIR to a folder that can be written, or every start takes longer."
    return Check(name, False, "cannot be written", hint)


def _rasterizer() -> Check:
    name = f"rasteriser ({CHOICE} chooses)"
    try:
        chosen = chosen_backend()
    except GSmoothError as error:
        return Check(name, False, error.message, error.hint)
    return Check(name, True, f"{chosen}; here are: {', '.join(available_backends())}")


def _model(name: str) -> Check:
    model = registry.MODELS[name]
    title = f"model {model.name} ({model.purpose})"
    state = registry.examine(name)
    if state.known == "missing" and not model.shipped:
        return Check(title, True, f"not there (optional); {state.hint}", optional=True)
    if not state.usable:
        return Check(title, False, state.problem, state.hint, optional=not model.shipped)
    digest = f", sha256 {state.sha256[:12]} ({_KNOWN[state.known]})" if state.sha256 else ""
    return Check(title, True, f"{state.path}{digest}", optional=not model.shipped)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    hint = "Free some space; a job needs room for its video twice."
    detail = f"{free / 1e9:.1f} GB free in {folder}"
    return Check("disk space", free > SPACE_BYTES, detail, hint)
