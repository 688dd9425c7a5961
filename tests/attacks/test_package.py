"""What lies about in a checkout stays out of the extension, and no link gets into it."""

from __future__ import annotations

import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from blender_addon import build
from blender_addon.errors import UserError

CHECKOUT = build.ROOT
WEIGHTS = (
    "a2ep.safetensors",
    "face_landmarker.task",
    "face_model.safetensors",
    "hand_landmarks.tflite",
    "motion.safetensors",
    "palm_detection.tflite",
    "recognise.safetensors",
    "selfie_segmentation.tflite",
    "sync.safetensors",
    "taft.safetensors",
)
STRAYS = (
    "notes.md",
    "LICENSE.bak",
    "blender_addon/.env",
    "blender_addon/notes.txt",
    "blender_addon/requirements.txt",
    "blender_addon/take3.mp4",
    "blender_addon/worker/runtime.py~",
    "blender_addon/#runtime.py#",
    "blender_addon/worker/runtime copy.py",
    "blender_addon/worker/runtime.bak.py",
    "blender_addon/runtime_LOCAL_4711.py",
    "blender_addon/__pycache__/runtime.cpython-311.pyc",
    "blender_addon/__pycache__/old.py",
    "blender_addon/no_package/loose.py",
    "blender_addon/operators/.ipynb_checkpoints/cancel-checkpoint.py",
    "gsmooth_core/.env",
    "gsmooth_core/todo.md",
    "gsmooth_core/keys.json",
    "gsmooth_core/runs/events.txt",
    "gsmooth_core/runs/model.safetensors",
    "gsmooth_core/taft/model.onnx",
    "gsmooth_core/networks/graphs/mine.onnx",
    "gsmooth_core/weights/helper.py",
    "gsmooth_core/weights/BFM_model_front.mat",
    "gsmooth_core/weights/BFM_model_front.md",
    "gsmooth_core/weights/epoch_20.pth",
    "gsmooth_core/weights/experiment.safetensors",
    "gsmooth_core/weights/experiment.md",
    "gsmooth_core/weights/taft.safetensors.old",
    "gsmooth_core/weights/wav2vec2-base/config.json",
)


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A checkout of its own, with small files for the weights."""
    root = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.task")
    for room in ("blender_addon", "gsmooth_core"):
        shutil.copytree(CHECKOUT / room, root / room, ignore=ignore)
    for name in ("LICENSE", "blender_manifest.toml", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, root / name)
    for name in WEIGHTS:
        (root / "gsmooth_core" / "weights" / name).write_text(name)
    monkeypatch.setattr(build, "ROOT", root)
    return root


def packed(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(build.build(folder)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def graph_files(root: Path) -> list[Path]:
    return [*(root / "gsmooth_core" / "networks" / "graphs").iterdir()]


def test_all_that_belongs_is_packed(checkout, tmp_path):
    names = set(packed(tmp_path / "dist"))
    assert {f"gsmooth_core/weights/{name}" for name in WEIGHTS} <= names
    cards = {f"gsmooth_core/weights/{Path(name).stem}.md" for name in WEIGHTS}
    code = {
        str(path.relative_to(checkout)) for path in (checkout / "gsmooth_core").rglob("*.py")
    } | {
        str(path.relative_to(checkout / "blender_addon"))
        for path in (checkout / "blender_addon").rglob("*.py")
        if path.name not in ("build.py", "demo.py")
    }
    graphs = {f"gsmooth_core/networks/graphs/{path.name}" for path in graph_files(checkout)}
    other = {
        "LICENSE",
        "blender_manifest.toml",
        "requirements.txt",
        "requirements-cuda.txt",
        "requirements-words.txt",
    } | graphs
    assert names == {f"gsmooth_core/weights/{name}" for name in WEIGHTS} | cards | code | other
    assert len(graphs) > 2


def test_strays_change_not_one_byte(checkout, tmp_path):
    before = build.build(tmp_path / "before").read_bytes()
    for name in STRAYS:
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("evil-package\nsecret = 'hunter2'\n")
    assert build.build(tmp_path / "after").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "pyproject.toml",
        "blender_addon/worker/runtime.py",
        "blender_addon/new.py",
        "blender_addon/operators",
        "gsmooth_core/app/worker.py",
        "gsmooth_core/taft",
        "gsmooth_core/taft/__init__.py",
        "gsmooth_core/weights",
        "gsmooth_core/weights/taft.safetensors",
        "gsmooth_core/weights/taft.md",
        "gsmooth_core",
    ],
)
def test_link_among_what_belongs_is_refused(checkout, tmp_path, name):
    path, elsewhere = checkout / name, tmp_path / "elsewhere"
    if path.exists():
        path.rename(elsewhere)
    else:
        elsewhere.write_text("secret")
    path.symlink_to(elsewhere)
    with pytest.raises(UserError, match="is a link"):
        build.build(tmp_path / "dist")


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_elsewhere_do_not_matter(checkout, tmp_path):
    before = packed(tmp_path / "before")
    (tmp_path / "secret.txt").write_text("hunter2")
    (checkout / "gsmooth_core" / "notes.txt").symlink_to(tmp_path / "secret.txt")
    (checkout / "gsmooth_core" / "notes").symlink_to(tmp_path)
    (checkout / "gsmooth_core" / "weights" / "big.safetensors").symlink_to("/nowhere")
    assert packed(tmp_path / "after") == before


@pytest.mark.parametrize(
    "name", ["LICENSE", "gsmooth_core/weights/taft.safetensors", "gsmooth_core/weights/sync.md"]
)
def test_missing_part_is_named(checkout, tmp_path, name):
    (checkout / name).unlink()
    with pytest.raises(UserError, match=Path(name).name):
        build.build(tmp_path / "dist")


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_output_folder_keeps_what_is_the_users(checkout, tmp_path):
    """A folder of the user's in the output, and a link under the zip's name."""
    output, victim = tmp_path / "dist", tmp_path / "victim"
    (output / "staged").mkdir(parents=True)
    (output / "staged" / "mine.txt").write_text("mine")
    victim.write_text("mine")
    (output / "gsmooth-0.1.0.zip").symlink_to(victim)
    target = build.build(output)
    assert zipfile.is_zipfile(target)
    assert victim.read_text() == (output / "staged" / "mine.txt").read_text() == "mine"


def test_command_says_it_in_words(checkout, tmp_path, monkeypatch, capsys):
    (checkout / "LICENSE").unlink()
    monkeypatch.setattr(sys, "argv", ["build", "--output", str(tmp_path / "dist")])
    assert build.main() == 1
    assert "LICENSE" in capsys.readouterr().err


def test_what_changed_its_interface_before_has_an_upper_bound():
    """A fresh installation would otherwise get a newer one that nobody has tried."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        needed = [Requirement(line) for line in tomllib.load(file)["project"]["dependencies"]]
    compiled = {"ai-edge-litert", "av", "numpy", "onnxruntime", "opencv-python"}
    assert compiled <= {one.name for one in needed}
    for one in needed:
        assert one.name not in compiled or not one.specifier.contains("1000"), str(one)
