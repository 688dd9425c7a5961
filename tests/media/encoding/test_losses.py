"""What an output cannot keep is said in a person's words, with what can be done about it."""

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.media.encoding.losses import Kept, picture_losses, timing_losses
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.timing import Timing


def told(chroma: str) -> str:
    picture = Picture(64, 64, "yuv444p")
    [*losses] = picture_losses(picture, Kept("H.264", 8, False, chroma, False))
    return " ".join(loss.text for loss in losses)


@pytest.mark.parametrize(("chroma", "written"), [("420", "4:2:0"), ("422", "4:2:2")])
def test_less_detail_of_colour_is_explained(chroma: str, written: str) -> None:
    text = told(chroma)
    assert f"({written} instead of 4:4:4)" in text
    assert "H.264" in text and "keying" in text  # whom it concerns
    assert "FFV1" in text  # and what to do


def test_nothing_is_said_where_colour_stays() -> None:
    assert told("444") == ""


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ([0, 1, 1, 2, 3], "1 frame repeats a picture."),
        ([0, 1, 1, 1, 2, 3], "2 frames repeat a picture."),
        ([0, 1, 3], "1 picture is left out."),
        ([0, 0, 0, 3], "2 frames repeat a picture and 2 pictures are left out."),
    ],
)
def test_what_a_rate_that_varies_becomes_is_counted(shown: list[int], said: str) -> None:
    timing = Timing(np.arange(4), Fraction(1, 25), Fraction(25), np.array(shown))
    [loss] = timing_losses(timing)
    assert loss.text == f"The frame rate varies; it becomes 25 a second: {said}"
