"""Makes the worker's environment: run as a script by any Python, it speaks the worker's protocol.

It imports nothing of the add-on and nothing outside the standard library. Packages are first
found, then downloaded one by one beside the environment, then unpacked: what is downloaded stays
when the network goes, and the next try goes on from there; a cancel leaves nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMPLETE = "gsmooth-complete"
"""A file in an environment into which everything was installed."""
OLDEST, NEWEST = (3, 11), (3, 13)
KINDS = ("", "cpu", "cuda")
INDEXES = {"cuda": "https://download.pytorch.org/whl/cu126"}
"""Where torch for a kind of machine is found; everything else comes from PyPI."""
_ADDON = Path(__file__).resolve().parents[1]
_EVERY = 0.3  # seconds between two looks at what is downloaded
_PATIENCE = 20.0  # seconds for the size of a file
_MARGIN = 1.2  # by which more may be downloaded than was said
_SMALL = 4 << 20  # bytes; smaller packages are fetched together: each start of pip takes a while

_CAUSES = (
    (
        "tls",
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerification|\[SSL",
        "The connection is not trusted: a certificate could not be verified.",
        "Something between here and the packages (a firewall, an antivirus) signs with a "
        "certificate of its own: name its file in the environment variable PIP_CERT, and check "
        "the computer's date.",
    ),
    (
        "proxy",
        r"ProxyError|Tunnel connection failed|Proxy Authentication|407 ",
        "The proxy refuses the connection.",
        "Check the environment variable HTTPS_PROXY (http://user:password@host:port).",
    ),
    ("disk", r"No space left|Errno 28\b|not enough space", "The disk is full.", "Free some space."),
    (
        "network",
        r"NameResolution|Name or service not known|getaddrinfo|Temporary failure in name|"
        r"Failed to establish|timed out|Connection (reset|refused|aborted)|unreachable|"
        r"IncompleteRead|ConnectionError|RemoteDisconnected",
        "The packages cannot be reached.",
        "Check the network connection; Install goes on with what is downloaded.",
    ),
)
"""Code, how pip says it, and what people are told."""


def requirements(kind: str = "", words: bool = False) -> list[str]:
    """The worker's packages: from the extension's lists, or the project file of a checkout.

    Args:
        kind: "cuda" takes PyTorch as well; a processor does without it.
        words: whether what hears words is taken, too.
    """
    extras = {"cuda": "torch"} if kind == "cuda" else {}
    extras |= {"words": "words"} if words else {}
    if (_ADDON / "requirements.txt").is_file():
        staged = ["requirements.txt", *(f"requirements-{name}.txt" for name in extras)]
        return "\n".join((_ADDON / name).read_text(encoding="utf-8") for name in staged).split("\n")
    text = (_ADDON.parent / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    more = [project["optional-dependencies"][extra] for extra in extras.values()]
    return [name for group in (project["dependencies"], *more) for name in group]


class InstallError(Exception):
    """The environment could not be made: what happened, a hint, and a name for programs."""

    def __init__(self, message: str, hint: str, code: str = "install") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


def emit(event: str, **values: Any) -> None:
    """Send one event."""
    sys.stdout.write(json.dumps({"id": 1, "event": event, **values}) + "\n")
    sys.stdout.flush()


class Installer:
    """One installation, which ends when its caller cancels it or is gone.

    Args:
        folder: where the environment is made; downloads lie beside it meanwhile.
        kind: "cpu", "cuda" or "" for the packages as they are.
        said: megabytes of the download and of the disk that the user knows of; 0 for any number.
    """

    def __init__(self, folder: Path, kind: str = "", said: tuple[int, int] = (0, 0)) -> None:
        self._folder, self._kind, self._said = folder, kind, said
        self._downloads = folder.with_name(folder.name + "-downloads")
        self._child: subprocess.Popen[str] | None = None
        self._stopped = False

    def listen(self) -> None:
        """Stop on the next line of stdin (a cancel) or at its end."""
        sys.stdin.readline()
        self._stopped = True
        if self._child is not None:
            _kill_family(self._child)

    def install(self, packages: list[str]) -> None:
        """Make the environment and fill it.

        Raises:
            InstallError: a step failed, or was stopped.
        """
        if not OLDEST <= sys.version_info[:2] <= NEWEST:
            found = ".".join(map(str, sys.version_info[:2]))
            raise InstallError(f"Python {found} does not suit.", "Install Python 3.11 to 3.13.")
        emit("progress", stage="install", done=0, total=0)
        try:
            self._make([name for name in packages if name])
        finally:
            whole = (self._folder / COMPLETE).is_file()
            if not whole:  # half an environment is none
                shutil.rmtree(self._folder, ignore_errors=True)
            if whole or self._stopped:
                shutil.rmtree(self._downloads, ignore_errors=True)

    def _make(self, packages: list[str]) -> None:
        hint = "On Debian and Ubuntu install the package python3-venv."
        self._run([sys.executable, "-m", "venv", "--clear", str(self._folder)], hint)
        # What pip works on lies beside, too, and goes when this is stopped.
        work = self._downloads / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        os.environ["TMPDIR"] = os.environ["TEMP"] = os.environ["TMP"] = str(work)
        found = self._find(packages)
        wheels = self._fetch(found)
        self._unpack(wheels)
        (self._folder / COMPLETE).touch()

    def _pip(self, *arguments: str) -> list[str]:
        scripts = self._folder / ("Scripts" if sys.platform == "win32" else "bin")
        quiet = ("--progress-bar", "off", "--no-cache-dir", "--disable-pip-version-check")
        command, *rest = arguments
        return [str(scripts / "python"), "-m", "pip", command, *quiet, *rest]

    def _find(self, packages: list[str]) -> list[dict[str, Any]]:
        """Which packages of which version are needed, and where each of them is."""
        emit("message", level="info", text="Looking which packages are needed")
        report = self._downloads / "work" / "report.json"
        index = ["--extra-index-url", INDEXES[self._kind]] if self._kind in INDEXES else []
        found = ["--dry-run", "--ignore-installed", "--report", str(report)]
        self._run(self._pip("install", *found, *index, *packages), "Check the network connection.")
        listed: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
        needed = [_package(entry) for entry in listed]
        if self._kind == "cuda" and lacks_card(needed, sys.platform):
            raise InstallError(
                "PyTorch for NVIDIA was not found.", "Check the network connection.", "network"
            )
        return needed

    def _fetch(self, found: list[dict[str, Any]]) -> list[Path]:
        """Download what is not there yet, and tell how many bytes are."""
        for package in found:
            if not self._stopped:
                package["bytes"] = _size(package["url"])
        total = sum(package["bytes"] for package in found)
        emit("message", level="info", text=f"{len(found)} packages, {total / 1e6:.0f} MB")
        self._check_size(round(total / 1e6))
        small = [package for package in found if package["bytes"] < _SMALL]
        groups = [[package] for package in found if package["bytes"] >= _SMALL]
        done, wheels = 0, []
        for group in [*groups, small] if small else groups:
            target = self._downloads / _name_of(group)
            head = f"{group[0]['name']} {group[0]['version']}" if group is not small else ""
            head = head or f"{len(small)} small packages"
            with self._watched(target, head, done, total):
                fetch = ["--no-deps", "--dest", str(target), *(each["asked"] for each in group)]
                self._run(self._pip("download", *fetch), "Press Install again: it goes on.")
            done += sum(package["bytes"] for package in group)
            wheels += [path for path in target.iterdir() if path.is_file()]
        return wheels

    def _check_size(self, down: int) -> None:
        """Tell how many megabytes come, and ask again where that is more than was said."""
        said, disk = self._said
        emit("found", megabytes=down)
        if said and down > said * _MARGIN:
            raise InstallError(
                f"{down} MB would be downloaded, more than the {said} MB that were said.",
                "Press Install again to download them.",
                "larger",
            )
        needed = down + round(down * disk / said) if said else down
        free = shutil.disk_usage(self._downloads).free / 1e6
        if free < needed:
            text = f"{needed} MB must be free on the disk while this works; {free:.0f} MB are."
            raise InstallError(text, "Free some space.", "disk")

    def _watched(self, target: Path, head: str, done: int, total: int) -> _Watch:
        return _Watch([target, self._downloads / "work"], head, done, total)

    def _unpack(self, wheels: list[Path]) -> None:
        emit("progress", stage="unpack", done=0, total=0)
        emit("message", level="info", text=f"Unpacking {len(wheels)} packages")
        names = [str(wheel) for wheel in wheels]
        local = ["--no-index", "--no-deps", "--no-build-isolation"]
        self._run(self._pip("install", *local, *names), "Press Install again.")

    def _run(self, command: list[str], hint: str) -> None:
        said: list[str] = []
        for line in self._lines(command):
            said.append(line)
            sys.stderr.write(line + "\n")  # the log
            sys.stderr.flush()
        if self._stopped:
            raise InstallError("The installation was stopped.", "")
        if self._child is not None and self._child.returncode:
            raise failure(said, hint)

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


class _Watch:
    """Tells from a thread how many bytes of a download are there."""

    def __init__(self, folders: list[Path], head: str, done: int, total: int) -> None:
        self._folders, self._head, self._done, self._total = folders, head, done, total
        self._before = _bytes_in(folders[1])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Watch:
        emit("message", level="info", text=self._head)
        self._tell()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            self._tell()

    def _tell(self) -> None:
        there = max(_bytes_in(self._folders[0]), _bytes_in(self._folders[1]) - self._before)
        done = min(self._done + max(there, 0), self._total)
        emit("progress", stage="download", done=done >> 10, total=self._total >> 10)


def failure(said: list[str], hint: str) -> InstallError:
    """What went wrong, by what pip said."""
    text = "\n".join(said)
    for code, pattern, message, way in _CAUSES:
        if re.search(pattern, text):
            return InstallError(message, way, code)
    errors = [line for line in said if line.startswith("ERROR")]
    last = (errors or said or ["no message"])[-1][:300]
    return InstallError(f"A step of the installation failed: {last}", hint)


def lacks_card(found: list[dict[str, Any]], platform: str) -> bool:
    """Whether PyTorch is one without graphics cards, as PyPI has it for Windows."""
    torch = [package for package in found if package["name"] == "torch"]
    return platform == "win32" and not any("+cu" in package["version"] for package in torch)


def _package(entry: dict[str, Any]) -> dict[str, Any]:
    meta, info = entry["metadata"], entry["download_info"]
    digest = info.get("archive_info", {}).get("hashes", {}).get("sha256")
    asked = f"{info['url']}#sha256={digest}" if digest else info["url"]
    named = {"name": str(meta["name"]), "version": str(meta["version"])}
    return named | {"url": str(info["url"]), "asked": asked, "bytes": 0}


def _name_of(group: list[dict[str, Any]]) -> str:
    """A folder's name that other packages, or other versions, do not have."""
    asked = "".join(package["asked"] for package in group)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def _size(url: str) -> int:
    """Bytes of a file behind an address; 0 where nobody says."""
    if not url.startswith(("https://", "file://")):
        return 0
    try:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - looked at above
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
            return int(answer.headers.get("Content-Length") or 0)
    except (OSError, ValueError):  # pip knows more ways through a proxy
        return 0


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118
            except OSError:  # gone meanwhile
                continue
    return total


def _kill_family(child: subprocess.Popen[str]) -> None:
    """Kill the process and, where the system can, those that it started."""
    if sys.platform == "win32":
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)


def read_request(line: str) -> tuple[Path, list[str], str, tuple[int, int]]:
    """The folder to make, the packages to fill it with, their kind, and the sizes that were said.

    Raises:
        InstallError: the line is no request to install.
    """
    try:
        arguments = json.loads(line)["arguments"]
        folder, packages = arguments["folder"], arguments["requirements"]
        kind, said = arguments.get("kind", ""), arguments.get("said", [0, 0])
        valid = isinstance(folder, str) and isinstance(packages, list)
        valid = valid and all(isinstance(text, str) for text in [folder, *packages])
        valid = valid and kind in KINDS and isinstance(said, list) and len(said) == 2
        valid = valid and all(type(size) is int and 0 <= size < 1 << 32 for size in said)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        valid = False
    if not valid or not folder or "\0" in "".join([folder, *packages]):
        raise InstallError("The request to install cannot be understood.", "Update GSmooth.")
    return Path(folder), packages, kind, (said[0], said[1])


def main() -> None:
    """Serve one install request."""
    try:
        folder, packages, kind, said = read_request(sys.stdin.readline())
        installer = Installer(folder, kind, said)
        emit("ready")
        threading.Thread(target=installer.listen, daemon=True).start()
        installer.install(packages)
        emit("result", result={})
    except InstallError as error:
        emit("error", code=error.code, message=error.message, hint=error.hint)


def suits() -> bool:
    """Whether this Python can make the worker's environment."""
    modules = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    return modules and OLDEST <= sys.version_info[:2] <= NEWEST


if __name__ == "__main__":
    if sys.argv[1:] == ["--try"]:
        sys.exit(not suits())
    main()
