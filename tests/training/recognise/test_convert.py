"""dlib's file read: a small one written here by dlib's rules, and what is none."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from training.recognise.convert import DlibReader, convert


def _integer(value: int) -> bytes:
    size = max(1, (value.bit_length() + 7) // 8)
    return bytes([size]) + value.to_bytes(size, "little")


def _tensor(values: np.ndarray) -> bytes:
    sizes = b"".join(_integer(n) for n in (values.size, 1, 1, 1))
    return _integer(2) + sizes + struct.pack(f"<{values.size}f", *values.ravel())


def _name(name: bytes) -> bytes:
    return _integer(len(name)) + name


def _file(widths: list[tuple[int, int, int]], rng: np.random.Generator) -> tuple[bytes, list]:
    content, truth = b"\x01\x01loss", []
    for inputs, outputs, side in widths:
        filters = rng.normal(size=(outputs, inputs, side, side)).astype(np.float32)
        bias, scale, shift = rng.normal(size=(3, outputs)).astype(np.float32)
        truth.append((filters, bias, scale, shift))
        content += _name(b"con_4") + _tensor(np.concatenate([filters.ravel(), bias]))
        content += b"between" + _name(b"affine_") + _tensor(np.concatenate([scale, shift]))
    last = rng.normal(size=(256, 128)).astype(np.float32)
    content += _name(b"fc_2") + _integer(128) + _integer(256) + _tensor(last)
    return content, [*truth, last]


def _widths() -> list[tuple[int, int, int]]:
    widths = [32] * 3 + [64] * 4 + [128] * 3 + [256] * 4
    pairs = zip([32, *widths[:-1]], widths, strict=True)
    return [(3, 32, 7), *(c for i, o in pairs for c in ((i, o, 3), (o, o, 3)))]


def test_convolutions_take_their_affine_layers_in():
    rng = np.random.default_rng(0)
    content, truth = _file(_widths(), rng)
    arrays = convert(content)
    filters, bias, scale, shift = truth[3]  # the second block's first convolution
    x = rng.normal(size=filters.shape[1:])
    wanted = ((filters * x).sum((1, 2, 3)) + bias) * scale + shift
    made = arrays["blocks.1.first.weight"].astype(np.float64)
    got = (made * x).sum((1, 2, 3)) + arrays["blocks.1.first.bias"]
    np.testing.assert_allclose(got, wanted, atol=0.1)
    np.testing.assert_allclose(arrays["leave.weight"], truth[-1].T, atol=2e-3)


def test_another_network_is_refused():
    content, _ = _file(_widths()[:-1], np.random.default_rng(0))
    with pytest.raises(ValueError, match="zip"):
        convert(content)
    with pytest.raises(ValueError):
        convert(b"nothing of the kind")


def test_numbers_of_dlib():
    reader = DlibReader(b"\x02\x80\x12\x81\x05\x03\x01\x01\x01\x01")
    assert [reader.integer(), reader.integer()] == [0x1280, -5]
    assert reader.integer() == 0x010101
