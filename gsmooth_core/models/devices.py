"""Where networks can run on this machine."""

from __future__ import annotations

import re

import torch

from gsmooth_core.errors import InputError

_KINDS = "auto, cpu, cuda, cuda:N or mps"


def best_device() -> str:
    """What "auto" stands for: CUDA where there is one, else the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(name: str) -> None:
    """See that a device is there, before hours are spent on what comes before its use.

    Args:
        name: "auto", "cpu", "mps", "cuda" or "cuda:N".

    Raises:
        InputError: there is no such device on this machine, or none of that name anywhere.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,4})?", name):
        raise InputError(f"'{name[:40]}' is no device.", f"It is {_KINDS}.")
    if name == "mps":
        _check_mps()
    elif name.startswith("cuda"):
        _check_cuda(name)


def _check_mps() -> None:
    if not torch.backends.mps.is_available():
        raise InputError(
            "The device 'mps' is not there: this is no Mac with its own graphics.",
            "Set device to auto or cpu.",
        )


def _check_cuda(name: str) -> None:
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
