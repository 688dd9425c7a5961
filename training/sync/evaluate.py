"""How well an expert finds AV offsets of people it has not met, and how sure it is of them.

Each clip's own sound, as the file has it, is delayed by random known amounts and its offset
measured; its confidence is set against those with the sound of other speakers' clips.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.media import read_audio
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.sync import measure_sync
from gsmooth_core.sync.expert import LipSound
from gsmooth_core.sync.windows import FPS
from gsmooth_core.types import FaceTrack
from training.manifest import manifest_rows
from training.sync.data import Pair

DELAYS = 3  # a clip
FARTHEST = 12  # frames
WRONG = 5  # sounds a clip
TOLERANCE = 1  # frames at 25 fps

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """One measurement of a clip whose sound was delayed.

    Attributes:
        delay: frames at 25 fps.
        offset: what was found, whole frames.
        exact: the same, finer than a frame.
        confidence: of that.
    """

    delay: int
    offset: int
    exact: float
    confidence: float


@dataclass(frozen=True)
class Row:
    """What was found about one clip.

    Attributes:
        stem: its name.
        speaker: who is seen.
        seconds: length.
        judges: long and trusted enough to judge by.
        truth: frames by which the file's sound is late, by the best measurement there is.
        manifest: the same as the footage's table has it, in whole frames.
        trials: first without, then with delays.
        wrong: confidences with the sound of other speakers.
    """

    stem: str
    speaker: str
    seconds: float
    judges: bool
    truth: float
    manifest: int
    trials: tuple[Trial, ...]
    wrong: tuple[float, ...]

    @property
    def errors(self) -> list[int]:
        """Whole frames between what was found and the truth, for each delay."""
        return [abs(t.offset - t.delay - round(self.truth)) for t in self.trials[1:]]

    @property
    def exact_errors(self) -> list[float]:
        """The same, finer than a frame."""
        return [abs(t.exact - t.delay - self.truth) for t in self.trials[1:]]

    @property
    def manifest_errors(self) -> list[int]:
        """The same against the footage's table."""
        return [abs(t.offset - t.delay - self.manifest) for t in self.trials[1:]]

    @property
    def drift(self) -> list[int]:
        """Frames by which a delay changed the offset too much or too little."""
        return [abs(t.offset - t.delay - self.trials[0].offset) for t in self.trials[1:]]

    @property
    def confidence(self) -> float:
        """Mean over the delays."""
        return float(np.mean([t.confidence for t in self.trials[1:]]))


def examine(expert: LipSound, tested: Iterable[Pair], others: list[Pair], cache: Path) -> list[Row]:
    """Measure clips.

    Args:
        expert: that has met none of their speakers.
        tested: the clips.
        others: clips whose sound is used as the wrong one.
        cache: where their tracks are.
    """
    rows = []
    for pair in tested:
        row = _examine(expert, pair, others, cache)
        log.info(
            "%-32s %6.1f s  offset %+5.1f found %s  confidence %.3f, wrong %.3f",
            row.stem[-32:], row.seconds, row.truth,
            [t.offset - t.delay for t in row.trials], row.confidence, np.mean(row.wrong),
        )  # fmt: skip
        rows.append(row)
    return rows


def _examine(expert: LipSound, pair: Pair, others: list[Pair], cache: Path) -> Row:
    sample = pair.sample
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    rng = np.random.default_rng(zlib.crc32(sample.stem.encode()))
    delays = [0, *(int(d) for d in rng.integers(-FARTHEST, FARTHEST + 1, DELAYS))]
    trials = []
    for delay in delays:
        audio = read_audio(sample.path, SAMPLE_RATE, start=-delay / FPS)
        found = measure_sync(track, track.fps, audio, expert)
        exact = found.offset_seconds * FPS
        trials.append(Trial(delay, found.offset_frames, exact, found.confidence))
    return Row(
        sample.stem, sample.speaker, pair.seconds, pair.judges, sample.sync_offset,
        manifest_offset(sample.path), tuple(trials),
        _wrong(expert, track, pair, others, rng),
    )  # fmt: skip


def _wrong(
    expert: LipSound, track: FaceTrack, pair: Pair, others: list[Pair], rng: np.random.Generator
) -> tuple[float, ...]:
    """Confidences with others' sound, which is at least as long; else with the longest."""
    strangers = [p for p in others if p.sample.speaker != pair.sample.speaker]
    strangers.sort(key=lambda p: p.seconds)
    fitting = [p for p in strangers if p.seconds >= pair.seconds]
    pool = fitting if len(fitting) >= WRONG else strangers[-WRONG:]
    chosen = [pool[i] for i in rng.permutation(len(pool))[:WRONG]]
    sounds = (read_audio(p.sample.path, SAMPLE_RATE) for p in chosen)
    return tuple(measure_sync(track, track.fps, sound, expert).confidence for sound in sounds)


def manifest_offset(path: Path) -> int:
    """The `sync_offset` that the footage's own table gives a clip, in frames at 25 fps; else 0."""
    rows = (row for row in manifest_rows(path.parent) if row["file"] == path.name)
    return int(next(rows, {}).get("sync_offset") or 0)


def summary(rows: list[Row]) -> dict[str, float]:
    """Figures of some clips together; shares are of delayed measurements."""
    if not rows:
        return {}
    errors = np.concatenate([row.errors for row in rows])
    exact = np.concatenate([row.exact_errors for row in rows])
    manifest = np.concatenate([row.manifest_errors for row in rows])
    drift = np.concatenate([row.drift for row in rows])
    true = float(np.mean([row.confidence for row in rows]))
    wrong = float(np.mean([c for row in rows for c in row.wrong]))
    least = [row.confidence > max(row.wrong) for row in rows]
    return {
        "clips": len(rows),
        "speakers": len({row.speaker for row in rows}),
        "within_1_frame": float(np.mean(errors <= TOLERANCE)),
        "within_1_frame_of_manifest": float(np.mean(manifest <= TOLERANCE)),
        "shift_recovered": float(np.mean(drift <= TOLERANCE)),
        "median_error_frames": float(np.median(exact)),
        "confidence": true,
        "wrong_confidence": wrong,
        "ratio": true / max(wrong, 1e-9),
        "above_every_wrong": float(np.mean(least)),
    }


def summaries(rows: Mapping[str, list[Row]]) -> dict[str, dict[str, dict[str, float]]]:
    """For each expert: clips to judge by, and short ones."""
    return {
        name: {
            "long": summary([row for row in found if row.judges]),
            "short": summary([row for row in found if not row.judges]),
        }
        for name, found in rows.items()
    }


def write(path: Path, rows: Mapping[str, list[Row]]) -> None:
    """Write figures and measurements as JSON."""
    content = {
        "summary": summaries(rows),
        "clips": {name: [asdict(row) for row in found] for name, found in rows.items()},
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def text(rows: Mapping[str, list[Row]]) -> str:
    """The figures as a Markdown table."""
    found = summaries(rows)
    columns = [(name, kind) for name in found for kind in ("long", "short") if found[name][kind]]
    keys = list(found[columns[0][0]][columns[0][1]]) if columns else []
    lines = [
        "| | " + " | ".join(f"{name}, {kind}" for name, kind in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    lines += [
        f"| {key} | " + " | ".join(f"{found[n][k][key]:.3g}" for n, k in columns) + " |"
        for key in keys
    ]
    return "\n".join(lines)
