"""What an output cannot keep is said in a person's words, with what can be done about it."""

import pytest

from gsmooth_core.media.encoding.losses import Kept, picture_losses
from gsmooth_core.media.reading.description import Picture


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
