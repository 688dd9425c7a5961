"""Making the worker's environment, without any network."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from blender_addon.worker import installer, interpreter
from blender_addon.worker.process import Process
from blender_addon.worker.task import Task


def install(tmp_path, requirements, task_of=Task, **more):
    arguments = {"folder": str(tmp_path / "new env"), "requirements": requirements, **more}
    program = [sys.executable, "-I", installer.__file__]
    task = task_of("Install", "install", arguments, Process(program, tmp_path / "install.log"))
    task.wait()
    return task


HAS_ENSUREPIP = importlib.util.find_spec("ensurepip") is not None
needs_ensurepip = pytest.mark.skipif(not HAS_ENSUREPIP, reason="makes no environments")


@pytest.fixture
def package(tmp_path):
    """A package that can be installed from its folder of one file."""
    wheel = tmp_path / "nothing-1.0-py3-none-any.whl"
    info = "nothing-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("nothing.py", "answer = 42")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{info}/WHEEL", tag)
        file.writestr(f"{info}/RECORD", "")
    return wheel


@pytest.mark.slow
@needs_ensurepip
def test_environment_is_made_and_filled(tmp_path, package, monkeypatch):
    monkeypatch.delenv("GSMOOTH_PYTHON", raising=False)
    task = install(tmp_path, [str(package)])
    assert task.failure is None
    python = interpreter.python_in(tmp_path / "new env")
    assert interpreter.find_python("", own=tmp_path / "new env")[1] == python
    code = "import nothing; print(nothing.answer)"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "42"


@pytest.mark.slow
@needs_ensurepip
def test_more_than_was_said_is_asked_before_it_comes(tmp_path, package):
    """3 MB are found where 1 MB was said; the next try knows of them."""
    bpy = pytest.importorskip("bpy")
    from blender_addon import preferences
    from blender_addon.operators.install_worker import InstallTask

    assert bpy
    with zipfile.ZipFile(package, "a") as file:
        file.writestr("ballast.bin", bytes(3_000_000))
    preferences._found_sizes.clear()
    for said, code in (([1, 4], "larger"), ([3, 12], ""), ([3, 1 << 31], "disk")):
        task = install(tmp_path, [str(package)], InstallTask, kind="cpu", said=said)
        assert (task.failure.code if task.failure else "") == code
        assert preferences.sizes("cpu")[0] == 3
        assert 8 < preferences.sizes("cpu")[1] < 12  # an environment is about three times as large
        assert (tmp_path / "new env").exists() == (code == "")
    preferences._found_sizes.clear()
    sizes = preferences.SIZES[sys.platform]["cpu"]
    assert preferences.sizes("cpu") == sizes
    assert "about {} MB and takes {} MB of the disk".format(*sizes) in preferences.size_text("cpu")


def test_sizes_are_said_of_what_is_found(tmp_path, capsys):
    made = installer.Installer(tmp_path / "env", "cuda", (100, 250))
    made._downloads = tmp_path
    made._check_size(119)
    with pytest.raises(installer.InstallError, match="121 MB would be downloaded, more than the"):
        made._check_size(121)
    found = [json.loads(line)["megabytes"] for line in capsys.readouterr().out.splitlines()]
    assert found == [119, 121]


def test_windows_takes_no_pytorch_without_cards():
    """PyPI's for Windows knows none, while that for Linux does."""
    plain, card = ({"name": "torch", "version": version} for version in ("2.13.0", "2.12.0+cu126"))
    assert installer.lacks_card([plain], "win32")
    assert not installer.lacks_card([card], "win32")
    assert not installer.lacks_card([plain], "linux")


@pytest.mark.parametrize("said", [[1], [1, -1], ["1", 2], 7, [1.5, 2], [True, 1]])
def test_sizes_that_are_none_are_refused(said):
    line = json.dumps({"arguments": {"folder": "x", "requirements": [], "said": said}})
    with pytest.raises(installer.InstallError):
        installer.read_request(line)


@pytest.mark.slow
@needs_ensurepip
def test_failed_download_is_an_error_in_words(tmp_path):
    task = install(tmp_path, [str(tmp_path / "missing.whl")])
    assert task.failure.code == "install"
    assert "network" in task.failure.hint


@pytest.mark.skipif(HAS_ENSUREPIP, reason="has ensurepip")
def test_python_that_does_not_suit_says_what_to_install(tmp_path):
    suits = installer.OLDEST <= sys.version_info[:2] <= installer.NEWEST
    words = "python3-venv" if suits else "Python 3.11 to 3.13"
    assert words in install(tmp_path, []).failure.hint


def test_closing_blender_stops_it(tmp_path):
    arguments = {"folder": str(tmp_path / "env"), "requirements": []}
    program = [sys.executable, "-I", installer.__file__]
    task = Task("Install", "install", arguments, Process(program, tmp_path / "install.log"))
    task.cancel()
    task.wait()
    assert not task.running
    assert task.process.popen.poll() is not None
    assert not (tmp_path / "env").exists()


@needs_ensurepip
def test_cancel_in_the_middle_leaves_nothing_behind(tmp_path, monkeypatch):
    """A package whose build takes for ever, stopped while it is built."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    package = tmp_path / "slow"
    package.mkdir()
    backend = 'build-backend = "forever"\nbackend-path = ["."]\nrequires = []\n'
    (package / "pyproject.toml").write_text(f"[build-system]\n{backend}")
    (package / "forever.py").write_text(
        f"import pathlib, time\npathlib.Path({str(tmp_path / 'begun')!r}).touch()\ntime.sleep(60)"
    )
    arguments = {"folder": str(tmp_path / "env"), "requirements": [str(package)]}
    program = [sys.executable, "-I", installer.__file__]
    task = Task("Install", "install", arguments, Process(program, tmp_path / "install.log"))
    end = time.monotonic() + 60
    while task.update() and not (tmp_path / "begun").exists() and time.monotonic() < end:
        task.pause()
    assert (tmp_path / "begun").exists()
    assert interpreter.python_in(tmp_path / "env").exists()
    offered = [path for _origin, path in interpreter._candidates("", tmp_path / "env")]
    assert interpreter.python_in(tmp_path / "env") not in offered  # half made
    task.cancel()
    task.wait()
    assert task.failure is not None
    assert not (tmp_path / "env").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@needs_ensurepip
def test_cancel_takes_downloads_along_and_an_error_does_not(tmp_path, package, monkeypatch):
    """What an earlier try has downloaded lies beside the environment."""

    def left(stop):
        made = installer.Installer(tmp_path / "env")
        kept = tmp_path / "env-downloads" / "abc" / "big.whl"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(b"half of it")

        def fails(packages):
            made._stopped = stop
            raise installer.InstallError("It failed.", "")

        monkeypatch.setattr(made, "_make", fails)
        with pytest.raises(installer.InstallError):
            made.install([str(package)])
        return kept.exists(), (tmp_path / "env-downloads").exists()

    if installer.OLDEST <= sys.version_info[:2] <= installer.NEWEST:
        assert left(stop=False) == (True, True)
        assert left(stop=True) == (False, False)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed",
            "tls",
        ),
        (
            "ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 407",
            "proxy",
        ),
        ("NewConnectionError: Failed to establish a new connection: [Errno 111]", "network"),
        ("NameResolutionError: Failed to resolve 'example.org'", "network"),
        ("OSError: [Errno 28] No space left on device", "disk"),
        ("ERROR: No matching distribution found for torch", "install"),
    ],
)
def test_causes_are_named(line, code):
    said = [line, "WARNING: and more", "the last line"]
    found = installer.failure(said, "a hint")
    assert found.code == code
    assert (found.hint == "a hint") == (code == "install")
    assert code != "install" or line in found.message


def test_bytes_are_told_while_a_package_comes(tmp_path, capsys):
    target, work = tmp_path / "target", tmp_path / "work"
    target.mkdir()
    work.mkdir()
    (work / "report.json").write_bytes(b"x" * 5000)
    with installer._Watch([target, work], "torch 2.13", 2048, 100 << 10) as watch:
        (work / "torch.whl").write_bytes(b"x" * (50 << 10))
        watch._tell()
        (target / "torch.whl").write_bytes(b"x" * (98 << 10))
        watch._tell()
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["text"] == "torch 2.13"
    done = [event["done"] for event in events if event["event"] == "progress"]
    assert (done[0], 52 in done, max(done)) == (2, True, 100)
    assert all(e["total"] == 100 for e in events if e["event"] == "progress")


def test_a_kind_of_machine_that_nobody_knows_is_refused():
    line = json.dumps({"arguments": {"folder": "x", "requirements": [], "kind": "--index-url"}})
    with pytest.raises(installer.InstallError):
        installer.read_request(line)


def shim(path, code):
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_python_that_does_not_run_is_passed_over(tmp_path, monkeypatch):
    pytest.importorskip("bpy")
    from blender_addon.operators import install_worker

    broken = shim(tmp_path / "python3.12", "exit 127")
    hanging = shim(tmp_path / "python3.11", "exec sleep 30")
    monkeypatch.setattr(install_worker, "_PATIENCE", 0.5)
    assert not install_worker.suits(broken)
    assert not install_worker.suits(hanging)
    assert not install_worker.suits(tmp_path / "none")
    monkeypatch.setattr(install_worker, "_PATIENCE", 20.0)
    new = installer.OLDEST <= sys.version_info[:2] <= installer.NEWEST
    assert install_worker.suits(Path(sys.executable)) == (new and HAS_ENSUREPIP)


def test_version_that_does_not_suit_is_passed_over(monkeypatch):
    monkeypatch.setattr(installer, "NEWEST", (3, 10))
    assert not installer.suits()


def test_packages_are_the_projects():
    light, card = (installer.requirements(kind) for kind in ("cpu", "cuda"))
    assert any(name.startswith("onnxruntime") for name in light)
    assert not any(name.startswith("torch") for name in light)
    assert card[: len(light)] == light
    assert any(name.startswith("torch") for name in card)
    assert not any("whisper" in name for name in (*light, *card))
    hears = installer.requirements("cuda", words=True)
    assert hears[: len(card)] == card
    assert any(name.startswith("faster-whisper") for name in hears)


def test_what_hears_words_is_said_and_installed_where_it_is_wanted(scene, monkeypatch):
    import bpy

    from blender_addon import preferences
    from blender_addon.operators import install_worker

    asked = {}
    monkeypatch.setattr(install_worker, "InstallTask", lambda *how: asked.update(how[2]))
    monkeypatch.setattr(install_worker, "Process", lambda *_: None)
    monkeypatch.setattr(install_worker, "base_pythons", lambda: [Path(sys.executable)])
    monkeypatch.setattr(install_worker, "suits", lambda _: True)
    operator = install_worker.GSMOOTH_OT_install_worker
    settings, before = preferences._settings(), preferences.sizes("cpu")
    try:
        for wanted in (False, True):
            settings.words = wanted
            operator.start(SimpleNamespace(title=""), bpy.context)
            assert any("whisper" in name for name in asked["requirements"]) == wanted
        down, disk = preferences.sizes("cpu")
        assert down > before[0] + 150 and disk > before[1] + 150
        assert asked["said"] == [down, disk]
    finally:
        settings.words = False
