"""Edges of what hides something else are as soft as a camera makes them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from gsmooth_core.face.rasterizer import Raster, rasterize
from gsmooth_core.portrait import warp
from gsmooth_core.portrait.layers import Layers
from gsmooth_core.portrait.sheet import Sheet, sheet_of
from gsmooth_core.portrait.warp import warped
from gsmooth_core.types import Float, Image
from tests.portrait import scene

SIDE, TIMES = 120, 4
"""Pixels of a photo, and by which one is larger whose warped pixels are averaged."""
WIDE, FAR = 9.0, 30.0
"""Pixels across which a pushed place bulges, and by which: so far that it hides what is beside."""


@cache
def some_sheet() -> Sheet:
    return sheet_of(scene.still(), scene.face_model())


def pushed(times: int, way: tuple[float, float]) -> tuple[Sheet, Float]:
    """A surface of nodes two pixels apart, and where they are seen when its middle is pushed."""
    count = times * SIDE // 2 + 1
    axis = np.linspace(0, times * SIDE, count)
    pixels = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = (
        index[i : i + count - 1, j : j + count - 1].ravel() for i in (0, 1) for j in (0, 1)
    )
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
    away = np.linalg.norm(pixels / times - SIDE / 2, axis=1)
    bulge = np.exp(-((away / WIDE) ** 2) / 2)[:, None]
    seen = np.concatenate([pixels + times * FAR * bulge * np.array(way), 9 - bulge], 1)
    flat = replace(
        some_sheet(), pixels=pixels.astype(np.float32), faces=faces, size=2 * (times * SIDE,)
    )
    return flat, seen.astype(np.float32)


def picture(times: int, way: tuple[float, float], parted: bool = False) -> Image:
    """What is pushed is pale, the rest dark, or the edge of a person; warped."""
    y, x = (np.mgrid[: times * SIDE, : times * SIDE] + 0.5) / times - SIDE / 2
    ahead = 1 / (1 + np.exp(2 * (x * way[0] + y * way[1] - 2)))  # 1 on one side, soft
    photo = np.rint(40 + 180 * ahead[..., None] * [1, 0.9, 0.8]).astype(np.uint8)
    layers = (
        Layers(np.full_like(photo, 40), np.minimum(2 * ahead, 1).astype(np.float32))
        if parted
        else None
    )
    return warped(photo, *pushed(times, way), layers)


@pytest.mark.parametrize("parted", [False, True])
@pytest.mark.parametrize("way", [(1.0, 0.0), (0.0, -1.0), (0.8, 0.6)])
def test_a_pixel_at_an_edge_shows_some_of_both(way: tuple[float, float], parted: bool) -> None:
    """Against a larger photo, warped and made smaller: what a finer camera would have seen."""
    true = cv2.resize(picture(TIMES, way, parted), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    apart = np.abs(picture(1, way, parted).astype(int) - true).max(-1)
    assert apart.max() < 50
    assert (apart > 20).sum() < 12


@pytest.mark.parametrize("way", [(1.0, 0.0), (0.0, -1.0)])
def test_edges_are_drawn_in_strips_as_at_once(
    way: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, sizes = picture(TIMES, way, parted=True), []

    def rasterised(*given: Any) -> Raster:
        raster = rasterize(*given)
        sizes.append(raster.mask.shape[0])
        return raster

    monkeypatch.setattr(warp, "_STRIP", 20)
    monkeypatch.setattr(warp, "rasterize", rasterised)
    apart = np.abs(picture(TIMES, way, parted=True).astype(int) - whole)
    assert apart.max() <= 1
    assert len(sizes) > 3
    assert max(sizes[1:]) <= 2 * 20  # after the whole box, once
