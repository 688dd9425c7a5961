"""From a cache of tracks and speech to the library."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.motion.library import KIND, load_library
from gsmooth_core.storage.arrays import load_arrays, save_arrays, save_track
from tests.motion import made
from training.motion import data, run
from training.motion.collect import collect, without_copies

PEOPLE = {"anna": ("train", 2.0, 1), "bert": ("train", 0.5, 2), "carl": ("validation", 1.0, 3)}
SECONDS = 8


@pytest.fixture
def prepared(tmp_path):
    """(footage, cache): a clip a person, and a second file of Anna's clip."""
    footage, cache = tmp_path / "footage", tmp_path / "cache"
    for folder in (footage, cache / "tracks", cache / "speech"):
        folder.mkdir(parents=True)
    lines = []
    for name, (part, degrees, seed) in PEOPLE.items():
        lines.append(f'[speakers.{name}]\npart = "{part}"\nclips = ["{name}*"]\n')
        for stem in (name, f"{name}_again")[: 2 if name == "anna" else 1]:
            clip(footage, cache, stem, degrees, seed)
    (footage / "split.toml").write_text("\n".join(lines))
    return footage, cache


def clip(footage, cache, stem, degrees, seed):
    (footage / f"{stem}.mp4").touch()
    motion = made.waves(SECONDS * 50, degrees, seed)[::2]
    track = made.track(motion[:, :3], motion[:, 3:])
    save_track(cache / "tracks" / f"{stem}.safetensors", track)
    sound = np.random.default_rng(seed).normal(size=16000 * SECONDS) * 3000
    sound[: 8000 * SECONDS] = 0
    arrays = {"audio": sound.astype(np.int16)}
    save_arrays(cache / "speech" / f"{stem}.safetensors", "speech", arrays, {"sync_offset": 0.0})


def test_the_command_writes_the_training_people_alone(prepared, tmp_path, monkeypatch):
    footage, cache = prepared
    words = ["--footage", footage, "--cache", cache, "--output", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", ["motion", *map(str, words)])
    run.main()
    path = tmp_path / "out" / "motion.safetensors"
    found, meta = load_library(path), load_arrays(path, KIND)[1]
    assert meta["about"] == {"people": 2, "clips": 2, "seconds": 16.0}
    calm, lively = found.motion[:200], found.motion[200:]
    assert lively[:, :3].std() > 2 * calm[:, :3].std()
    assert found.energy[:95].max() < 0.05 < 0.8 < found.energy[105:195].min()
    content = path.read_bytes()
    assert not any(name.encode() in content for name in PEOPLE)


def test_cuts_part_a_clip_and_short_parts_are_left_out(prepared):
    _, cache = prepared
    motion = made.waves(200, 1.0, 4)
    motion[150:, 1] += 0.5
    track = made.track(motion[:, :3], motion[:, 3:])
    assert np.flatnonzero(~data.uncut(track)).tolist() == [149]
    fast = made.track(motion[:, :3], motion[:, 3:], fps=Fraction(5))  # half as far in a frame
    assert data.uncut(fast).all()
    save_track(cache / "tracks" / "bert.safetensors", track)
    found = data.read_moving(run.chosen_footage(Options(prepared[0])), cache)
    lengths = {piece.sample.stem: len(piece.motion) for piece in found}
    assert lengths["bert"] == 149
    assert len(found) == 4


class Options:
    split = None

    def __init__(self, footage):
        self.footage = footage


def test_what_is_not_prepared_is_left_out(prepared):
    footage, cache = prepared
    (cache / "speech" / "carl.safetensors").unlink()
    found = data.read_moving(run.chosen_footage(Options(footage)), cache)
    assert {piece.sample.stem for piece in found} == {"anna", "anna_again", "bert"}
    assert len(without_copies(found)) == 2


def test_nothing_makes_no_library():
    with pytest.raises(InputError):
        collect([])
