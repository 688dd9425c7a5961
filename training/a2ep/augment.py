"""Speech as other people, rooms and devices would have let it sound, with the same lips.

Playing faster or slower moves pitch, formants and time together: the cheapest other speaker.
All functions take and give (S,) float32 at 16 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.types import Float

SPEED_STEPS = 100  # speeds are multiples of a hundredth


@dataclass(frozen=True)
class Augmentation:
    """How far speech is changed; each change but the speed happens with its own chance.

    Attributes:
        speed: lowest and highest speed.
        tilt: largest first-order pre-emphasis, either way.
        snr: lowest and highest signal-to-noise ratio in dB.
        noise, telephone, room: chances of noise, of a 300-3400 Hz band, of reverberation.
    """

    speed: tuple[float, float] = (0.82, 1.22)
    tilt: float = 0.5
    snr: tuple[float, float] = (8.0, 30.0)
    noise: float = 0.6
    telephone: float = 0.15
    room: float = 0.3


def change_speed(audio: Float, factor: float) -> Float:
    """Play `factor` times as fast; the result is `factor` times shorter."""
    resampled = signal.resample_poly(audio, SPEED_STEPS, round(SPEED_STEPS * factor))
    return np.asarray(resampled, np.float32)


def coloured_noise(length: int, slope: float, rng: np.random.Generator) -> Float:
    """(length,) noise of unit power whose spectrum falls with f ** -slope (0 white, 1 pink)."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** (-slope / 2)
    noise: Float = np.fft.irfft(spectrum, length).astype(np.float32)
    return np.asarray(noise / max(float(noise.std()), 1e-9), np.float32)


def add_noise(audio: Float, snr: float, slope: float, rng: np.random.Generator) -> Float:
    """Add coloured noise `snr` dB below the speech's power."""
    power = float(np.sqrt(np.mean(audio**2)))
    noise = coloured_noise(len(audio), slope, rng)
    return audio + noise * np.float32(power * 10.0 ** (-snr / 20.0))


def telephone_band(audio: Float) -> Float:
    """Keep 300 to 3400 Hz."""
    sos = signal.butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, audio), np.float32)


def tilt_spectrum(audio: Float, amount: float) -> Float:
    """First-order filter x[t] - amount x[t-1]: brighter above zero, duller below."""
    return np.asarray(signal.lfilter([1.0, -amount], [1.0], audio), np.float32)


def add_room(audio: Float, seconds: float, wet: float, rng: np.random.Generator) -> Float:
    """Mix in a tail of decaying noise that falls by 60 dB in `seconds`."""
    time = np.arange(int(SAMPLE_RATE * seconds)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10.0 ** (-3.0 * time / seconds)
    tail /= np.sqrt(np.sum(tail**2))
    echo = signal.fftconvolve(audio, tail)[: len(audio)]
    return np.asarray((1 - wet) * audio + wet * echo, np.float32)


def augment(audio: Float, rng: np.random.Generator) -> tuple[Float, float]:
    """One random variant.

    Returns:
        samples, and the speed: time t of the variant is time t * speed of the original.
    """
    how = Augmentation()
    speed = round(float(rng.uniform(*how.speed)) * SPEED_STEPS) / SPEED_STEPS
    out = tilt_spectrum(change_speed(audio, speed), float(rng.uniform(-how.tilt, how.tilt)))
    if rng.random() < how.room:
        out = add_room(out, float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.4)), rng)
    if rng.random() < how.telephone:
        out = telephone_band(out)
    if rng.random() < how.noise:
        out = add_noise(out, float(rng.uniform(*how.snr)), float(rng.uniform(0.0, 2.0)), rng)
    return out, speed
