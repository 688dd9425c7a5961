"""From dlib's file of its face recognition network to `recognise.safetensors`.

dlib writes a network from its input on, layer after layer, each with its name and its numbers in
one tensor: (filters, biases) of a convolution, (scale, shift) of an affine layer, the matrix of
the last. Only those are read here; everything else in the file is how dlib runs it.

    python -m training.recognise --source dlib_face_recognition_resnet_model_v1.dat
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.models.registry import PACKAGE_WEIGHTS
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.storage.files import hash_file
from gsmooth_core.tracking.people.recognise_net import Recogniser
from gsmooth_core.types import Float

_CONVOLUTION, _AFFINE, _LAST = b"\x05con_4", b"\x07affine_", b"\x04fc_2"
_LENGTH = b"\x01"  # before a name: its length takes one byte
_VERSION = 2  # of a tensor: its numbers follow as they are


class DlibReader:
    """Numbers out of dlib's serialization.

    Args:
        content: the file's bytes.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def seek(self, name: bytes) -> bool:
        """Go behind the next layer's name; False where there is none."""
        found = self._content.find(_LENGTH + name, self._at)
        if found < 0:
            return False
        self._at = found + len(_LENGTH + name)
        return True

    def where(self, name: bytes) -> int:
        """Place of the next layer of a name, from here."""
        found = self._content.find(_LENGTH + name, self._at)
        return found if found >= 0 else len(self._content)

    def integer(self) -> int:
        """The next whole number: a byte with its length and sign, then its bytes."""
        control = self._content[self._at]
        size = control & 0x0F
        value = int.from_bytes(self._content[self._at + 1 : self._at + 1 + size], "little")
        self._at += 1 + size
        return -value if control & 0x80 else value

    def tensor(self) -> Float:
        """The next tensor, flat.

        Raises:
            ValueError: it is written in another way.
        """
        if (version := self.integer()) != _VERSION:
            raise ValueError(f"tensor of version {version}")
        count = int(np.prod([self.integer() for _ in range(4)]))
        flat = np.frombuffer(self._content, "<f4", count, self._at)
        self._at += 4 * count
        return flat


def convert(content: bytes) -> dict[str, NDArray[np.float16]]:
    """Arrays of `Recogniser` out of the bytes of dlib's file.

    Raises:
        ValueError: it holds another network.
    """
    reader, arrays = DlibReader(content), {}
    state = Recogniser().state_dict()
    names = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    for name, (weight, bias) in zip(names[:-1], _convolutions(reader), strict=True):
        arrays[f"{name}.weight"] = weight.reshape(state[f"{name}.weight"].shape)
        arrays[f"{name}.bias"] = bias
    if not reader.seek(_LAST):
        raise ValueError("the file has no last layer")
    outputs, inputs = reader.integer(), reader.integer()
    arrays["leave.weight"] = reader.tensor().reshape(inputs, outputs).T
    return {name: np.ascontiguousarray(array, np.float16) for name, array in arrays.items()}


def _convolutions(reader: DlibReader) -> Iterator[tuple[Float, Float]]:
    """(filters (N, K), biases (N,)) of each convolution with the affine layer that follows it."""
    while reader.where(_CONVOLUTION) < reader.where(_LAST):
        reader.seek(_CONVOLUTION)
        both = reader.tensor()
        reader.seek(_AFFINE)
        scale, shift = reader.tensor().reshape(2, -1)
        filters, biases = both[: -len(scale)].reshape(len(scale), -1), both[-len(scale) :]
        yield filters * scale[:, None], biases * scale + shift


def main() -> None:
    """Write the network's file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--source", type=Path, required=True, help="dlib's .dat file")
    parser.add_argument("--output", type=Path, default=PACKAGE_WEIGHTS / "recognise.safetensors")
    options = parser.parse_args()
    about = {"source": options.source.name, "sha256": hash_file(options.source), "licence": "CC0"}
    save_arrays(options.output, "recognise", convert(options.source.read_bytes()), {"about": about})
