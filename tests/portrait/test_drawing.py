"""Faces of a few lines are refused; painted, carved and filmed ones are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.errors import NoFaceError
from gsmooth_core.portrait.drawing import refuse_drawing
from gsmooth_core.types import Bool, Image
from tests.portrait import scene


def lines() -> tuple[Image, Bool]:
    """A round face on paper, and where it is."""
    paper = np.full((300, 300, 3), 245, np.uint8)
    cv2.circle(paper, (150, 150), 100, (30, 30, 30), 4)
    for x in (115, 185):
        cv2.circle(paper, (x, 125), 10, (20, 60, 120), -1)
    cv2.ellipse(paper, (150, 180), (45, 22), 0, 10, 170, (200, 30, 30), 4)
    face = np.zeros((300, 300), np.uint8)
    cv2.circle(face, (150, 150), 100, 1, -1)
    return paper, face > 0


def test_a_childs_drawing_is_refused_with_words() -> None:
    paper, face = lines()
    with pytest.raises(NoFaceError, match="few lines"):
        refuse_drawing(paper, np.zeros(face.shape, np.float32), face)


def test_what_passes_for_a_person_is_never_refused() -> None:
    paper, face = lines()
    refuse_drawing(paper, np.ones(face.shape, np.float32), face)


def test_a_shaded_head_is_taken_though_the_matte_does_not_know_it() -> None:
    photo = scene.photo()
    face = (photo.max(2).astype(int) - photo.min(2)) > 40  # coloured, before grey stripes
    assert face.sum() > 2000
    refuse_drawing(photo.copy(), np.zeros(face.shape, np.float32), face)
