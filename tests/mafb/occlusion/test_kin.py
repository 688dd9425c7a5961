"""Letters that give no sign of their own are found by those that do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.occlusion.graphics import GraphicSettings, Signs
from gsmooth_core.mafb.occlusion.kin import letter_colours, related
from gsmooth_core.mafb.occlusion.letters import filled
from gsmooth_core.mafb.occlusion.steady import SteadyEdges, steady_edges
from tests.letters import written

FRAMES, SIZE = 40, (120, 240)
FACE, YELLOW = (180, 140, 120), (250, 230, 20)
SKIN = np.float32([[20, 10], [220, 10], [220, 110], [20, 110]])[None].repeat(FRAMES, 0)
WORD, FADED = (30, 50), (130, 90)


def drawn(text: str, at: tuple[int, int]) -> np.ndarray:
    """(H, W) 0..1 of letters."""
    return written(SIZE, text, at, 27)[..., None] / np.float32(255)


def shown(frame: int, first: int, last: int, fade: int) -> float:
    return float(np.clip(min(frame - first + 1, last - frame + 1) / (fade + 1), 0, 1))


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    rng, pictures = np.random.default_rng(2), []
    for frame in range(FRAMES):
        picture = np.full((*SIZE, 3), FACE, np.float32)
        picture[70:76, 40:70] = (150, 60, 60)  # lips
        for text, at, way in (("win", WORD, (10, 25, 0)), ("fade", FADED, (12, 27, 3))):
            share = drawn(text, at) * shown(frame, *way)
            picture = picture * (1 - share) + np.float32(YELLOW) * share
        pictures.append((picture + rng.normal(0, 1.5, picture.shape)).clip(0, 255).astype(np.uint8))
    return pictures


def known(edges: SteadyEdges, until: int) -> Signs:
    """The first letter of the word is sure, left of column `until`."""
    sure = (edges.x < until) & (edges.y < 60) & (edges.first == 10)
    return Signs(sure, sure.copy(), sure.copy())


def found_by(clip: list[np.ndarray], until: int) -> tuple[SteadyEdges, Signs, Signs]:
    edges = steady_edges(clip)
    signs = known(edges, until)
    mask = cv2.dilate(drawn("win", WORD), np.ones((3, 3))) > 0.1
    mask[:, until:] = False
    masks = [mask & (10 <= frame <= 25) for frame in range(FRAMES)]
    settings = GraphicSettings()
    return edges, signs, related(edges, signs, masks, clip, SKIN, settings)


def test_a_word_that_fades_is_found(clip) -> None:
    edges, before, after = found_by(clip, until=52)
    word = (edges.y < 60) & (edges.first == 10)
    assert 20 < before.sure.sum() < 0.6 * word.sum() and after.sure.sum() > 2 * before.sure.sum()
    faded = (edges.x > 125) & (edges.y > 60) & (edges.last - edges.first >= 10)
    assert faded.sum() > 45 and after.sure[faded].mean() > 0.8
    lips = (edges.x < 75) & (edges.y > 65)
    assert lips.sum() > 20 and not after.sure[lips].any()


def test_nothing_is_found_where_nothing_is_sure(clip) -> None:
    _, before, after = found_by(clip, until=0)
    assert not before.sure.any() and after is before


def test_a_colour_of_the_face_is_none_of_letters(clip) -> None:
    mask = cv2.dilate(drawn("win", WORD), np.ones((3, 3))) > 0.1
    masks = [mask & (12 <= frame <= 23) for frame in range(FRAMES)]
    skin = np.minimum(SKIN, 120)  # without the word that fades, which is not found yet
    assert letter_colours(masks, clip, skin).any()
    alike = [picture.copy() for picture in clip]
    share = np.linspace(0, 1, 80)[:, None]  # at their edges letters have all from skin to yellow
    for picture in alike:
        picture[80:100, 30:110] = np.array(FACE) * (1 - share) + np.array(YELLOW) * share
    assert not letter_colours(masks, alike, skin).any()


def test_a_word_that_is_always_there_is_continued_by_its_colour(clip) -> None:
    share, settings = drawn("win", WORD), GraphicSettings()
    pictures = [
        (picture * (1 - share) + np.float32(YELLOW) * share).astype(np.uint8) for picture in clip
    ]
    edges = steady_edges(pictures)
    word = (edges.y < 60) & (edges.first == 0) & (edges.last == FRAMES - 1)
    sure = word & (edges.x < 52)
    mask = cv2.dilate(share, np.ones((3, 3))) > 0.1
    mask[:, 52:] = False
    signs = Signs(sure, sure & False, sure & False)
    skin = np.minimum(SKIN, 120)
    after = related(edges, signs, [mask] * FRAMES, pictures, skin, settings)
    assert word.sum() > 1.5 * sure.sum() > 30 and after.sure[word].mean() > 0.9
    lips = (edges.x < 75) & (edges.y > 65)
    assert lips.sum() > 20 and not after.sure[lips].any()


def test_a_box_is_followed_to_its_ends() -> None:
    picture = np.full((*SIZE, 3), (180, 140, 120), np.uint8)
    picture[34:70, 5:235] = (20, 30, 160)
    letters = drawn("MILLER", (60, 60))
    picture = (picture * (1 - letters) + 255 * letters).astype(np.uint8)
    lines = np.zeros(SIZE, bool)
    lines[33:71, 89:141], lines[36:68, 91:139] = True, False
    lines[34:70, 90:140] |= letters[34:70, 90:140, 0] > 0.3
    box = filled(lines, picture)
    assert box[35:69, 6:234].mean() > 0.97 and box[:30].sum() == 0 and box[74:].sum() == 0
