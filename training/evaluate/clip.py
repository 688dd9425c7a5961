"""One clip through all protocols: poison check, dubs, measures, pictures."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import gsmooth_core
from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.errors import GSmoothError, LeakError
from gsmooth_core.evaluation.metrics.compare import Curves
from gsmooth_core.evaluation.metrics.figures import FIGURES, Figures
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.poison import refuse_leaks
from gsmooth_core.evaluation.metrics.shot import Shot, found_landmarks, measure, open_shot, speech
from gsmooth_core.evaluation.metrics.summary import summarise
from gsmooth_core.evaluation.metrics.synchrony import sync_figures, sync_of
from gsmooth_core.evaluation.report.pictures import face_strip, save_jpeg, worst_pairs
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import fingerprint, stamp
from gsmooth_core.job.names import JobFile
from gsmooth_core.media import probe
from gsmooth_core.models import registry
from gsmooth_core.storage.files import hash_file, write_text
from gsmooth_core.sync import SyncResult
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import FaceTrack, Float, Image, Opened
from training.evaluate.clips import EvalClip
from training.evaluate.rows import DUBS, UNPAIRED, Plan, Row, job_of, own_job

log = logging.getLogger(__name__)

_OUTSIDE_OF_DUBBING = ("evaluation",)
_NOT_JUDGING = ("__init__", "__main__", "check", "run")  # files here that results do not depend on
_KEPT_CURVES = (
    "lmd", "aperture", "true_aperture", "wanted_aperture", "psnr", "mouth_psnr", "rim",
    "true_rim", "mouth_band1", "true_mouth_band1",
)  # fmt: skip


@dataclass(frozen=True)
class RowResult:
    """The result of one clip in one row of the table.

    Attributes:
        figures: by name.
        curves: values over time, by name.
        sync: shifts, distances at them, and confidence by second, where there is a verdict.
    """

    figures: Figures
    curves: dict[str, list[float | None]]
    sync: dict[str, list[float | None]]


@dataclass(frozen=True)
class ClipPicture:
    """One picture of a clip.

    Attributes:
        path: relative to the clip's folder.
        row: whose worst frame it is; empty for the strip of all.
        frame: its number.
        value: how bad it is.
    """

    path: str
    row: str = ""
    frame: int = 0
    value: float = 0.0


@dataclass(frozen=True)
class ClipResult:
    """What was found on one clip.

    Attributes:
        clip: file name.
        speaker: who is seen.
        frames: number of frames.
        fps: their rate, "N/D".
        size: width and height.
        offset: frames at 25 fps that were taken out of its sound.
        trusted: whether that offset was measured with confidence.
        outside: largest change outside the mask before encoding, over all dubs.
        poisoned: frames on which the generator was checked.
        seconds: time it took.
        rows: by name.
        pictures: the strip, then the worst frames.
        key: fingerprint of everything it was made from.
        models: first digits of the SHA-256 of each model file that was there.
    """

    clip: str
    speaker: str
    frames: int
    fps: str
    size: tuple[int, int]
    offset: float
    trusted: bool
    outside: int
    poisoned: list[int]
    seconds: float
    rows: dict[str, RowResult]
    pictures: list[ClipPicture]
    key: str
    models: dict[str, str]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ClipResult:
        """Read back what `asdict` and JSON made of it."""
        rows = {name: RowResult(**row) for name, row in content["rows"].items()}
        pictures = [ClipPicture(**picture) for picture in content["pictures"]]
        size = tuple(content["size"])
        return cls(**{**content, "rows": rows, "pictures": pictures, "size": size})


@dataclass(frozen=True)
class LeftOut:
    """A clip that could not be evaluated.

    Attributes:
        clip: file name.
        reason: why, in a sentence.
    """

    clip: str
    reason: str


def try_clip(
    clip: EvalClip, plan: Plan, folder: Path, make: type[DubPipeline] = DubPipeline
) -> ClipResult | LeftOut:
    """Evaluate one clip (see `evaluate_clip`), or say why it has to be left out.

    Raises:
        LeakError: the generator looks at what it should make; nothing it makes may count.
    """
    try:
        return evaluate_clip(clip, plan, folder, make)
    except LeakError:
        raise
    except GSmoothError as error:
        return LeftOut(clip.path.name, error.message)


def evaluate_clip(
    clip: EvalClip, plan: Plan, folder: Path, make: type[DubPipeline] = DubPipeline
) -> ClipResult:
    """Evaluate one clip; what an earlier run finished with the same program is taken as it is.

    Args:
        clip: the clip.
        plan: how.
        folder: its own folder in the output.
        make: how a job is run; it is checked like any other.

    Raises:
        LeakError: its generator looks at what it should make.
        GSmoothError: the clip cannot be dubbed.
    """
    key, known = _key(clip, plan), folder / "result.json"
    if known.is_file():
        result = ClipResult.from_json(json.loads(known.read_text(encoding="utf-8")))
        if result.key == key:
            return result
    started = time.monotonic()
    used = {name: hash_file(path)[:12] for name in registry.MODELS if (path := registry.find(name))}
    prepare_folder(folder, plan)
    track = tracked(clip, plan, folder, make)
    poisoned = check_for_leaks(clip, plan, folder, track, make)
    shots = {name: dubbed(name, clip, plan, folder, track, make) for name in plan.dubs}
    shots["source"] = shots[plan.dubs[0]].untouched()
    rows, pictures = judge(shots, plan, folder)
    source = shots["source"].source
    result = ClipResult(
        clip.path.name, clip.speaker, len(track),
        f"{track.fps.numerator}/{track.fps.denominator}",
        (source.shown.width, source.shown.height), clip.offset, clip.trusted,
        max(shot.outside for shot in shots.values()), poisoned,
        round(time.monotonic() - started, 1), rows, pictures, key, used,
    )  # fmt: skip
    write_text(known, json.dumps(asdict(result), allow_nan=False))
    return result


# -- stages ----------------------------------------------------------------------------------


def tracked(clip: EvalClip, plan: Plan, folder: Path, make: type[DubPipeline]) -> FaceTrack:
    """The track of the clip's first frames; kept in `folder/track`."""
    place = folder / "track"
    place.mkdir(parents=True, exist_ok=True)
    return _run(clip, plan, place, make).track()


def check_for_leaks(
    clip: EvalClip, plan: Plan, folder: Path, track: FaceTrack, make: type[DubPipeline]
) -> list[int]:
    """Poison some frames; returns their numbers.

    Raises:
        LeakError: the generator saw them.
    """
    masks = Masks(track, load_face_model(), track.expression)
    usable = np.flatnonzero(track.usable)
    places = (np.arange(plan.poisoned) + 0.5) * len(usable) / plan.poisoned
    frames = [int(frame) for frame in np.unique(usable[places.astype(np.intp)])]
    source = _run(clip, plan, folder / "track", make).source

    def made(opened: Opened) -> FaceTranslator:
        # A folder of its own, so that nothing learned from other frames is found there.
        with tempfile.TemporaryDirectory(dir=folder) as place, opened() as given:
            run = _run(clip, plan, Path(place), make)
            run.source.frames = lambda box=None: OpenedReader(opened)  # type: ignore[method-assign]
            return run.translator(track, track.curves, given)

    nearby = int(plan.gap * track.fps)
    refuse_leaks(made, lambda: closing(source.frames()), masks.in_frame, frames, nearby)
    return frames


class OpenedReader:
    """The frames of a clip that is opened by other means than `Source.frames`."""

    def __init__(self, opened: Opened) -> None:
        self._stack = ExitStack()
        self._source = self._stack.enter_context(opened())

    def __call__(self, index: int) -> Image:
        """Frame number `index`."""
        return self._source(index)

    def close(self) -> None:
        """Close the clip."""
        self._stack.close()


def dubbed(
    name: str, clip: EvalClip, plan: Plan, folder: Path, track: FaceTrack, make: type[DubPipeline]
) -> Shot:
    """One of the dubs, made or taken from an earlier run."""
    job_folder = folder / name
    job = job_of(name, clip, plan, folder, folder / "track" / JobFile.TRACK, track)
    _lend_track(folder / "track", job_folder, job)
    dub(job, job_folder, make=make)
    log.info("%s: %s", clip.stem, name)
    return open_shot(job_folder)


def judge(
    shots: dict[str, Shot], plan: Plan, folder: Path
) -> tuple[dict[str, RowResult], list[ClipPicture]]:
    """All rows of the clip, and its pictures."""
    model = load_face_model()
    sounds = {"own": speech(shots["source"])}
    if "other" in shots:
        sounds["other"] = speech(shots["other"])
    measured: dict[str, tuple[Curves, Figures, Float]] = {}
    known: dict[int, Float] = {}
    for name, shot in shots.items():
        found = shot.track.landmarks if name == "source" else found_landmarks(shot)
        curves, faces = measure(shot, found, plan.samples, known=known)
        measured[name] = curves, summarise(curves, faces, model), found
    rows = {
        row.name: _judged(row, *measured[row.pictures], shots["source"].track.fps, sounds)
        for row in plan.rows
    }
    return rows, _pictures(shots, {k: v[0] for k, v in measured.items()}, folder)


def _judged(
    row: Row,
    curves: Curves,
    figures: Figures,
    found: Float,
    fps: Fraction,
    sounds: dict[str, Float | None],
) -> RowResult:
    sync = sync_of(found, fps, sounds[row.sound])
    whole = figures | sync_figures(sync)
    allowed = _allowed(row)
    kept = _KEPT_CURVES if row.pictures != "source" else ("aperture",)
    return RowResult(
        {f.name: whole.get(f.name) if f.name in allowed else None for f in FIGURES},
        {name: _plain(curves[name]) for name in kept if name in curves},
        _sync_curves(sync),
    )


def _allowed(row: Row) -> frozenset[str]:
    """Figures that mean something in a row."""
    if row.pictures == "source" and row.sound == "other":
        return frozenset(("sync", "offset"))
    if not row.paired:
        return UNPAIRED
    every = frozenset(figure.name for figure in FIGURES)
    return every if row.pictures != "other" else every - {"silence"}  # of the other speech


def _sync_curves(sync: SyncResult | None) -> dict[str, list[float | None]]:
    if sync is None:
        return {}
    reach = len(sync.distances) // 2
    shifts = [float(sync.centre + n) for n in range(-reach, reach + 1)]
    return {
        "shifts": list(shifts),
        "distances": _plain(sync.distances),
        "per_second": _plain(sync.per_second),
    }


def _pictures(shots: dict[str, Shot], curves: dict[str, Curves], folder: Path) -> list[ClipPicture]:
    """A strip of all dubs, and the worst frames of reconstruction, own and other speech."""
    place = folder / "pictures"
    place.mkdir(exist_ok=True)
    strip = face_strip([shots[name] for name in ("source", *DUBS) if name in shots])
    save_jpeg(place / "strip.jpg", strip)
    made = [ClipPicture("pictures/strip.jpg")]
    for name in (n for n in ("reconstruction", "own", "other") if n in shots):
        rim = curves[name]["rim"] / curves[name]["true_rim"]
        badness = rim if name == "other" else curves[name]["lmd"]
        for number, (frame, pair) in enumerate(worst_pairs(shots[name], badness)):
            path = place / f"worst_{name}_{number}.jpg"
            save_jpeg(path, pair)
            made.append(ClipPicture(f"pictures/{path.name}", name, frame, float(badness[frame])))
    return made


# -- what is kept between runs ---------------------------------------------------------------


def prepare_folder(folder: Path, plan: Plan) -> None:
    """Throw away dubs that another version of the program made."""
    folder.mkdir(parents=True, exist_ok=True)
    note, now = folder / "code.txt", code_stamp(_OUTSIDE_OF_DUBBING)
    if note.is_file() and note.read_text(encoding="utf-8") != now and not plan.reuse:
        for name in ("track", *DUBS):
            shutil.rmtree(folder / name, ignore_errors=True)
    write_text(note, now)


def code_stamp(without: tuple[str, ...] = ()) -> str:
    """SHA-256 of the engine's source, without some of its rooms."""
    root, digest = Path(gsmooth_core.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if not path.relative_to(root).as_posix().startswith(tuple(f"{room}/" for room in without)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _key(clip: EvalClip, plan: Plan) -> str:
    weights = [registry.locate(name) for name in ("a2ep", "taft", "face_model", "face_landmarker")]
    expert = registry.find("sync") if "sync" in registry.MODELS else None
    parts = {**asdict(plan), "speech": stamp(plan.speech), "video": stamp(clip.path)}
    here = Path(__file__).parent
    own = {path.name: path for path in here.glob("*.py") if path.stem not in _NOT_JUDGING}
    return fingerprint(
        code=code_stamp(("evaluation/report",)), offset=clip.offset, weights=weights, expert=expert,
        plan={k: str(v) for k, v in parts.items() if k != "reuse"}, own=own,
    )  # fmt: skip


def _run(clip: EvalClip, plan: Plan, folder: Path, make: type[DubPipeline]) -> DubPipeline:
    frames = min(plan.frames, probe(clip.path).frame_count)
    return make(own_job(clip, plan, folder.parent / "track.mp4", frames), folder)


def _lend_track(base: Path, folder: Path, job: Job) -> None:
    """Let a job begin with the track that another job of the same frames has made."""
    if (folder / JobFile.TRACK).is_file():
        return
    job.save(folder)  # a folder with a journal and no job would be taken for somebody's own
    for name in (JobFile.TRACK, JobFile.JOURNAL):
        shutil.copyfile(base / name, folder / name)


def _plain(values: Float) -> list[float | None]:
    """Numbers that JSON can hold, rounded."""
    return [round(float(v), 4) if np.isfinite(v) else None for v in values]
