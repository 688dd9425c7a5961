"""Which frames of the clip lend their pixels: a bank for the clip, and a few of it for each frame.

Frames are compared in one feature space, in millimetres: the shape of the mouth, and the rotation
of the head at so many degrees per millimetre. The bank spans that space. Each frame takes the
nearest members of the bank, with weights that fall to zero towards the first one not taken, so
that references come and go without a jump when the mouth moves smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.mouth import lip_gaps
from gsmooth_core.types import Bool, FaceTrack, Float, Int

_POINTS = 60
_CANDIDATES = 3000
_MM = 100.0  # a decimetre
_OPENING = 0.5  # weight of each gap of the lips: what is seen inside the mouth depends on them
_SAME = 1e-8
_ALIKE = 0.4  # logarithm of brightness that is made up for without a loss
_UNLIKE = 50.0  # square millimetres: the price of light that is e times brighter or darker
_DARKEST = 0.02
_ELSEWHERE = 4.0  # square millimetres: the price of another shot, with its own lens and look
_TURNED = 3.0  # degrees of which nothing is lost
_STEEP = 0.5  # square millimetres, of each squared degree beyond
_EXPOSED = 0.6  # share of the skin, of what is usual for the clip, that a reference must show
_NEARNESS = 2.0  # square millimetres: extra cost of a reference half way through its fade


@dataclass(frozen=True)
class ReferenceSettings:
    """How references are chosen.

    Attributes:
        bank: largest number of frames kept for a clip; those that no frame needs are not read.
        count: number of references for each frame (K).
        degrees: head rotation that counts as much as a millimetre of the lips.
        gap: seconds around a frame from which it takes no references; the frame itself is
            never taken, unless it is the only one.
        fade: seconds over which a reference fades in outside of the gap.
        smooth: frames over which the choice is smoothed (standard deviation).
        sharpness: larger values trust the nearest references more.
    """

    bank: int = 240
    count: int = 6
    degrees: float = 4.0
    gap: float = 0.0
    fade: float = 0.3
    smooth: float = 1.0
    sharpness: float = 2.0


def features(track: FaceTrack, model: MorphableModel, expression: Float, degrees: float) -> Float:
    """Features by which frames are compared.

    Args:
        track: T frames.
        model: the face model that the track was fitted with.
        expression: (T, E) that the frames' faces make.
        degrees: head rotation that counts as much as a millimetre of the lips.

    Returns:
        (T, D) in millimetres.
    """
    mouth = np.isin(model.regions, [Region.LIPS, Region.LOWER_FACE])
    vertices = np.flatnonzero(mouth)
    vertices = vertices[:: max(1, len(vertices) // _POINTS)]
    basis = model.expression_basis[:, vertices].reshape(len(model.expression_names), -1)
    shape = expression @ basis * (_MM / np.sqrt(len(vertices)))  # (T, 3 * points)
    turn = np.degrees(track.rotation) / degrees
    opening = _OPENING * _MM * lip_gaps(model, track.identity, expression)
    space: Float = np.concatenate([shape, turn, opening], 1).astype(np.float32)
    return space


def choose_bank(space: Float, usable: Bool, size: int) -> NDArray[np.int64]:
    """Frames that span the feature space: farthest-point sampling from its middle.

    Args:
        space: (T, D) features of the clip's own frames.
        usable: (T,) frames that may be taken.
        size: how many to take at most.

    Returns:
        sorted frame numbers.
    """
    frames = np.flatnonzero(usable)
    frames = frames[:: max(1, -(-len(frames) // _CANDIDATES))]
    if not len(frames):
        return frames
    points = space[frames]
    chosen = [int(((points - np.median(points, 0)) ** 2).sum(1).argmin())]
    distance = np.full(len(points), np.inf)
    while len(chosen) < min(size, len(frames)):
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(1))
        if distance.max() < _SAME:  # a still picture, however many frames it stands for
            break
        chosen.append(int(distance.argmax()))
    return np.sort(frames[chosen])


def well_exposed(track: FaceTrack) -> Bool:
    """(T,) frames whose skin is not lost in a flash or in black; all where there are no others.

    A face that is always overexposed lends what it has: only frames that show far less skin than
    is usual for the clip are left out.
    """
    if track.exposed is None or not track.usable.any():
        return np.ones(len(track), bool)
    exposed: Bool = track.exposed >= _EXPOSED * np.median(track.exposed[track.usable])
    return exposed if (exposed & track.usable).any() else np.ones(len(track), bool)


@dataclass(frozen=True)
class Choice:
    """References of T frames.

    Attributes:
        members: (T, K) places in the bank.
        weights: (T, K) 0..1, how much each is trusted; the largest is 1. All zero where a frame
            has no reference.
    """

    members: NDArray[np.int64]
    weights: Float


def costs(
    target: Float,
    own: Float,
    bank: NDArray[np.int64],
    fps: float,
    settings: ReferenceSettings | None = None,
    light: Float | None = None,
    shot: Int | None = None,
    picture: Int | None = None,
    price: Float | None = None,
    part: slice = slice(None),
) -> NDArray[np.float64]:
    """What it costs each frame to take each member of the bank; infinite where it must not.

    Args:
        target: (T, D) features of what the frames should show.
        own: (T, D) features of what the clip's frames show.
        bank: (B,) frame numbers of the bank.
        fps: frames per second.
        settings: number of references, gap and so on; the defaults by default.
        light: (T,) of `brightness`; frames in another light cost more.
        shot: (T,) number of each frame's shot; frames of another one cost more.
        picture: (T,) number of the picture that each frame shows; frames of the same one lend
            each other nothing. None where each has its own.
        price: (B,) square millimetres that a member of the bank costs more.
        part: those of the frames, N of them, whose costs are wanted; without a step.

    Returns:
        (N, B) square millimetres.
    """
    s = settings or ReferenceSettings()
    cost = _smoothed(target, own[bank], s.smooth, part)  # (N, B)
    if light is not None:
        cost = cost + _price_of_light(light[part], light[bank])
    if shot is not None:
        cost = cost + _ELSEWHERE * (shot[part, None] != shot[bank][None])
    if price is not None:
        cost = cost + price[None]
    numbers = np.arange(len(target)) if picture is None else picture
    allowed = _allowance(numbers[part], numbers[bank], fps, s)
    # Near in time is near in shape: the price must rise however small the cost is.
    cost = cost + _NEARNESS * (1 / np.maximum(allowed, 1e-6) - 1)
    cost[allowed <= 0] = np.inf
    return cost


def _smoothed(target: Float, bank: Float, deviation: float, part: slice) -> NDArray[np.float64]:
    """(N, B) squared distances of a part of the frames (T, D) to (B, D), smoothed over time."""
    first, last, _ = part.indices(len(target))
    reach = int(4 * deviation + 0.5)  # of the filter, which ends there
    begin, end = max(first - reach, 0), min(last + reach, len(target))
    distances = squared_distances(target[begin:end], bank)
    if deviation > 0 and end - begin > 1:
        distances = gaussian_filter1d(distances, deviation, axis=0, mode="nearest")
    return distances[first - begin : last - begin]


def choice_of(cost: NDArray[np.float64], settings: ReferenceSettings) -> Choice:
    """Choose K references for each frame by their costs (T, B)."""
    # A view would keep the order of the whole bank: 345 MB for two hours.
    members = np.argsort(cost, 1, kind="stable")[:, : settings.count].copy()
    return Choice(members, _weights(cost, members, settings.sharpness))


def brightness(track: FaceTrack) -> Float:
    """(T,) logarithm of how brightly the face is lit in each frame."""
    level = track.light[:, 0].mean(-1)
    logarithm: Float = np.log(np.maximum(level, _DARKEST)).astype(np.float32)
    return logarithm


def price_of_turn(
    rotation: Float, bank: NDArray[np.int64], part: slice = slice(None)
) -> NDArray[np.float64]:
    """What a head costs that is turned otherwise, beyond what it costs as a feature.

    A jaw that a reference hardly shows is stretched from its outline, and collar and background
    with it: no mouth is so much alike as to be worth that.

    Args:
        rotation: (T, 3) of the head, radians.
        bank: (B,) frame numbers.
        part: those of the frames, N of them, whose prices are wanted.

    Returns:
        (N, B) square millimetres.
    """
    turn = np.degrees(rotation[:, :2].astype(np.float64))  # nodding and turning
    beyond = np.sqrt(squared_distances(turn[part], turn[bank])) - _TURNED
    price: NDArray[np.float64] = _STEEP * np.maximum(beyond, 0) ** 2
    return price


def _price_of_light(wanted: Float, own: Float) -> NDArray[np.float64]:
    """(T, B) nothing for alike light, then the more, the more pixels must be changed."""
    apart = np.abs(wanted[:, None].astype(np.float64) - own[None])
    price: NDArray[np.float64] = _UNLIKE * np.maximum(apart - _ALIKE, 0) ** 2
    return price


def squared_distances(a: Float, b: Float) -> NDArray[np.float64]:
    """(T, B) between the rows of (T, D) and (B, D), without T x B x D values at once."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    distances: NDArray[np.float64] = np.maximum(squares, 0)
    return distances


def _allowance(
    picture: NDArray[Any], bank: NDArray[Any], fps: float, s: ReferenceSettings
) -> Float:
    """(N, B) 0 within the gap between two pictures, rising to 1 over the fade."""
    apart = np.abs(picture[:, None] - bank[None]) / fps
    if len(bank) == 1:  # a still picture is its own reference
        return np.ones_like(apart, np.float32)
    ramp = np.clip((apart - s.gap) / max(s.fade, 1e-6), 0, 1)
    return np.where(apart > 0, ramp, 0).astype(np.float32)


def _weights(cost: NDArray[np.float64], members: NDArray[np.int64], sharpness: float) -> Float:
    """(T, K) weights that reach zero at the cost of the first frame not taken."""
    count = members.shape[1]
    ordered = np.sort(cost, 1)
    taken = ordered[:, :count]
    end = ordered[:, count] if ordered.shape[1] > count else np.full(len(cost), np.inf)
    finite = np.where(np.isfinite(taken), taken, 0)
    end = np.where(np.isfinite(end), end, 2 * finite.max(1) + 1)
    share = finite / np.maximum(end, 1e-300)[:, None]  # the first one not taken may cost nothing
    raw = np.where(np.isfinite(taken), 1 - share, 0).clip(0) ** sharpness
    best = raw.max(1, keepdims=True)
    # When the first frame not taken is as near as the nearest one, all are equally good.
    even = np.isfinite(taken).astype(np.float64)
    return np.where(best > 1e-9, raw / np.maximum(best, 1e-9), even).astype(np.float32)
