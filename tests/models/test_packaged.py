"""Models in installed packages: put together, and never taken for what they are not."""

from __future__ import annotations

import hashlib

import pytest

from gsmooth_core.errors import ModelError
from gsmooth_core.models import packaged as door

HINT = "pip install it"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two parts, which make one file up."""
    name = f"made_{tmp_path.name}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "one").write_bytes(b"first ")
    (folder / "two").write_bytes(b"second")
    monkeypatch.syspath_prepend(tmp_path)
    sha256 = hashlib.sha256(b"first second").hexdigest()
    files = {"model.bin": (((name, "one"), (name, "two")), sha256)}
    missing = {"model.bin": ((("no_such_package", "one"),), sha256)}
    monkeypatch.setattr(door, "PACKAGED", {"made": files, "missing": missing})
    return folder


def test_parts_are_joined_in_their_order(package):
    assert door.packaged("made", HINT) == {"model.bin": b"first second"}


def test_other_content_is_refused(package):
    (package / "two").write_bytes(b"sec0nd")
    with pytest.raises(ModelError, match=r"model\.bin.*damaged") as caught:
        door.packaged("made", HINT)
    assert caught.value.hint == HINT


@pytest.mark.parametrize("name", ["missing", "made"])
def test_what_is_not_installed_is_named(package, name):
    (package / "one").unlink()
    with pytest.raises(ModelError, match=r"not installed|lack model\.bin") as caught:
        door.packaged(name, HINT)
    assert caught.value.hint == HINT
