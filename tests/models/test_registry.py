"""The one door: where models are looked for, and what is said of those that are there."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import pytest

from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from tests.attacks.checkpoints import refused

SYNC = registry.PACKAGE_WEIGHTS / "sync.safetensors"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of the user's, which is looked at first."""
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    return tmp_path


def test_the_packages_own_match():
    for state in registry.verify():
        assert state.known == "matches" if state.model.shipped else "missing"
    assert registry.examine("sync").to_json()["sha256"] == registry.MODELS["sync"].sha256


def test_a_copy_in_the_users_folder_matches(own):
    shutil.copy(SYNC, own)
    state = registry.examine("sync")
    assert (state.path, state.known) == (own / "sync.safetensors", "matches")


def test_a_foreign_model_is_used_and_said_to_be_foreign_once(own, caplog):
    path = own / "sync.safetensors"
    path.write_bytes(b"of my own training")
    assert registry.examine("sync").known == "foreign"
    with caplog.at_level(logging.WARNING):
        assert registry.locate("sync") == path == registry.locate("sync")
    assert caplog.text.count("not the one that comes with GSmooth") == 1
    assert {state.known for state in registry.verify() if state.model.name == "sync"} == {"foreign"}


def test_a_model_of_unknown_hash_is_said_to_be_that(own):
    (own / "epoch_20.pth").write_bytes(b"weights")
    (own / "wav2vec2-base").mkdir()
    rnet, speech = registry.examine("rnet"), registry.examine("wav2vec2")
    assert (rnet.known, len(rnet.sha256)) == ("unknown hash", 64)
    assert (speech.known, speech.sha256) == ("unknown hash", "")


def test_a_replaced_file_is_hashed_again(own):
    path = own / "sync.safetensors"
    shutil.copy2(SYNC, path)
    assert registry.examine("sync").known == "matches"
    before = path.stat()
    content = bytearray(SYNC.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)  # of the same size
    assert registry.examine("sync").known == "foreign"
    other = own / "other"
    shutil.copy2(SYNC, other)
    os.utime(other, ns=(before.st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)  # of the same size and time
    assert registry.examine("sync").known == "matches"


def test_the_packages_own_is_damaged_when_it_does_not_match(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "PACKAGE_WEIGHTS", tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("GSMOOTH_MODELS", raising=False)
    (tmp_path / "sync.safetensors").write_bytes(b"half a model")
    assert registry.examine("sync").known == "damaged"
    refused(lambda: registry.locate("sync"), "damaged")
    assert registry.examine("taft").known == "missing"
    refused(lambda: registry.locate("taft"), "missing")
    refused(registry.verify)


@pytest.mark.parametrize("place", ["folder", "pipe", "loop", "broken link", "device"])
@pytest.mark.parametrize("name", ["sync", "bfm"])
def test_what_is_no_file_is_no_model(own, place, name):
    """Neither waited for, nor passed over without a word."""
    path = own / registry.MODELS[name].filename
    if place == "folder":
        path.mkdir()
    elif place == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"loop": path, "broken link": own / "none", "device": "/dev/zero"}[place])
    assert registry.examine(name).known == "damaged"
    refused(lambda: registry.locate(name), path.name)
    refused(registry.verify, path.name)


def test_a_file_in_place_of_a_folder_is_no_model(own):
    (own / "wav2vec2-base").write_bytes(b"x")
    refused(lambda: registry.locate("wav2vec2"), "not a folder")


def test_the_users_folder_is_the_systems_and_the_one_of_before(tmp_path, monkeypatch):
    monkeypatch.delenv("GSMOOTH_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert registry.model_folders() == [tmp_path / "gsmooth" / "models", registry.PACKAGE_WEIGHTS]
    monkeypatch.setattr(registry.platformdirs, "user_data_path", lambda **_: tmp_path / "system")
    folders = registry.model_folders()
    assert folders[:2] == [tmp_path / "system/gsmooth/models", tmp_path / "gsmooth/models"]


def test_no_home_is_no_reason_to_end(monkeypatch):
    """`Path.expanduser` and platformdirs raise, and a service may have none."""
    for name in ("HOME", "XDG_DATA_HOME", "APPDATA", "GSMOOTH_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("posixpath.expanduser", lambda path: path)
    with pytest.raises(RuntimeError):
        Path("~").expanduser()
    assert registry.model_folders() == [registry.PACKAGE_WEIGHTS]
    assert registry.locate("sync") == SYNC
    with pytest.raises(ModelError, match="GSMOOTH_MODELS"):
        registry.locate("bfm")
