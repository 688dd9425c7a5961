"""Where networks can run on this machine."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import onnxruntime as ort

from gsmooth_core.errors import InputError

_KINDS = "auto, cpu, cuda, cuda:N or mps"
_PROCESSOR = "CPUExecutionProvider"
_CARDS = ("CUDAExecutionProvider", "DmlExecutionProvider")
"""Graphics cards that ONNX Runtime may know (NVIDIA's; any on Windows), the best first."""
_APPLE = "CoreMLExecutionProvider"


def best_device() -> str:
    """What "auto" stands for: CUDA where torch has one, else the processor."""
    return "cuda" if _torch_with_cards() and _torch().cuda.is_available() else "cpu"


def provider(device: str | None = None) -> tuple[str | tuple[str, dict[str, str]], ...]:
    """What ONNX Runtime is to run a network on, the best first.

    Args:
        device: see `check_device`; None is "auto": a card, if ONNX Runtime knows one.
    """
    there = ort.get_available_providers()
    name, _, number = (device or "auto").partition(":")
    wanted = {"cuda": _CARDS[:1], "mps": (_APPLE,), "auto": _CARDS}.get(name, ())
    found = [(one, {"device_id": number or "0"}) if one in _CARDS else one
             for one in wanted if one in there]  # fmt: skip
    return (*found, _PROCESSOR)


def check_device(name: str) -> None:
    """See that a device is there, before hours are spent on what comes before its use.

    Args:
        name: "auto", "cpu", "mps", "cuda" or "cuda:N".

    Raises:
        InputError: there is no such device on this machine, or none of that name anywhere.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,4})?", name):
        raise InputError(f"'{name[:40]}' is no device.", f"It is {_KINDS}.")
    if name in ("auto", "cpu") or len(provider(name)) > 1:
        return
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            f"The device '{name}' needs PyTorch, or an ONNX Runtime for it; neither is installed.",
            "Set device to auto or cpu, or install a PyTorch for it.",
        )
    if name == "mps":
        _check_mps()
    else:
        _check_cuda(name)


def _torch() -> Any:
    import torch  # optional, and seconds to load

    return torch


def _torch_with_cards() -> bool:
    """Whether there is a torch built for graphics cards; it is not loaded to find that out."""
    if torch := sys.modules.get("torch"):
        return bool(torch.version.cuda or torch.version.hip)
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    version = Path(spec.origin).with_name("version.py")
    built = r"^(cuda|hip)\b[^=]*=\s*['\"]"
    return version.is_file() and bool(re.search(built, version.read_text("utf-8"), re.MULTILINE))


def _check_mps() -> None:
    if not _torch().backends.mps.is_available():
        raise InputError(
            "The device 'mps' is not there: this is no Mac with its own graphics.",
            "Set device to auto or cpu.",
        )


def _check_cuda(name: str) -> None:
    torch = _torch()
    if torch.version.cuda is None and torch.version.hip is None:
        raise InputError(
            f"The device '{name}' cannot be used: this PyTorch was built without CUDA.",
            "Set device to auto or cpu, or install a PyTorch with CUDA.",
        )
    if not torch.cuda.is_available():
        raise InputError(
            f"The device '{name}' is not there: no graphics card was found.",
            "Set device to auto or cpu, or look at the card's driver.",
        )
    count = torch.cuda.device_count()
    if int(name.partition(":")[2] or 0) >= count:
        last = f"cuda:{count - 1}"
        raise InputError(f"The device '{name}' is not there.", f"The last one is {last}.")
