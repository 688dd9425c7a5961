"""One way to call ffmpeg: list arguments, no shell, nothing on its stdin but what we send.

Only the ffmpeg program is needed (imageio-ffmpeg ships one); there is no ffprobe.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import imageio_ffmpeg

from gsmooth_core.errors import MediaError

log = logging.getLogger(__name__)

STALL_SECONDS = 120.0
"""How long ffmpeg may take for its next frame before it counts as hung."""
_TICK = 1.0  # seconds between two looks at whether it is late
_AWAKE = 3  # ticks: what is longer between two looks, we have slept through, as it has
_SAID = 1 << 16  # bytes that are kept of what ffmpeg says, the last ones
_PART = 1 << 20  # bytes that are read at once
_ROOM = 1 << 20  # bytes that a pipe holds where the system lets us say; by default a twentieth

# A Ctrl-C in the terminal is for us; ffmpeg ends when we end it.
_APART: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"process_group": 0}
)

FORMATS = (
    "aa,aac,ac3,aiff,amr,ape,apng,asf,au,av1,avi,caf,cavsvideo,cine,dirac,dnxhd,dts,dv,eac3,"
    "evc,flac,flv,gif,gxf,h261,h263,h264,hevc,ivf,jpegxl_anim,m4v,matroska,mjpeg,mlv,mov,mp3,"
    "mpc,mpeg,mpegts,mpegvideo,mpjpeg,mxf,nut,obu,ogg,oma,qoa,r3d,rm,smjpeg,sox,swf,tak,"
    "truehd,tta,vc1,voc,vvc,w64,wav,webp_anim,wtv,wv,yuv4mpegpipe,bmp_pipe,dds_pipe,dpx_pipe,"
    "exr_pipe,gif_pipe,hdr_pipe,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,pam_pipe,pbm_pipe,"
    "pcx_pipe,pfm_pipe,pgm_pipe,png_pipe,ppm_pipe,psd_pipe,qoi_pipe,sgi_pipe,sunrast_pipe,"
    "tiff_pipe,webp_pipe,xbm_pipe,xpm_pipe,xwd_pipe"
)
"""Containers that are opened: those that hold their pictures and sounds themselves.

Playlists, manifests, scripts and name patterns may lead to other files or hosts; they are no
footage, and a list of what is allowed stays right when ffmpeg learns new ones.
"""

_INPUT_LIMITS = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS]


@cache
def executable() -> str:
    """Path of the ffmpeg program (the variable IMAGEIO_FFMPEG_EXE overrides it).

    Raises:
        MediaError: there is none.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MediaError(
            "The program ffmpeg, which reads and writes video, is missing.",
            "Reinstall the package imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE to an ffmpeg.",
        ) from error


def url(path: Path) -> str:
    """`path` as ffmpeg takes it: with the prefix, a leading '-' or a ':' is only a name."""
    return f"file:{path}"


def input_arguments(path: Path, *options: str) -> list[str]:
    """Arguments that open `path` for reading."""
    return [*options, *_INPUT_LIMITS, "-i", url(path)]


def command(*arguments: str, loglevel: str = "error") -> list[str]:
    """A whole ffmpeg command line as a list."""
    return [executable(), "-hide_banner", "-nostdin", "-v", loglevel, *arguments]


def run(arguments: Sequence[str], timeout: float = 600.0) -> tuple[int, str, str]:
    """Run a whole command line (see `command`) to its end.

    Returns:
        exit status, stdout, stderr.

    Raises:
        MediaError: ffmpeg cannot be started or does not end in time.
    """
    status, data, errors = run_binary(arguments, timeout)
    return status, _text(data), errors


def run_binary(
    arguments: Sequence[str], timeout: float = 600.0, cwd: Path | None = None
) -> tuple[int, bytes, str]:
    """Like `run`, with stdout as it is."""
    with Pipe(arguments, write=False, cwd=cwd, timeout=timeout) as pipe:
        data = b"".join(pipe.parts())
        return pipe.finish(), data, pipe.errors


def last_line(errors: str) -> str:
    """The last thing ffmpeg said, without its component names."""
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    return lines[-1].rpartition("] ")[2].rstrip(".") if lines else "no reason given"


class Pipe:
    """A running ffmpeg that reads from or writes to us; killed when it stalls or is left.

    Args:
        arguments: the command line (see `command`).
        write: True when we send data to its stdin, False when we read its stdout.
        cwd: the folder in which it runs.
        timeout: seconds that it may take in all; None where it only must not stall.

    Raises:
        MediaError: it cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        write: bool,
        cwd: Path | None = None,
        timeout: float | None = None,
    ) -> None:
        self._timeout = timeout
        self._awake = 0.0  # seconds, without those in which all of the machine slept
        self._waiting_since: float | None = None
        self._closed = threading.Event()
        self._said = b""
        self.stalled = False
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE if write else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if write else subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                **_APART,
            )
        except OSError as error:
            raise _cannot_start(error) from error
        _widen(_stream(self._process.stdin if write else self._process.stdout))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def errors(self) -> str:
        """What ffmpeg has said so far, the end of it."""
        if self._process.poll() is not None:
            self._listener.join(1.0)  # a child of its own may hold the pipe open
        return _text(self._said)

    def read(self, size: int) -> bytearray:
        """Read `size` bytes; fewer only at the end of the stream."""
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        stdout = _stream(self._process.stdout)
        while filled < size:
            self._waiting_since = self._awake
            count = stdout.readinto(view[filled:])  # type: ignore[attr-defined]
            self._waiting_since = None
            if not count:
                break
            filled += count
        return buffer if filled == size else buffer[:filled]

    def parts(self) -> Iterator[bytes]:
        """All that is left to read, part by part."""
        stdout = _stream(self._process.stdout)
        while True:
            self._waiting_since = self._awake
            part = stdout.read1(_PART)  # type: ignore[attr-defined]
            self._waiting_since = None
            if not part:
                return
            yield part

    def write(self, data: memoryview) -> None:
        """Send data; BrokenPipeError when ffmpeg has ended."""
        self._waiting_since = self._awake
        _stream(self._process.stdin).write(data)
        self._waiting_since = None

    def finish(self) -> int:
        """Close our end, wait for ffmpeg to end, and give its exit status.

        Raises:
            MediaError: it did not end in the time that it had.
        """
        self._waiting_since = self._awake
        if self._process.stdin is not None:
            self._process.stdin.close()
        status = self._process.wait()
        self._waiting_since = None
        if self.stalled and self._timeout is not None:
            raise MediaError(
                f"ffmpeg did not finish within {self._timeout:.0f} seconds.",
                "Check the disk, or convert the file first.",
            )
        return status

    def kill(self) -> None:
        """End ffmpeg now (nothing happens when it has ended) and free the pipes."""
        self._closed.set()
        if self._process.poll() is None:
            self._end()
        self._process.wait()
        log.debug("ffmpeg said: %s", self.errors)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                _close_quietly(stream)

    def _listen(self) -> None:
        """Hear all that it says, so that it never waits for us, and keep the end of it."""
        with _stream(self._process.stderr) as stderr:
            while said := stderr.read1(_SAID):  # type: ignore[attr-defined]
                self._said = (self._said + said)[-_SAID:]

    def _watch(self) -> None:
        tick, before = min(_TICK, self._timeout or _TICK), time.monotonic()
        while not self._closed.wait(tick):
            now = time.monotonic()
            self._awake += min(now - before, _AWAKE * tick)
            before = now
            if self._late():
                self.stalled = True
                log.error("ffmpeg gave no sign of life, or took too long; ending it")
                self._end()
                return

    def _late(self) -> bool:
        since = self._waiting_since
        if self._timeout is not None:
            return self._awake > self._timeout
        return since is not None and self._awake - since > STALL_SECONDS

    def _end(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:  # what was started in its stead, by a script for example, goes too
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("this pipe was opened for the other direction")
    return stream


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold most of a picture: each time that it is full or empty a thread is woken."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # the user has as many as the system grants
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _ROOM)


def _close_quietly(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:  # data left in the buffer of a killed process
        log.debug("pipe closed with unsent data")


def _cannot_start(error: OSError) -> MediaError:
    return MediaError(
        f"The program ffmpeg cannot be started: {os.strerror(error.errno or 0)}.",
        "Reinstall the package imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE to an ffmpeg.",
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
