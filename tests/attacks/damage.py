"""Ways in which a good file becomes a bad one: bytes, numbers, and the values of a text."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

ODD_VALUES: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 10**400, 1.5, -1e308, 1e30, "", "x", "x" * 5000, "\0", "..",
    "../../canary", "/dev/zero", "1e999999999", "25/0", "NaN", "\udcff", [], {}, [[]], [None],
    [[1e39]], {"a": {}}, "float32", ["jawOpen", "jawOpen"],
]  # fmt: skip
ODD_BYTES = [b"\0" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff", b"[" * 3000, b"NaN", b"\x80\x05cos\n"]
ODD_NUMBERS = [0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1]


_WHAT = ("change", "cut", "remove", "repeat", "insert", "number")


@dataclass(frozen=True)
class Accident:
    """One thing that happens to the bytes of a file.

    Attributes:
        what: one of `_WHAT`.
        where: number of the byte, counted on beyond the end of the file from its beginning.
        length: of what is removed or repeated.
        odd: number of what is put there.
    """

    what: str
    where: int
    length: int
    odd: int

    def befall(self, data: bytearray) -> None:
        """Happen to `data`."""
        at = self.where % max(len(data), 1)
        end = at + self.length
        if self.what == "change":
            data[at : at + 1] = bytes([self.odd % 256])
        elif self.what == "cut":
            del data[at:]
        elif self.what == "remove":
            del data[at:end]
        elif self.what == "repeat":
            data[at:at] = data[at:end]
        elif self.what == "insert":
            data[at:at] = ODD_BYTES[self.odd % len(ODD_BYTES)]
        else:
            size = (2, 4, 8)[self.odd % 3]
            order: Literal["little", "big"] = "little" if self.odd % 2 else "big"
            number = ODD_NUMBERS[self.odd % len(ODD_NUMBERS)] % (1 << 8 * size)
            data[at : at + size] = number.to_bytes(size, order)


accidents = st.lists(
    st.builds(
        Accident,
        st.sampled_from(_WHAT),
        st.integers(0, 600) | st.integers(0, 2**31),  # headers stand at the beginning
        st.integers(1, 64),
        st.integers(0, 2**31),
    ),
    min_size=1,
    max_size=2,
)


def after(content: bytes, happened: list[Accident]) -> bytes:
    """`content` after all that happened to it."""
    data = bytearray(content)
    for accident in happened:
        accident.befall(data)
    return bytes(data)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON value something stands; of long lists the first entries."""
    if isinstance(value, dict):
        inner = [place for key in value for place in _places(value[key], (*path, key))]
    elif isinstance(value, list):
        inner = [place for k, part in enumerate(value[:3]) for place in _places(part, (*path, k))]
    else:
        inner = []
    return [path, *inner]


def _replaced(value: Any, path: tuple[Any, ...], new: Any, *, remove: bool) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and remove:
        del copy[path[0]]
    else:
        copy[path[0]] = _replaced(copy[path[0]], path[1:], new, remove=remove)
    return copy


@st.composite
def damaged_json(draw: st.DrawFn, content: bytes) -> bytes:
    """A JSON text with one or two of its values removed, or exchanged for odd ones."""
    value = json.loads(content)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(_places(value)))
        value = _replaced(
            value, place, draw(st.sampled_from(ODD_VALUES)), remove=draw(st.booleans())
        )
    return json.dumps(value).encode()


@st.composite
def damaged_header(draw: st.DrawFn, content: bytes) -> bytes:
    """A safetensors file whose header is damaged as JSON, or one fact in it."""
    (size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + size])
    facts = header.get("__metadata__", {})
    if draw(st.booleans()) and facts:
        name = draw(st.sampled_from(sorted(facts)))
        facts[name] = json.dumps(draw(st.sampled_from(ODD_VALUES)))
        text = json.dumps(header).encode()
    else:
        text = draw(damaged_json(json.dumps(header).encode()))
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


@st.composite
def damaged_numbers(draw: st.DrawFn, content: bytes) -> bytes:
    """A safetensors file in which one or two numbers are NaN, infinite or absurd."""
    (size,) = struct.unpack_from("<Q", content)
    data = bytearray(content)
    first, count = 8 + size, (len(content) - 8 - size) // 4
    for _ in range(draw(st.integers(1, 2))):
        at = first + 4 * draw(st.integers(0, max(count - 1, 0)))
        odd = draw(st.sampled_from([float("nan"), float("inf"), -1e30, 1e30, 1e9]))
        data[at : at + 4] = struct.pack("<f", odd)
    return bytes(data)
