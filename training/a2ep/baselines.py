"""What A2EP has to beat: `python -m training.a2ep.baselines --footage DIR --cache DIR`.

Mean face, ridge regression from MFCCs (13 coefficients, six frames on either side), ridge
regression from what A2EP's encoder gives (Whisper's third layer, three frames on either side),
and A2EP, held against the same clips of speakers that none of them has learned from: on the
validation speakers, or with `--folds 5` on all clips with trusted sync, everything trained again
for each fold of speakers.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dct

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.expnet import ExpNet
from gsmooth_core.a2ep.features import frame_count
from gsmooth_core.a2ep.mel import BLOCK, HOP, level_gain, log_mel, speech_weights
from gsmooth_core.a2ep.stream import normalise
from gsmooth_core.face.load import load_face_model
from gsmooth_core.types import Float
from training.a2ep.data import Take, Utterance, driven_names, folds_of, of_part, read_cache
from training.a2ep.expnet import of_first_frame
from training.a2ep.face import SpeechFace, speech_face
from training.a2ep.measure import Figures, measure
from training.a2ep.plans import PLANS, Plan
from training.a2ep.ridge import Ridge, windows
from training.a2ep.train import build
from training.a2ep.validate import table
from training.footage import Footage, add_footage, chosen_footage
from training.prepare import chosen_encoder, load_speech
from training.split import Part

COEFFICIENTS = 13
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
RESAMPLES = 2000
JUDGED_FRAMES = 75  # 3 s; word-length clips say little about correlation
MEAN_FACE = Figures(0.0, 0.0, 1.0, 1.0, 0.0, 0.0)  # of not moving at all, by definition

Rows = dict[str, Figures]

log = logging.getLogger(__name__)


def mfcc(audio: Float) -> Float:
    """(S,) -> (T, 13) mel-frequency cepstra, averaged over the frames of 40 ms, mean removed."""
    frames = frame_count(audio)
    padded = np.pad(audio * np.float32(level_gain(audio)), (0, frames * BLOCK - len(audio)))
    mel = log_mel(padded).T  # (4 T, 80)
    cepstra = dct(mel, norm="ortho")[:, :COEFFICIENTS]
    features = cepstra.reshape(frames, BLOCK // HOP, COEFFICIENTS).mean(axis=1)
    return np.concatenate(list(normalise([features.astype(np.float32)], speech_weights(audio))))


def with_mfcc(utterances: Sequence[Utterance], cache: Path) -> list[Utterance]:
    """The same clips, heard as MFCCs."""
    return [replace(u, takes=(_as_mfcc(u, cache),)) for u in utterances]


def _as_mfcc(utterance: Utterance, cache: Path) -> Take:
    audio = load_speech(cache / "speech" / f"{utterance.sample.stem}.safetensors")
    return replace(utterance.takes[0], features=mfcc(audio))


def judged(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Clips that figures are taken of: trusted sync, and long enough."""
    return [
        u for u in utterances if u.sample.trusted and u.takes[0].valid.sum() >= JUDGED_FRAMES - 5
    ]


def ridges(
    training: Sequence[Utterance], tested: Sequence[Utterance], face: SpeechFace, context: int
) -> dict[float, Rows]:
    """Figures of a plain ridge at each penalty, moving as widely as each person does."""
    sums = Ridge(context)
    for clip in training:
        sums.add(clip.takes[0])
    rows: dict[float, Rows] = {}
    for penalty in PENALTIES:
        weights = sums.solve(penalty)
        rows[penalty] = {
            clip.sample.stem: measure(
                face,
                windows(clip.takes[0].features, context) @ weights * np.float32(clip.amplitude),
                clip.truth,
                clip.takes[0].valid,
            )
            for clip in tested
        }
    return rows


def merged(parts: Sequence[dict[float, Rows]]) -> Rows:
    """All folds together, at the one penalty that suits the judged clips best: generous."""
    whole = {penalty: {k: v for part in parts for k, v in part[penalty].items()}
             for penalty in parts[0]}  # fmt: skip
    return min(whole.values(), key=lambda rows: Figures.mean(list(rows.values())).lip_error)


def intervals(figures: Sequence[Figures]) -> NDArray[np.float64]:
    """(2, 6) bootstrap over clips: the middle 95 % of each mean."""
    values = np.array([astuple(f) for f in figures])
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    return np.asarray(np.quantile(means, (0.025, 0.975), axis=0))


class Comparison:
    """Everything that the systems are trained on and judged by.

    Args:
        footage: the clips.
        cache: what `training.prepare` made of it.
        encoder: that the ridge and the model hear with.
    """

    def __init__(self, footage: Footage, cache: Path, encoder: str = "whisper") -> None:
        self.cache = cache
        self.whole = load_face_model()
        self.face = speech_face(self.whole, driven_names(self.whole.expression_names))
        name, self.encoder = chosen_encoder(encoder)
        self.clips = read_cache(footage, cache, name, self.face)
        self.cepstral = with_mfcc(self.clips, cache)

    def _split(
        self, clips: Sequence[Utterance], tested: set[str]
    ) -> tuple[list[Utterance], list[Utterance]]:
        taught = [u for u in clips if u.sample.stem not in tested]
        return taught, judged([u for u in clips if u.sample.stem in tested])

    def simple(self, tested: set[str]) -> tuple[dict[float, Rows], dict[float, Rows]]:
        """Figures of the MFCC and the Whisper ridge on the clips `tested`, taught by the rest."""
        return (
            ridges(*self._split(self.cepstral, tested), self.face, 6),
            ridges(*self._split(self.clips, tested), self.face, 3),
        )

    def validation(self, checkpoint: str) -> dict[str, Rows]:
        """All systems on the validation speakers; A2EP as it stands in `checkpoint`.

        ExpNet has a second row: told nothing of the person but the first frame, as it was made for.
        """
        tested = {u.sample.stem for u in of_part(self.clips, Part.VALIDATION)}
        cepstral, whisper = self.simple(tested)
        _, clips = self._split(self.clips, tested)
        model = load_a2ep(checkpoint)
        product = table(model, self.face, self.cache, clips)
        named = _named(merged([cepstral]), merged([whisper]), product)
        if isinstance(model.decoder, ExpNet):
            named["ExpNet, first frame"] = {u.sample.stem: self._alone(model.decoder, u)
                                            for u in clips}  # fmt: skip
        return named

    def _alone(self, net: ExpNet, clip: Utterance) -> Figures:
        said = of_first_frame(net, clip, self.cache, self.face)
        return measure(self.face, said, clip.truth, clip.takes[0].valid)

    def folded(self, count: int, output: Path, plan: Plan) -> dict[str, Rows]:
        """All systems on all trusted clips, each speaker judged by what has not learned of it."""
        folds = folds_of(self.clips, count)
        cepstral, whisper = [], []
        product: Rows = {}
        for fold in range(count):
            stems = {u.sample.stem for u, f in zip(self.clips, folds, strict=True) if f == fold}
            first, second = self.simple(stems)
            cepstral.append(first)
            whisper.append(second)
            taught, tested = self._split(self.clips, stems)
            where = output / f"fold{fold}"
            where.mkdir(parents=True, exist_ok=True)
            names = self.whole.expression_names
            model = build(plan, taught, self.face, self.cache, where, self.encoder, names)
            product |= table(model, self.face, self.cache, tested)
            log.info("fold %d: %s", fold, Figures.mean(list(product.values())).row())
        return _named(merged(cepstral), merged(whisper), product)


def _named(cepstral: Rows, whisper: Rows, product: Rows) -> dict[str, Rows]:
    return {
        "mean face": dict.fromkeys(product, MEAN_FACE),
        "MFCC +-6, ridge": cepstral,
        "encoder +-3, ridge": whisper,
        "A2EP": product,
    }


def report(systems: dict[str, Rows]) -> str:
    """A table of means and intervals."""
    lines = [f"{'':28s} " + " | ".join(f.name for f in fields(Figures))]
    for name, rows in systems.items():
        low, high = intervals(list(rows.values()))
        spans = " | ".join(f"{a:.2f}-{b:.2f}" for a, b in zip(low, high, strict=True))
        lines += [f"{name:28s} {Figures.mean(list(rows.values())).row()}", f"{'':28s} {spans}"]
    return "\n".join(lines)


def as_json(systems: dict[str, Rows]) -> str:
    """Means, intervals and clips of every system."""
    return json.dumps(
        {
            name: {
                "mean": asdict(Figures.mean(list(rows.values()))),
                "interval": intervals(list(rows.values())).tolist(),
                "clips": {stem: asdict(row) for stem, row in rows.items()},
            }
            for name, rows in systems.items()
        },
        indent=1,
    )


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description="Hold A2EP against simple models.")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--model", default="a2ep", help="the shipped model, or a checkpoint")
    parser.add_argument("--folds", type=int, help="over all clips, instead of the validation")
    parser.add_argument(
        "--preset", choices=sorted(PLANS), default="default", help="what is trained for each fold"
    )
    parser.add_argument("--steps", type=int, help="of the decoder; the preset says otherwise")
    parser.add_argument("--output", type=Path, required=True, help="folder for the figures")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    plan = PLANS[options.preset]
    if options.steps is not None:
        plan = replace(plan, fit=replace(plan.fit, steps=options.steps))
    comparison = Comparison(chosen_footage(options), options.cache, plan.config.encoder)
    if options.folds:
        systems = comparison.folded(options.folds, options.output, plan)
    else:
        systems = comparison.validation(options.model)
    log.info("%s", report(systems))
    target = options.output / ("folds.json" if options.folds else "validation.json")
    target.write_text(as_json(systems), encoding="utf-8")


if __name__ == "__main__":
    main()
