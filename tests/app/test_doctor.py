"""What the doctor says of models and places."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from gsmooth_core.app import doctor
from gsmooth_core.models import registry


def said(name):
    return doctor._model(name)


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    return tmp_path


def test_matches_is_said_of_what_was_compared(own):
    assert said("sync").detail.endswith("(matches)")
    (own / "sync.safetensors").write_bytes(b"of my own training")
    check = said("sync")
    assert check.ok
    assert "(matches" not in check.detail
    assert "(foreign" in check.detail
    (own / "epoch_20.pth").write_bytes(b"weights")
    assert "unchecked" in said("rnet").detail


def test_a_model_that_cannot_be_used_needs_help(own):
    os.mkfifo(own / "sync.safetensors")
    os.mkfifo(own / "epoch_20.pth")
    for name in ("sync", "rnet"):
        check = said(name)
        assert not check.ok
        assert "pipe" in check.detail
        assert check.hint


def test_an_optional_model_may_be_missing(own):
    check = said("bfm")
    assert check.ok
    assert str(own) in check.detail


def test_no_home_is_no_reason_to_end(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)

    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert doctor._numba_cache().name == "store for compiled code"
    assert all(said(name).detail for name in registry.MODELS)


def test_every_package_that_is_needed_is_looked_at():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    needed = {re.match(r"[\w-]+", n)[0] for n in tomllib.loads(text)["project"]["dependencies"]}
    looked_at = {distribution for distribution, _ in doctor._PACKAGES.values()}
    seen_otherwise = {"imageio-ffmpeg", "filelock", "platformdirs"}  # ffmpeg; it does not start
    assert needed - seen_otherwise == looked_at
