"""How a number of things is told."""

from __future__ import annotations

import pytest

from gsmooth_core.text import counted


@pytest.mark.parametrize(("number", "told"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames")])
def test_one_is_no_plural(number, told):
    assert counted(number, "frame") == told
