"""Frames from begin to end: one by one on the processor, and in batches on the card."""

from __future__ import annotations

import time
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import torch

from gsmooth_core.models.threads import leave_cores
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.device.batches import bank_of, new_faces
from gsmooth_core.taft.generators.checkpoint import load_generator
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import FaceTrack, Image
from tests.gpu import made
from tests.gpu.levels import levels_apart
from tests.gpu.part import Part
from tests.taft import scene

CLIPS = {
    "720p_crop256": (12, 1280, 720, 1050.0, 256),
    "1080p_crop512": (8, 1920, 1080, 2100.0, 512),
}
"""Frames, width, height and focal length of a clip, and the side of its crop."""
REHEARSED = 4
"""Frames of a batch where the card is only a processor."""
REHEARSAL = {"small": (6, scene.WIDTH, scene.HEIGHT, scene.FOCAL, 256)}


def run(part: Part) -> None:
    leave_cores()
    for name, (frames, width, height, focal, size) in (REHEARSAL if part.quick else CLIPS).items():
        with part.attempt(name):
            compare(part, name, made.clip(frames, width, height, focal), size)


def compare(part: Part, name: str, clip: FaceTrack, size: int) -> None:
    """The same frames on the processor and on the card."""
    pictures = scene.pictures(clip)
    translated = {}
    for place, device in (("processor", "cpu"), ("card", str(part.device))):
        dub = translator(clip, pictures, device, size)
        if place == "card":
            dub.batch = max(dub.batch, REHEARSED)
        list(dub.translate_all(enumerate(pictures)))  # loads kernels
        begin = time.perf_counter()
        translated[place] = [made for _, made in dub.translate_all(enumerate(pictures))]
        seconds = time.perf_counter() - begin
        part.figure(f"{name}_{place}_frames_per_second", len(pictures) / seconds)
    part.figure(f"{name}_card_ms", shares(dub, pictures))
    judge(part, name, translated["processor"], translated["card"])


def translator(clip: FaceTrack, pictures: list[Image], device: str, size: int) -> FaceTranslator:
    """Of the shipped generator; the face says the clip's curves backwards."""
    target = np.clip(1.2 * clip.expression[::-1], 0, 1).astype(np.float32)
    settings = ComposeSettings(size=size)
    return FaceTranslator(
        clip, scene.face_model(), target, pictures.__getitem__, load_generator(), settings, device
    )


def shares(dub: FaceTranslator, pictures: list[Image]) -> dict[str, float]:
    """Milliseconds a frame, one after another: what precedes the card, the card, what follows."""
    bank = bank_of(dub)
    each, times = 1e3 / len(pictures), [time.perf_counter()]
    begun = [dub.begin(index, picture) for index, picture in enumerate(pictures)]
    times.append(time.perf_counter())
    made = new_faces(dub, bank, [frame for frame in begun if frame])
    times.append(time.perf_counter())
    for index, picture in enumerate(pictures):
        if frame := begun[index]:
            dub.lay(index, picture, frame.masked, *made[index])
    times.append(time.perf_counter())
    spans = [each * (after - before) for before, after in pairwise(times)]
    return dict(zip(("begin", "lend_and_generate", "lay"), spans, strict=True))


def judge(part: Part, name: str, ours: list[Translated], theirs: list[Translated]) -> None:
    """Where something may have been changed, both say the same."""
    pairs = list(zip(ours, theirs, strict=True))
    changed = [a.mask for a, _ in pairs]
    found = levels_apart(
        np.concatenate([a.frame[m] for (a, _), m in zip(pairs, changed, strict=True)]),
        np.concatenate([b.frame[m] for (_, b), m in zip(pairs, changed, strict=True)]),
    )
    part.figure(f"{name}_levels", asdict(found))
    part.check(f"{name}: the card's frames are the processor's", holds=found.agree)
    outside = [
        np.array_equal(a.frame[~m], b.frame[~m]) for (a, b), m in zip(pairs, changed, strict=True)
    ]
    part.check(f"{name}: nothing else differs", holds=all(outside))
    if part.device.type == "cuda":
        part.figure(f"{name}_peak_mib", torch.cuda.max_memory_allocated(part.device) / 2**20)
