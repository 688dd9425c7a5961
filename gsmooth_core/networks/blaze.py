"""What BlazeFace and BlazePalm have in common: anchors, boxes with key points, squares to look in.

A network of this kind sees a square picture and answers for each of its anchors; several answer
for the same thing, and are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.types import Float, Image

Tile = tuple[float, float, float]
"""Left, top and side of a square in pixels; it may reach outside the frame."""


@dataclass(frozen=True)
class Detection:
    """One face, or one palm.

    Attributes:
        box: (4,) left, top, right, bottom in pixels.
        keypoints: (N, 2) pixels. Of a face 6: eye at the picture's left, eye at its right, nose
            tip, mouth, ear at the left, ear at the right. Of a palm 7: wrist, first joints of
            index, middle, ring and little finger, root and first joint of the thumb.
        score: 0..1.
    """

    box: Float
    keypoints: Float
    score: float

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def centre(self) -> Float:
        """(2,) middle of the box."""
        return np.asarray((self.box[:2] + self.box[2:]) / 2, np.float32)


def anchors(grids: Sequence[tuple[int, int]]) -> Float:
    """(A, 2) anchor centres, 0..1: square grids of so many cells a side, each so many times."""
    found = []
    for cells, repeats in grids:
        ticks = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(ticks, ticks, indexing="ij")
        found.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), repeats, axis=0))
    return np.concatenate(found)


def scores(logits: Float) -> Float:
    """(A,) 0..1 of logits (1, A, 1)."""
    found: Float = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -50, 50)))
    return found


def decode(raw: Float, centres: Float, found: Float, tile: Tile) -> list[Detection]:
    """The detections of N anchors.

    Args:
        raw: (N, 4 + 2 K) centre, size and K key points, in sides of the picture; all but the size
            are counted from the anchor.
        centres: (N, 2) of the anchors.
        found: (N,) scores.
        tile: the square that the network saw.
    """
    left, top, side = tile
    points = raw.reshape(len(raw), raw.shape[1] // 2, 2).copy()  # (N, 4 + 2 K) -> (N, 2 + K, 2)
    places = [n for n in range(points.shape[1]) if n != 1]
    points[:, places] += centres[:, None]
    points *= side
    points[:, places] += (left, top)
    centre, half = points[:, 0], points[:, 1] / 2
    boxes = np.concatenate([centre - half, centre + half], 1).astype(np.float32)
    return [Detection(box, p[2:], float(s)) for box, p, s in zip(boxes, points, found, strict=True)]


def suppress(found: list[Detection], overlap: float) -> list[Detection]:
    """One detection a thing: the mean, by score, of those that overlap the best one."""
    left = sorted(found, key=lambda d: -d.score)
    merged: list[Detection] = []
    while left:
        same = [d for d in left if d is left[0] or _iou(d.box, left[0].box) >= overlap]
        merged.append(_mean(same))
        left = [d for d in left if all(d is not other for other in same)]
    return merged


def _mean(same: list[Detection]) -> Detection:
    share = np.array([d.score for d in same], np.float32)
    share /= share.sum()
    box = np.tensordot(share, np.array([d.box for d in same]), 1)
    keypoints = np.tensordot(share, np.array([d.keypoints for d in same]), 1)
    return Detection(box.astype(np.float32), keypoints.astype(np.float32), same[0].score)


def _iou(a: Float, b: Float) -> float:
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    total = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]))
    return shared / max(total - shared, 1e-9)


def cut(frame: Image, tile: Tile, side: int) -> Image:
    """The tile at side x side pixels; black outside the frame."""
    left, top, size = tile
    height, width = frame.shape[:2]
    x0, y0 = max(int(left), 0), max(int(top), 0)
    x1, y1 = min(round(left + size), width), min(round(top + size), height)
    if x1 <= x0 or y1 <= y0:  # less than a pixel of the frame
        return np.zeros((side, side, 3), np.uint8)
    scale = side / size
    inner = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    part = cv2.resize(frame[y0:y1, x0:x1], inner, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((side, side, 3), np.uint8)
    x, y = max(round((x0 - left) * scale), 0), max(round((y0 - top) * scale), 0)
    part = part[: side - y, : side - x]
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return canvas
