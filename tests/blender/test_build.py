"""The extension's zip: what is in it, and that a fresh Blender installs and enables it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from blender_addon.build import ROOT, build


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


def test_zip_holds_the_add_on_and_the_core(archive):
    names = set(zipfile.ZipFile(archive).namelist())
    assert {"blender_manifest.toml", "__init__.py", "operators/dub_strip.py"} <= names
    assert {"gsmooth_core/__init__.py", "gsmooth_core/weights/face_model.safetensors"} <= names
    assert not [name for name in names if "__pycache__" in name or "tests" in name]
    assert not {"build.py", "demo.py"} & names


def test_zip_lists_the_workers_packages(archive):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = zipfile.ZipFile(archive).read("requirements.txt").decode().split("\n")
    assert listed == project["dependencies"]
    card = zipfile.ZipFile(archive).read("requirements-cuda.txt").decode().split("\n")
    assert card == project["optional-dependencies"]["torch"]
    words = zipfile.ZipFile(archive).read("requirements-words.txt").decode().split("\n")
    assert words == project["optional-dependencies"]["words"]


def test_versions_agree():
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert manifest["version"] == project["version"]


def test_same_sources_give_the_same_bytes(archive, tmp_path):
    assert build(tmp_path).read_bytes() == archive.read_bytes()


INSTALL = """
import bpy
archive = {archive!r}
bpy.ops.extensions.package_install_files(
    filepath=archive, repo="user_default", enable_on_install=True)
name = "bl_ext.user_default.gsmooth"
assert name in bpy.context.preferences.addons, "not enabled"
assert bpy.context.scene.gsmooth.strength == 1.0
import importlib
interpreter = importlib.import_module(name + ".worker.interpreter")
preferences = importlib.import_module(name + ".preferences")
assert (interpreter.core_folder() / "gsmooth_core" / "errors.py").is_file()
assert "user_default" in str(preferences.own_runtime())
bpy.ops.preferences.addon_disable(module=name)
assert not hasattr(bpy.types.Scene, "gsmooth")
bpy.ops.preferences.addon_enable(module=name)
print("installed and enabled")
"""


def in_fresh_blender(script, tmp_path):
    """Run a script in a Blender (or bpy module) of its own, with empty user folders."""
    bpy = pytest.importorskip("bpy")
    path = tmp_path / "script.py"
    path.write_text(script)
    command = [sys.executable, str(path)]
    if bpy.app.binary_path:
        command = [bpy.app.binary_path, "-b", "--python-exit-code", "1", "-P", str(path)]
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "user")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_fresh_blender_installs_and_enables_it(archive, tmp_path):
    done = in_fresh_blender(INSTALL.format(archive=str(archive)), tmp_path)
    assert "installed and enabled" in done.stdout, done.stdout + done.stderr


def test_blender_validates_it(archive):
    bpy = pytest.importorskip("bpy")
    if not bpy.app.binary_path:
        pytest.skip("the bpy module has no command line")
    command = [bpy.app.binary_path, "--command", "extension", "validate", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
