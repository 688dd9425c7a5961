"""Sound as samples: any file with a sound stream, mixed to one channel at one rate."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from gsmooth_core.data import Float
from gsmooth_core.errors import MediaError, NoSpeechError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.probe import (
    check_readable,
    container_start,
    describe_container,
    has_sound,
    probe_source,
    sound_report,
)

log = logging.getLogger(__name__)

SILENCE_DBFS = -60.0
"""Sound whose loudest 50 ms lie below this level is silence."""
SHORTEST_SPEECH = 0.1
"""Seconds; no sound shorter than this is a syllable."""
_WINDOW = 0.05


def read_audio(
    path: Path | str, sample_rate: int = 16000, start: float = 0.0, duration: float | None = None
) -> Float:
    """Read the sound of any file that has some, a video too.

    Time zero is the file's first picture where it has one (so a clip's own sound fits its own
    frames), else its first sample. Gaps in the stream are silence; samples that are no numbers
    become silence; sound beyond full scale is brought down to it.

    Args:
        path: sound or video file.
        sample_rate: of the result, in Hz.
        start: seconds from time zero at which to begin; negative adds silence before it.
        duration: seconds to read; None means to the end.

    Returns:
        (S,) float32, one channel, -1..1.

    Raises:
        MediaError: missing, empty or damaged file.
        NoSpeechError: the file has no sound stream, or one without a sample.
    """
    path = Path(path).absolute()
    report = _sound_report(path)
    offset = first_picture_time(path, report) + start
    end = None if duration is None else offset + duration
    samples = _decode(path, sample_rate, end)
    if not np.isfinite(samples).all():
        log.warning("'%s' holds samples that are no numbers; they become silence", path.name)
        samples = _decode_broken(path, report, sample_rate, end)
    samples = _from(samples, round(offset * sample_rate))
    if not len(samples):
        raise NoSpeechError(f"The sound of '{path.name}' is empty.", "Choose another sound.")
    return samples / max(1.0, float(np.abs(samples).max()))


def has_audio(path: Path | str) -> bool:
    """Whether the file has a sound stream.

    Raises:
        MediaError: missing, empty or damaged file.
    """
    path = Path(path).absolute()
    check_readable(path)
    report = sound_report(path)
    describe_container(path, report)
    return has_sound(report)


def require_speech(audio: Float, name: str = "The sound", sample_rate: int = 16000) -> Float:
    """Pass sound on when something could be spoken in it.

    Args:
        audio: (S,) samples.
        name: what to call it in an error.
        sample_rate: of `audio` in Hz.

    Raises:
        NoSpeechError: too short, or silent throughout.
    """
    seconds = len(audio) / sample_rate
    if seconds < SHORTEST_SPEECH:
        raise NoSpeechError(
            f"{name} is only {seconds:.2f} seconds long.", "Choose a longer piece of speech."
        )
    if loudest_dbfs(audio, sample_rate) < SILENCE_DBFS:
        raise NoSpeechError(
            f"{name} is silent from beginning to end.",
            "Choose another sound, or check its volume.",
        )
    return audio


def loudest_dbfs(audio: Float, sample_rate: int) -> float:
    """Level of the loudest 50 ms of `audio` (S,) in dB relative to full scale."""
    window = max(1, round(_WINDOW * sample_rate))
    padded = np.pad(audio.astype(np.float64), (0, -len(audio) % window))
    power = (padded.reshape(-1, window) ** 2).mean(axis=1)  # (windows,)
    return float(10 * np.log10(max(power.max(), 1e-20)))


def first_picture_time(path: Path, report: str) -> float:
    """Seconds from the earliest stream's start to the first picture; 0 without one."""
    if not re.search(r"^ +Stream #0:\d+.*?: Video: ", report, re.MULTILINE):
        return 0.0
    try:
        source = probe_source(path)
    except MediaError:  # a cover, or pictures that cannot be read: the sound stands alone
        return 0.0
    if source.timing is None:
        return 0.0
    return float(source.timing.start) - container_start(report)


def _sound_report(path: Path) -> str:
    check_readable(path)
    report = sound_report(path)
    describe_container(path, report)
    if not has_sound(report):
        raise NoSpeechError(f"'{path.name}' has no sound.", "Choose a file with speech in it.")
    return report


def _from(samples: Float, first: int) -> Float:
    """`samples` from number `first` on; before number 0 there is silence."""
    return samples[first:] if first >= 0 else np.pad(samples, (-first, 0))


def _decode(path: Path, sample_rate: int, end: float | None) -> Float:
    limit = [] if end is None else ["-t", f"{end:.6f}"]
    arguments = ffmpeg.command(
        *(*ffmpeg.input_arguments(path), "-map", "0:a:0", "-vn", "-ac", "1"),
        *("-af", f"aresample={sample_rate}:async=1:first_pts=0", *limit, "-f", "f32le", "-"),
    )
    status, data, errors = ffmpeg.run_binary(arguments)
    if status and not data:
        raise MediaError(
            f"The sound of '{path.name}' cannot be decoded: {ffmpeg.last_line(errors)}.",
            "Convert it to WAV.",
        )
    return np.frombuffer(data, np.float32)


def _decode_broken(path: Path, report: str, sample_rate: int, end: float | None) -> Float:
    """Clean the samples before any filter can smear what is no number over its neighbours."""
    from scipy.signal import resample_poly

    stated = re.search(r": Audio: .*?(\d+) Hz", report)
    rate = int(stated.group(1)) if stated else sample_rate
    samples = np.nan_to_num(_decode(path, rate, end), nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(resample_poly(samples, sample_rate, rate), np.float32)
