"""Parameter sets of H.264 and HEVC: what a decoder must know before it can read a picture.

Pictures of two encoders can stand in one stream where a decoder can tell whose sets a picture
means. H.264's have numbers: ours gets one that the source does not use, and the file's header
holds both (`joined`). HEVC's encoder gives no choice of numbers, so there the sets stand before
every key picture (`before_keys`).
"""

from __future__ import annotations

OWN_NUMBER = 31
"""Number of our sets in H.264, the highest that there is: encoders count from 0. A source that has
it, as an earlier dub, gives us the next one (`free_number`)."""
_SPS, _PPS = 7, 8  # kinds of units of H.264
_LENGTH = 4
_FINE_PROFILES = (100, 110, 122, 244, 44)
"""Profiles whose sequence sets say how pictures are sampled."""
_SEPARATE = 3  # 4:4:4, which may be three planes of their own


class Refused(Exception):  # noqa: N818
    """Packets of two files cannot stand in one stream; the text says why, for a person."""


def avc_sets(header: bytes) -> tuple[list[bytes], list[bytes], bytes]:
    """(sequence sets, picture sets, rest) of H.264's header as mp4 and Matroska store it.

    Raises:
        Refused: it is stored in another way.
    """
    if len(header) < 7 or header[0] != 1 or header[4] & 3 != _LENGTH - 1:
        raise Refused("its H.264 is stored as broadcasts store it")
    sequence, at = _listed(header, 6, header[5] & 31)
    pictures, at = _listed(header, at + 1, header[at] if at < len(header) else 0)
    return sequence, pictures, header[at:]


def _listed(header: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    found = []
    for _ in range(count):
        size = int.from_bytes(header[at : at + 2], "big")
        found.append(header[at + 2 : at + 2 + size])
        at += 2 + size
    if at > len(header) or not all(found):
        raise Refused("its H.264 header is damaged")
    return found, at


def free_number(header: bytes) -> int:
    """The highest number that no set of H.264's header has, for ours: dubs are dubbed again.

    Raises:
        Refused: it is stored in another way, or all are in use.
    """
    sequence, pictures, _ = avc_sets(header)
    used = {_number(unit, 4) for unit in sequence} | {_number(unit, 1) for unit in pictures}
    free = set(range(OWN_NUMBER + 1)) - used
    if not free:
        raise Refused("its encoder uses all numbers that there are")
    return max(free)


def references(header: bytes) -> int:
    """How many pictures H.264's header has a decoder keep, 0 where that is hard to tell.

    Where that changes within a stream, some decoders forget pictures that they have not shown yet.

    Raises:
        Refused: it is stored in another way.
    """
    sequence, _, _ = avc_sets(header)
    if not sequence or len(sequence[0]) < _LENGTH:
        raise Refused("its H.264 says only within the stream how it is coded")
    unit = sequence[0].replace(b"\0\0\3", b"\0\0")
    bits = _Bits(unit[4:])
    bits.number()  # of the set
    if unit[1] in _FINE_PROFILES:
        bits.skip(1 if bits.number() == _SEPARATE else 0)
        bits.number()  # bits of luma, of colour, and whether a coding without loss is allowed
        bits.number()
        bits.skip(1)
        if bits.skip(1):  # matrices of its own
            return 0
    bits.number()
    counted = bits.number()
    if counted == 0:
        bits.number()
    return 0 if counted == 1 else bits.number()


class _Bits:
    """Reads a set's numbers, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._bits, self._at = "".join(f"{byte:08b}" for byte in data[:64]), 0

    def skip(self, count: int) -> int:
        """A number of so many bits."""
        self._at += count
        return int(self._bits[self._at - count : self._at] or "0", 2)

    def number(self) -> int:
        """An exponential-Golomb number."""
        zeros = self._bits.find("1", self._at) - self._at
        if zeros < 0 or self._at + 2 * zeros >= len(self._bits):
            raise Refused("its H.264 header is damaged")
        self._at += zeros
        return self.skip(zeros + 1) - 1


def joined(one: bytes, other: bytes) -> bytes:
    """A header of H.264 with the sets of two.

    Raises:
        Refused: both use the same numbers, or one is no header.
    """
    (its_sps, its_pps, rest), (our_sps, our_pps, our_rest) = avc_sets(one), avc_sets(other)
    numbers = [{_number(s, 4) for s in its_sps}, {_number(s, 4) for s in our_sps}]
    pictures = [{_number(s, 1) for s in its_pps}, {_number(s, 1) for s in our_pps}]
    if numbers[0] & numbers[1] or pictures[0] & pictures[1]:
        raise Refused("its encoder uses the same numbers as ours")
    # The profile that stands first is the higher one, which reads the other, too.
    head, tail = (one, rest) if one[1] >= other[1] else (other, our_rest)
    level = max(one[3], other[3])
    return b"".join(
        [
            *(b"\1", head[1:3], bytes([level, 0xFC | (_LENGTH - 1)])),
            *(bytes([0xE0 | len(its_sps + our_sps)]), *map(_sized, its_sps + our_sps)),
            *(bytes([len(its_pps + our_pps)]), *map(_sized, its_pps + our_pps), tail),
        ]
    )


def before_keys(header: bytes) -> bytes:
    """The sets of HEVC's header as units that may stand before a key picture.

    Raises:
        Refused: it is stored in another way.
    """
    if len(header) < 23 or header[0] != 1 or header[21] & 3 != _LENGTH - 1:
        raise Refused("its HEVC is stored as broadcasts store it")
    units, at = b"", 23
    for _ in range(header[22]):
        count, at = int.from_bytes(header[at + 1 : at + 3], "big"), at + 3
        for _ in range(count):
            size = int.from_bytes(header[at : at + 2], "big")
            unit = header[at + 2 : at + 2 + size]
            units, at = units + len(unit).to_bytes(_LENGTH, "big") + unit, at + 2 + size
    if at > len(header) or not units:
        raise Refused("its HEVC header is damaged")
    return units


def _sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


def _number(unit: bytes, at: int) -> int:
    """The exponential-Golomb number at byte `at` of a unit."""
    return _Bits(unit[at:]).number()
