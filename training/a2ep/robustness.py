"""What a viewer would notice.

    python -m training.a2ep.robustness --footage DIR --cache DIR --output DIR

Lips that should meet and do not, a mouth that moves where nobody speaks, curves that change with
loudness, telephone or noise, and seams, slowness or growing memory in an hour of audio. Needs
`training.prepare`, and `training.a2ep.align` for the closures.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gsmooth_core.a2ep import SpeechModel, load_a2ep, predict_expression
from gsmooth_core.a2ep.features import OVERLAP, WINDOW
from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.stream import EMIT
from gsmooth_core.evaluation.bench.pipeline import peak_megabytes
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mouth import correlation
from gsmooth_core.media import read_audio
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.types import Float
from training.a2ep.align import load_phones
from training.a2ep.augment import add_noise, telephone_band
from training.a2ep.closures import Closures, closures_of
from training.a2ep.data import driven_names, read_utterance
from training.a2ep.face import SpeechFace, speech_face
from training.a2ep.voice import music, noise
from training.footage import Footage, add_footage, chosen_footage
from training.prepare import chosen_encoder, load_speech
from training.split import Part

FPS = Fraction(25)
SETTLED = 13  # frames: half a second after speech ends
PAUSE = 3.0  # seconds of silence in the midst of speech
DRAWS = 2000
PART = 2000  # frames whose meshes are held at a time

log = logging.getLogger(__name__)


class Mouth:
    """The aperture of the average face that the model lets speak.

    Args:
        model: to listen with.
        face: the face it was trained for.
    """

    def __init__(self, model: SpeechModel, face: SpeechFace) -> None:
        self.model = model
        self.face = face
        self.rest = float(face.aperture(model.array("rest")[None])[0])

    def aperture(self, audio: Float) -> Float:
        """(S,) samples -> (T,) aperture at 25 fps."""
        count = int(len(audio) / SAMPLE_RATE * FPS)
        made = predict_expression(audio, count, FPS, model=self.model)
        places = [made.names.index(name) for name in self.model.names]
        values = made.values[:, places]
        parts = [self.face.aperture(values[i : i + PART]) for i in range(0, count, PART)]
        return np.concatenate(parts)


def speed(aperture: Float) -> float:
    """Mean change a frame."""
    return float(np.abs(np.diff(aperture)).mean())


def closures(
    model: SpeechModel, face: SpeechFace, footage: Footage, cache: Path
) -> dict[str, Closures]:
    """Closures of the validation clips that have aligned phones."""
    found = {}
    encoder, _ = chosen_encoder(model.config.encoder)
    for sample in footage.samples():
        phones = load_phones(cache, sample.stem)
        clip = read_utterance(sample, cache, encoder, face) if phones else None
        if clip is None or sample.part is not Part.VALIDATION:
            continue
        name = f"{sample.stem}.safetensors"
        track, audio = load_track(cache / "tracks" / name), load_speech(cache / "speech" / name)
        found[sample.stem] = closures_of(model, face, clip, track, audio, phones)
    return found


def calm(mouth: Mouth, speech: Float) -> dict[str, float]:
    """Mean speed without speech over that of speech, and how far a pause is from rest.

    `pause` is the largest distance from the resting aperture from half a second after the speech
    before it to half a second before the speech after it, over the speech's 95th percentile.
    """
    rng = np.random.default_rng(99)  # other sounds than the voice head has learned from
    sounds: dict[str, Float] = {
        "digital silence": np.zeros(10 * SAMPLE_RATE, np.float32),
        "room noise": 0.003 * noise(20.0, rng),
        "loud room noise": 0.05 * noise(20.0, rng),
        "music": 0.1 * music(60.0, rng),
    }
    spoken = mouth.aperture(speech)
    found = {name: speed(mouth.aperture(sound)) / speed(spoken) for name, sound in sounds.items()}
    half = len(speech) // 2
    gap = np.zeros(int(PAUSE * SAMPLE_RATE), np.float32)
    for name, sound in (("pause", gap), ("noisy pause", gap + 0.001 * noise(PAUSE, rng))):
        around = mouth.aperture(np.concatenate([speech[:half], sound, speech[half:]]))
        first = int(half / SAMPLE_RATE * FPS) + SETTLED
        last = int((half + len(gap)) / SAMPLE_RATE * FPS) - SETTLED
        away = np.abs(around[first:last] - mouth.rest).max()
        found[name] = float(away / (np.percentile(spoken, 95) - mouth.rest))
    return found


def robustness(mouth: Mouth, speech: Float) -> dict[str, float]:
    """Pearson's r of the aperture against that of clean speech."""
    rng = np.random.default_rng(7)
    changes: dict[str, Callable[[Float], Float]] = {
        "+12 dB": lambda a: a * np.float32(4.0),
        "-12 dB": lambda a: a / np.float32(4.0),
        "telephone": telephone_band,
        "white noise, 10 dB": lambda a: add_noise(a, 10.0, 0.0, rng),
        "pink noise, 10 dB": lambda a: add_noise(a, 10.0, 1.0, rng),
    }
    clean = mouth.aperture(speech)
    return {
        name: correlation(clean, mouth.aperture(change(speech))) for name, change in changes.items()
    }


def borders(count: int) -> list[int]:
    """Frames at which some part of the stream changes blocks."""
    step = WINDOW - OVERLAP
    places = {*range(step, count, step), *range(WINDOW, count, step), *range(EMIT, count, EMIT)}
    return sorted(place for place in places if 2 <= place < count - 2)


def hour(mouth: Mouth, speech: Float, minutes: int) -> dict[str, float]:
    """Seams, speed and memory over `minutes` of speech.

    `seam` is the share of random sets of frames whose mean second difference is smaller than
    that of the borders: near 1 there would be seams. The processor's own time is told apart from
    the clock's, which depends on what else the machine does.
    """
    long = np.tile(speech, -(-minutes * 60 * SAMPLE_RATE // len(speech)))
    long = long[: minutes * 60 * SAMPLE_RATE]
    short_peak = peak_megabytes()
    start, used = time.perf_counter(), time.process_time()
    aperture = mouth.aperture(long)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    bend = np.abs(np.diff(aperture, 2))
    at = np.array(borders(len(aperture))) - 1
    rng = np.random.default_rng(0)
    others = bend[rng.integers(len(bend), size=(DRAWS, len(at)))].mean(axis=1)
    return {
        "minutes": float(minutes),
        "times_real_time": minutes * 60 / seconds,
        "times_real_time_of_one_core": minutes * 60 / used,
        "more_megabytes": peak_megabytes() - short_peak,
        "audio_megabytes": long.nbytes / 2**20,
        "seam": float(np.mean(others < bend[at].mean())),
        "borders": float(len(at)),
    }


def all_closures(clips: dict[str, Closures]) -> Closures:
    """The counts of all clips together."""
    whole = Closures()
    for found in clips.values():
        whole.add(found)
    return whole


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description="Measure what a viewer would notice.")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", default="a2ep", help="the shipped model, or a checkpoint")
    parser.add_argument("--minutes", type=int, default=60, help="of the long run; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    footage = chosen_footage(options)
    torch.set_num_threads(options.threads)
    whole = load_face_model()
    face = speech_face(whole, driven_names(whole.expression_names))
    model = load_a2ep(options.model)
    mouth = Mouth(model, face)
    files = sorted((footage.folder / "speech").iterdir())
    speeches = {path.stem: read_audio(path, SAMPLE_RATE) for path in files}
    clips = closures(model, face, footage, options.cache)
    found: dict[str, Any] = {
        "closures": {stem: c.summary() for stem, c in clips.items()},
        "all closures": all_closures(clips).summary(),
        "calm": {name: calm(mouth, speech) for name, speech in speeches.items()},
        "robustness": {name: robustness(mouth, speech) for name, speech in speeches.items()},
    }
    if options.minutes:
        found["hour"] = hour(mouth, np.concatenate(list(speeches.values())), options.minutes)
    options.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1)
    (options.output / "robustness.json").write_text(text, encoding="utf-8")
    log.info("%s", text)
    for stem, counts in clips.items():
        log.info("%-32s %s", stem[:32], counts.row())
    log.info("%-32s %s", "all", all_closures(clips).row())


if __name__ == "__main__":
    main()
