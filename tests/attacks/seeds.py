"""A good file for every reader of GSmooth, and how each is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from scipy.io import savemat

from gsmooth_core.a2ep.model import load_checkpoint, save_checkpoint
from gsmooth_core.app.worker import read_request
from gsmooth_core.evaluation.metrics.shot import open_shot
from gsmooth_core.face.bfm import read_bfm
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.job import Job, load_job
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.roles import roles_in
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.mafb.occlusion.occluders import load_occluders, packed, save_occluders
from gsmooth_core.media import probe, read_audio, read_frames
from gsmooth_core.models import registry
from gsmooth_core.storage.arrays import load_expression, load_track, save_arrays, save_expression
from gsmooth_core.storage.arrays import save_track as write_track
from gsmooth_core.sync.load import load_expert
from gsmooth_core.sync.model import SyncExpert, save_expert
from gsmooth_core.sync.syncnet import load_syncnet
from gsmooth_core.taft.correctives import Correctives, Personal, load_personal, save_personal
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from gsmooth_core.tracking.regressor.resnet import RNet, load_rnet
from gsmooth_core.types import Expression
from tests.a2ep import small as small_a2ep
from tests.doubles import face_track
from tests.face import test_bfm
from tests.media.made import ffmpeg, numbered_frames, speechlike, write_video, write_wav
from tests.sync.test_expert import SMALL as SMALL_SYNC
from tests.sync.test_syncnet import published_state
from tests.taft.small import SMALL, stirred


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        suffix: of its files, or their whole name where that is fixed.
        write: makes a good file.
        read: reads a file.
        text: whether its files are JSON.
        tensors: whether they are safetensors.
        slow: whether reading one takes a tenth of a second and more.
    """

    suffix: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    text: bool = False
    tensors: bool = False
    slow: bool = False


def _frames(path: Path) -> None:
    clip = probe(path)
    for frame in read_frames(clip, 0, min(3, clip.frame_count)):
        assert frame.shape == (clip.height, clip.width, 3)


def _video(*options: object, tone: float | None = 0.4) -> Callable[[Path], object]:
    return lambda path: write_video(path, numbered_frames(8), 25, *options, tone=tone)


def _sound(*options: object) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        wave = write_wav(path.with_name("seed.wav"), speechlike(0.3), 16000)
        ffmpeg("-i", wave, *options, path)
        wave.unlink()

    return write


def _image(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64", "-frames:v", 1, path)


def _samples(path: Path) -> None:
    samples = read_audio(path)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1


MEDIA: dict[str, Reader] = {
    **{
        f"picture of {suffix}": Reader(suffix, _video(*options), _frames, slow=True)
        for suffix, options in {
            ".mp4": ("-movflags", "faststart"), ".mkv": (), ".mov": ("-c:v", "prores"),
            ".avi": ("-c:v", "mpeg4"), ".ts": (), ".mpg": ("-c:v", "mpeg2video"),
            ".webm": ("-c:v", "libvpx-vp9", "-cpu-used", 8), ".flv": (),
        }.items()
    },
    ".gif": Reader(
        ".gif", _video("-c:v", "gif", "-pix_fmt", "rgb8", tone=None), _frames, slow=True
    ),
    **{
        suffix: Reader(suffix, _image, _frames, slow=suffix == ".webp")
        for suffix in (".png", ".jpg", ".bmp", ".tiff", ".webp")
    },
    **{
        f"sound of {suffix}": Reader(suffix, _sound(*options), _samples, slow=True)
        for suffix, options in {
            ".wav": (), ".flac": (), ".mp3": (), ".ogg": ("-c:a", "libopus"),
            ".m4a": ("-c:a", "aac"),
        }.items()
    },
}  # fmt: skip


def _curves(path: Path) -> None:
    values = np.random.default_rng(0).random((5, 2)).astype(np.float32)
    save_expression(path, Expression(("jawOpen", "mouthClose"), values, Fraction(30000, 1001)))


def _read_curves(path: Path) -> None:
    curves = load_expression(path)
    assert np.isfinite(curves.values).all()
    assert np.abs(curves.values).max() <= 100


def _job(path: Path) -> None:
    Job(Path("v.mp4"), Path("o.mp4"), Path("a.wav"), fps=Fraction(25)).save(path.parent)


def _journal(path: Path) -> None:
    piece = path.with_name("segment_00000.mp4")
    piece.write_bytes(b"work")
    Journal(path.parent).record("segment", "i", piece, outside=0)
    piece.unlink()


def _read_journal(path: Path) -> None:
    piece = path.with_name("segment_00000.mp4")
    Journal(path.parent).finished("segment", "i", piece)


def _personal(path: Path) -> None:
    ones = np.ones(4, np.float32)
    part = Correctives(0 * ones, ones, -ones, ones, np.zeros((4, 6), np.float32))
    save_personal(path, Personal((part, None), np.full((5, 2), 0.5, np.float32)))


def _mesh(path: Path) -> None:
    flat = np.zeros((3, 3), np.float32)
    arrays = {
        "vertices": np.eye(3, dtype=np.float32), "faces": np.arange(3, dtype=np.int32)[None],
        "uvs": np.zeros((3, 2), np.float32), "shape_keys": flat[None],
        "values": np.zeros((4, 1), np.float32), "rotation": np.zeros((4, 3), np.float32),
        "translation": np.ones((4, 3), np.float32), "usable": np.ones(4, np.uint8),
    }  # fmt: skip
    facts = {"names": ["jawOpen"], "fps": "25", "focal": 500.0, "width": 64, "height": 48}
    save_arrays(path, "mesh", arrays, facts)


def _read_mesh(path: Path) -> None:
    from blender_addon.head.mesh_file import read_mesh

    read_mesh(path)


def _report(path: Path) -> None:
    path.write_text(json.dumps({"outside_mask_max_difference": 0, "frames": 3}))


def _read_report(path: Path) -> None:
    """The report of a job whose other files are good."""
    folder = path.parent
    if not (folder / "job.json").exists():
        video = write_video(folder / "v.mp4", numbered_frames(3))
        Job(video, video).save(folder)
        write_track(folder / "track.safetensors", face_track(3))
        save_expression(folder / "target.safetensors", face_track(3).curves)
    open_shot(folder)


def _turns(path: Path) -> None:
    path.write_text(json.dumps({"1": [[0, 1]], "2": [[2, 3]]}))


def _read_turns(path: Path) -> None:
    settings = DubSettings(face="speaker")
    job = Job(Path("v.mp4"), Path("o.mp4"), Path("a.wav"), settings=settings)
    roles_in(job, path.parent, 4)


FILES: dict[str, Reader] = {
    "turns": Reader("turns.json", _turns, _read_turns, text=True),
    "track": Reader(
        ".safetensors", lambda path: write_track(path, face_track(4)), load_track, tensors=True
    ),
    "curves": Reader(".safetensors", _curves, _read_curves, tensors=True),
    "curves as text": Reader(".json", _curves, _read_curves, text=True),
    "job": Reader("job.json", _job, lambda path: load_job(path.parent), text=True),
    "journal": Reader(JobFile.JOURNAL, _journal, _read_journal, text=True),
    "report": Reader("report.json", _report, _read_report, text=True),
    "occluders": Reader(
        ".safetensors",
        lambda path: save_occluders(path, packed([(2, np.ones((16, 16), bool))], 16)),
        load_occluders,
        tensors=True,
    ),
    "correctives": Reader(".safetensors", _personal, load_personal, tensors=True),
    "mesh": Reader(".safetensors", _mesh, _read_mesh, tensors=True),
    "request": Reader(
        ".json",
        lambda path: path.write_text('{"id": 1, "command": "dub", "arguments": {"job": "x"}}'),
        lambda path: _asked(path.read_bytes()),
        text=True,
    ),
}  # fmt: skip


def _asked(line: bytes) -> None:
    """The worker names two kinds of error that a line may end in, and answers both."""
    try:
        read_request(line)
    except (ValueError, RecursionError):
        return


def _bfm(path: Path) -> None:
    random = np.random.default_rng(0)
    places, faces = test_bfm.grid()
    count = test_bfm.COUNT
    content = {
        "meanshape": places.reshape(1, -1).astype(np.float32),
        "meantex": random.uniform(0, 255, (1, 3 * count)).astype(np.float32),
        "idBase": random.normal(size=(3 * count, 80)).astype(np.float32),
        "exBase": random.normal(size=(3 * count, 64)).astype(np.float32),
        "texBase": random.normal(0, 9, size=(3 * count, 80)).astype(np.float32),
        "tri": (faces + 1).astype(np.int32),
        "point_buf": np.ones((count, 8), np.int32),
        "keypoints": (test_bfm.keypoints(places) + 1)[None].astype(np.int32),
        "skinmask": np.ones((1, count)),
    }
    savemat(path, content, do_compression=True)


def _rnet(path: Path) -> None:
    torch.manual_seed(0)
    network = RNet()
    torch.save({"net_recon": network.state_dict()}, path)


def _shipped(name: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(registry.locate(name).read_bytes())


WEIGHTS: dict[str, Reader] = {
    "taft": Reader(
        ".safetensors",
        lambda path: save_generator(path, stirred(next(iter(SMALL.values())))),
        load_generator,
        tensors=True,
    ),
    "a2ep": Reader(
        ".safetensors",
        lambda path: save_checkpoint(path, small_a2ep.model(), {}),
        load_checkpoint,
        tensors=True,
    ),
    "sync": Reader(
        ".safetensors",
        lambda path: save_expert(path, SyncExpert(SMALL_SYNC), {}),
        load_expert,
        tensors=True,
    ),
    "face model": Reader(
        ".safetensors", _shipped("face_model"), load_face_model, tensors=True, slow=True
    ),
    "bfm": Reader(".mat", _bfm, read_bfm, slow=True),
    "rnet": Reader(".pth", _rnet, load_rnet, slow=True),
    "syncnet": Reader(
        ".model", lambda path: torch.save(published_state(), path), load_syncnet, slow=True
    ),
}

READERS = {**FILES, **WEIGHTS, **MEDIA}
