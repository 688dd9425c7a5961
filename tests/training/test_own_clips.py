"""What the README says about one's own clips, from a folder of videos to models that load."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("accelerate")

from gsmooth_core.a2ep import predict_expression
from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.media import read_audio
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.sync import load_sync_expert, measure_sync
from gsmooth_core.taft.generators.checkpoint import load_generator
from tests.training import talking
from training.split import Part, read_split

ROOT = Path(__file__).parent.parent.parent
CLIPS = {"anna_1": 1, "anna_2": 1, "bo": 2, "cy": 3}
VGG16 = 13  # convolutions

pytestmark = pytest.mark.slow


def run(module: str, *words: object, fails: int = 0) -> str:
    """Run a command of the training room; returns what it says."""
    command = [sys.executable, "-m", f"training.{module}", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == fails, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with footage/, its split, and the cache that is made of it."""
    folder = tmp_path_factory.mktemp("own")
    footage = talking.footage(folder / "footage", CLIPS)
    run("split", "--footage", footage)
    run("prepare", "--footage", footage, "--cache", folder / "cache", "--variants", 1)
    return folder


def options(place: Path, output: str, steps: int) -> list[object]:
    words = ("--footage", place / "footage", "--cache", place / "cache", "--steps", steps)
    return [*words, "--output", place / output]


def judges(place: Path) -> list[str]:
    """Stems of the clips whose people validate."""
    split = read_split(place / "footage" / "split.toml")
    return [n for n in CLIPS if split.speaker_of(Path(f"{n}.mp4")).part is Part.VALIDATION]


def test_nothing_is_trained_before_it_is_said_who_is_who(tmp_path: Path) -> None:
    (tmp_path / "anna.mp4").touch()
    for module in ("prepare", "a2ep", "sync", "taft"):
        output = [] if module == "prepare" else ["--output", tmp_path / "out"]
        words = ("--footage", tmp_path, "--cache", tmp_path / "cache", *output)
        told = run(module, *words, fails=3)
        assert "training.split" in told
        assert "Traceback" not in told


def test_speech_to_expression(place: Path) -> None:
    run("a2ep", *options(place, "a2ep", 3))
    figures = json.loads((place / "a2ep" / "figures.json").read_text())
    assert list(figures) == judges(place)
    assert np.isfinite([list(row.values()) for row in figures.values()]).all()
    model = load_checkpoint(place / "a2ep" / "a2ep.safetensors")
    heard = read_audio(place / "footage" / "anna_1.mp4", SAMPLE_RATE)
    made = predict_expression(heard, talking.FRAMES, Fraction(25), model=model)
    track = load_track(place / "cache" / "tracks" / "anna_1.safetensors")
    said, seen = (x[:, n.index("jawOpen")] for x, n in (
        (made.values, made.names), (track.expression, track.expression_names)
    ))  # fmt: skip
    assert np.corrcoef(said, seen)[0, 1] > 0.5  # the jaw follows loudness, and was heard to


def test_lips_and_sound(place: Path) -> None:
    assert "step 4" in run("sync", *options(place, "sync", 4))
    first = load_sync_expert(place / "sync" / "sync.safetensors").state_dict()
    assert "going on from step 4" in run("sync", *options(place, "sync", 6))
    run("sync", *options(place, "other", 4), "--seed", 1)
    last = load_sync_expert(place / "sync" / "sync.safetensors")
    other = load_sync_expert(place / "other" / "sync.safetensors").state_dict()
    name = "lips.leave.weight"
    assert not torch.equal(first[name], last.state_dict()[name])
    assert not torch.equal(first[name], other[name])
    track = load_track(place / "cache" / "tracks" / "bo.safetensors")
    audio = read_audio(place / "footage" / "bo.mp4", SAMPLE_RATE)
    assert np.isfinite(measure_sync(track, track.fps, audio, last).confidence)


def trunk(path: Path) -> Path:
    """Random weights in VGG-16's layout, narrow."""
    torch.manual_seed(0)
    state = {}
    for n in range(VGG16):
        state[f"{n}.weight"] = torch.randn(8, 3 if n == 0 else 8, 3, 3) / 8
        state[f"{n}.bias"] = torch.zeros(8)
    torch.save(state, path)
    return path


def test_blend_to_photo(place: Path) -> None:
    vgg = trunk(place / "trunk.pth")
    run("taft", *options(place, "taft", 3), "--batch", 1, "--trunk", vgg)
    load_generator(place / "taft" / "taft.safetensors")
    told = run("taft", *options(place, "taft", 4), "--batch", 1, "--trunk", vgg)
    assert "going on from step 3" in told
    assert all(stem in told for stem in judges(place))
