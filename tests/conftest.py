"""Fixtures shared by all rooms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def footage() -> Path:
    """Folder with `clips/` and `speech/`; tests skip where it is absent."""
    folder = Path(os.environ.get("GSMOOTH_FOOTAGE", ""))
    if not os.environ.get("GSMOOTH_FOOTAGE") or not (folder / "clips").is_dir():
        pytest.skip("needs GSMOOTH_FOOTAGE, a folder with clips/ and speech/")
    return folder
