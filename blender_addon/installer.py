"""Makes the worker's environment: run as a script by any Python, it speaks the worker's protocol.

It imports nothing of the add-on and nothing outside the standard library.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMPLETE = "gsmooth-complete"
"""A file in an environment into which everything was installed."""
OLDEST, NEWEST = (3, 11), (3, 13)
_HERE = Path(__file__).resolve().parent


def requirements() -> list[str]:
    """The worker's packages: from the extension's list, or the project file of a checkout."""
    staged = _HERE / "requirements.txt"
    if staged.is_file():
        return staged.read_text(encoding="utf-8").split("\n")
    project = tomllib.loads((_HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["project"]["dependencies"])


class InstallError(Exception):
    """The environment could not be made: what happened, and a hint."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def emit(event: str, **values: Any) -> None:
    """Send one event."""
    sys.stdout.write(json.dumps({"id": 1, "event": event, **values}) + "\n")
    sys.stdout.flush()


class Installer:
    """One installation, which ends when its caller cancels it or is gone."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._stopped = False

    def listen(self) -> None:
        """Stop on the next line of stdin (a cancel) or at its end."""
        sys.stdin.readline()
        self._stopped = True
        if self._child is not None:
            _kill_family(self._child)

    def install(self, folder: Path, packages: list[str]) -> None:
        """Make the environment and fill it.

        Raises:
            InstallError: a step failed, or was stopped.
        """
        if not OLDEST <= sys.version_info[:2] <= NEWEST:
            found = ".".join(map(str, sys.version_info[:2]))
            raise InstallError(f"Python {found} does not suit.", "Install Python 3.11 to 3.13.")
        emit("progress", stage="install", done=0, total=0)
        try:
            self._make(folder, packages)
        finally:
            if not (folder / COMPLETE).is_file():  # half an environment is none
                shutil.rmtree(folder, ignore_errors=True)

    def _make(self, folder: Path, packages: list[str]) -> None:
        hint = "On Debian and Ubuntu install the package python3-venv."
        self._run([sys.executable, "-m", "venv", "--clear", str(folder)], hint)
        scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
        pip = [str(scripts / "python"), "-m", "pip", "install", "--progress-bar", "off"]
        # What is downloaded lies in the folder, too, and goes with it when this is stopped.
        downloads = folder / "downloads"
        downloads.mkdir()
        os.environ["TMPDIR"] = os.environ["TEMP"] = os.environ["TMP"] = str(downloads)
        names = [name for name in packages if name]
        self._run([*pip, "--no-cache-dir", *names], "Check the network connection.")
        shutil.rmtree(downloads, ignore_errors=True)
        (folder / COMPLETE).touch()

    def _run(self, command: list[str], hint: str) -> None:
        last = ""
        for line in self._lines(command):
            last = line
            emit("message", level="info", text=line[:100])
        if self._stopped:
            raise InstallError("The installation was stopped.", "")
        if self._child is not None and self._child.returncode:
            raise InstallError(f"A step of the installation failed: {last}", hint)

    def _lines(self, command: list[str]) -> Iterator[str]:
        self._child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        if self._stopped:  # before there was a child to kill
            _kill_family(self._child)
        for line in self._child.stdout or ():
            if line.strip():
                yield line.strip()
        self._child.wait()


def _kill_family(child: subprocess.Popen[str]) -> None:
    """Kill the process and, where the system can, those that it started."""
    if sys.platform == "win32":
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)


def read_request(line: str) -> tuple[Path, list[str]]:
    """The folder to make the environment in, and the packages to fill it with.

    Raises:
        InstallError: the line is no request to install.
    """
    try:
        arguments = json.loads(line)["arguments"]
        folder, packages = arguments["folder"], arguments["requirements"]
        valid = isinstance(folder, str) and isinstance(packages, list)
        valid = valid and all(isinstance(text, str) for text in [folder, *packages])
    except (ValueError, LookupError, TypeError, RecursionError):
        valid = False
    if not valid or not folder or "\0" in "".join([folder, *packages]):
        raise InstallError("The request to install cannot be understood.", "Update GSmooth.")
    return Path(folder), packages


def main() -> None:
    """Serve one install request."""
    installer = Installer()
    try:
        folder, packages = read_request(sys.stdin.readline())
        emit("ready")
        threading.Thread(target=installer.listen, daemon=True).start()
        installer.install(folder, packages)
        emit("result", result={})
    except InstallError as error:
        emit("error", code="install", message=error.message, hint=error.hint)


def suits() -> bool:
    """Whether this Python can make the worker's environment."""
    modules = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    return modules and OLDEST <= sys.version_info[:2] <= NEWEST


if __name__ == "__main__":
    if sys.argv[1:] == ["--try"]:
        sys.exit(not suits())
    main()
