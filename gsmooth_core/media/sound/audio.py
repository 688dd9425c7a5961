"""Sound as samples: any file with a sound stream, mixed to one channel at one rate."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from gsmooth_core.errors import MediaError, NoSpeechError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.reading.description import Description, describe
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.media.sound.channels import to_speech
from gsmooth_core.media.sound.gaps import without_long_gaps
from gsmooth_core.text import counted
from gsmooth_core.types import Float

log = logging.getLogger(__name__)

SILENCE_DBFS = -60.0
"""Sound whose loudest 50 ms lie below this level is silence."""
SHORTEST_SPEECH = 0.1
"""Seconds; no sound shorter than this is a syllable."""
LONGEST_SOUND = 4 * 3600.0
"""Seconds that are read at most; they take a gigabyte at 16 kHz."""
RATES = (2_000, 768_000)
"""Sample rates in Hz between which a sound can be speech; prime ones far above take minutes."""
MOST_CHANNELS = 64
"""Channels that ffmpeg can mix."""
_WINDOW = 0.05
_BLOCK = 10_000  # windows that are looked at at once


def read_audio(
    path: Path | str,
    sample_rate: int = 16000,
    start: float = 0.0,
    duration: float | None = None,
    track: int = 0,
) -> Float:
    """Read the sound of any file that has some, a video too.

    Time zero is the file's first picture where it has one (so a clip's own sound fits its own
    frames), else its first sample. Gaps in the stream are silence; samples that are no numbers
    become silence; sound beyond full scale is brought down to it. Of several channels the speech
    is taken (see `channels`).

    Args:
        path: sound or video file.
        sample_rate: of the result, in Hz.
        start: seconds from time zero at which to begin; negative adds silence before it.
        duration: seconds to read; None means to the end.
        track: which of the file's sounds, from 0.

    Returns:
        (S,) float32, one channel, -1..1.

    Raises:
        MediaError: missing, empty or damaged file.
        NoSpeechError: the file has no sound stream, or one without a sample.
    """
    path = Path(path).absolute()
    file = _with_sound(path, track)
    offset = first_picture_time(path, file) + start
    first = round(offset * sample_rate)
    longest = round(LONGEST_SOUND * sample_rate)
    if duration is None and file.seconds - offset > LONGEST_SOUND:
        raise _too_long(path)
    wanted = longest if duration is None else min(longest, round(duration * sample_rate))
    count = max(0, wanted + min(first, 0))
    samples = _decode(path, track, sample_rate, max(first, 0), count + 1)
    if not np.isfinite(samples).all():
        log.warning("'%s' holds samples that are no numbers; they become silence", path.name)
        samples = _decode_broken(path, file, track, sample_rate, max(first, 0), count + 1)
    if len(samples) > count == longest:
        raise _too_long(path)
    samples = samples[:count] if first >= 0 else np.pad(samples[:count], (-first, 0))
    if not len(samples):
        raise NoSpeechError(f"The sound of '{path.name}' is empty.", "Choose another sound.")
    samples /= max(1.0, float(samples.max()), -float(samples.min()))
    return samples


def has_audio(path: Path | str) -> bool:
    """Whether the file has a sound stream.

    Raises:
        MediaError: missing, empty or damaged file.
    """
    return describe(Path(path)).sound is not None


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
    blocks = range(0, len(audio), _BLOCK * window)
    loudest = max((_power(audio[at : at + _BLOCK * window], window) for at in blocks), default=0.0)
    return float(10 * np.log10(max(loudest, 1e-20)))


def _power(audio: Float, window: int) -> float:
    padded = np.pad(audio.astype(np.float64), (0, -len(audio) % window))
    power = (padded.reshape(-1, window) ** 2).mean(axis=1)  # (windows,)
    return float(power.max())


def first_picture_time(path: Path, file: Description) -> float:
    """Seconds from the earliest stream's start to the first picture; 0 without one."""
    if file.video is None:
        return 0.0
    try:
        source = probe_source(path)
    except MediaError:  # pictures that cannot be read: the sound stands alone
        return 0.0
    if source.timing is None:
        return 0.0
    return float(source.timing.start) - file.start


def _with_sound(path: Path, track: int) -> Description:
    file = describe(path)
    if not file.sounds:
        raise NoSpeechError(f"'{path.name}' has no sound.", "Choose a file with speech in it.")
    if track >= len(file.sounds):
        tracks = counted(len(file.sounds), "sound track")
        raise NoSpeechError(
            f"'{path.name}' has {tracks}; track {track + 1} was asked for.",
            "See them with `gsmooth probe`.",
        )
    sound = file.sounds[track]
    if not sound.decodable:
        raise MediaError(
            f"The sound of '{path.name}' is stored in a way that cannot be decoded here.",
            "Convert it to WAV.",
        )
    low, high = RATES
    if not low <= sound.sample_rate <= high:
        raise MediaError(
            f"The sound of '{path.name}' has {sound.sample_rate} samples a second.",
            f"Convert it to a usual rate such as 48000; {low} to {high} can be read.",
        )
    if sound.channels > MOST_CHANNELS:
        raise MediaError(
            f"The sound of '{path.name}' has {sound.channels} channels.",
            "Mix it down to stereo first.",
        )
    return file


def _too_long(path: Path) -> MediaError:
    return MediaError(
        f"The sound of '{path.name}' is longer than {LONGEST_SOUND / 3600:.0f} hours.",
        "Choose the part of it that is spoken (--audio-start, --audio-duration), or cut it first.",
    )


def _decode(path: Path, track: int, sample_rate: int, first: int, count: int) -> Float:
    """At most `count` samples from number `first` of the file's own clock on."""
    wanted = f"atrim=start_sample={first}:end_sample={first + count}"
    before = f"{to_speech(path, track)}{without_long_gaps(path, track)}"
    filters = f"{before}aresample={sample_rate}:async=1:first_pts=0,{wanted}"
    # Beyond this nothing is read: the resampler would fill a hole of days with silence first.
    limit = f"{(first + count) / sample_rate + 1:.6f}"
    arguments = ffmpeg.command(
        *(*ffmpeg.input_arguments(path, "-t", limit), "-map", f"0:a:{track}", "-vn", "-ac", "1"),
        *("-af", filters, "-f", "f32le", "-"),
    )
    data = bytearray()
    with ffmpeg.Pipe(arguments, write=False, timeout=3600) as pipe:
        for part in pipe.parts():
            data += part
        if pipe.finish() and not data:
            raise MediaError(
                f"The sound of '{path.name}' cannot be decoded: {ffmpeg.last_line(pipe.errors)}.",
                "Convert it to WAV.",
            )
    return np.frombuffer(data, np.float32, len(data) // 4)  # a torn last sample is none


def _decode_broken(
    path: Path, file: Description, track: int, sample_rate: int, first: int, count: int
) -> Float:
    """Clean the samples before any filter can smear what is no number over its neighbours."""
    from scipy.signal import resample_poly  # a third of what the program takes to start

    rate = file.sounds[track].sample_rate
    bounds = (first * rate // sample_rate, -(-count * rate // sample_rate))
    samples = np.nan_to_num(_decode(path, track, rate, *bounds), nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(resample_poly(samples, sample_rate, rate), np.float32)[:count]
