"""The face as geometry for other programs: shape keys with curves, or posed vertices a frame.

Model and camera space are those of `face_model` and `camera`: decimetres, camera at the origin
looking along -z.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.face.camera import pose
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.storage.arrays import Arrays, save_arrays
from gsmooth_core.storage.files import atomic
from gsmooth_core.types import Expression, FaceTrack, Float

OnProgress = Callable[[int], None]


def write_mesh(
    path: Path,
    model: MorphableModel,
    track: FaceTrack,
    expression: Expression,
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Write the mesh in the format that the file name asks for.

    Args:
        path: `.safetensors` (see `export_mesh`), `.npz` (see `write_npz`), or `.obj` (see
            `write_obj_sequence`).
        model: the model that the track's coefficients belong to.
        track: identity and pose.
        expression: curves, as long as the track.
        on_progress: told the number of frames written.

    Returns:
        the files written.

    Raises:
        InputError: another file name, or arguments that do not fit together.
        MediaError: the files cannot be written.
    """
    match path.suffix.lower():
        case ".safetensors":
            export_mesh(path, model, track, expression)
            return [path]
        case ".npz":
            write_npz(path, model, track, expression, on_progress)
            return [path]
        case ".obj":
            return write_obj_sequence(path, model, track, expression, on_progress)
        case _:
            raise InputError(f"'{path.name}' is no mesh format.", "Use .safetensors, .npz or .obj.")


def export_mesh(
    path: Path, model: MorphableModel, track: FaceTrack, expression: Expression
) -> None:
    """Write rest mesh, shape keys, curves and pose (safetensors, kind "mesh").

    Arrays: vertices (V, 3), the face of eq. 5; faces (F, 3) int32; uvs (3 F, 2), one a corner;
    shape_keys (E, V, 3), offsets from vertices; values (T, E), and tracked (T, E), what the face
    was filmed doing; rotation (T, 3); translation (T, 3); usable (T,) uint8. Metadata: names, fps,
    focal, width, height, model.

    Raises:
        InputError: model, track and curves do not fit together.
    """
    arrays: Arrays = {
        "vertices": model.template(track.identity),
        "faces": model.faces,
        "uvs": model.uvs[model.uv_faces].reshape(-1, 2),  # (F, 3, 2) -> (3 F, 2)
        "shape_keys": model.expression_basis,
        "values": fitting_values(model, track, expression),
        "tracked": fitting_values(model, track, track.curves),
        "rotation": track.rotation,
        "translation": track.translation,
        "usable": track.usable.astype(np.uint8),
    }
    meta = {
        "names": list(model.expression_names),
        "fps": str(expression.fps),
        "focal": track.focal,
        "width": track.width,
        "height": track.height,
        "model": model.name,
    }
    save_arrays(path, "mesh", arrays, meta)


def fitting_values(model: MorphableModel, track: FaceTrack, expression: Expression) -> Float:
    """The curves in the model's own order; components without a curve stay 0.

    Returns:
        (T, E).

    Raises:
        InputError: the track is of another model, or the curves have another length, or the
            model does not know a curve's name.
    """
    if track.model != model.name:
        raise InputError(
            f"The track belongs to the face model '{track.model}', not '{model.name}'.",
            "Track the video again, or choose that model.",
        )
    if len(expression) != len(track):
        raise InputError(
            f"The curves have {len(expression)} frames, the track has {len(track)}.",
            "Predict them for this video.",
        )
    columns = {name: k for k, name in enumerate(model.expression_names)}
    unknown = [name for name in expression.names if name not in columns]
    if unknown:
        raise InputError(
            f"The face model '{model.name}' has no expression '{unknown[0]}'.",
            "Use curves made for this model.",
        )
    values = np.zeros((len(track), len(columns)), np.float32)
    values[:, [columns[name] for name in expression.names]] = expression.values
    return values


def posed_vertices(
    model: MorphableModel, track: FaceTrack, expression: Expression
) -> Iterator[Float]:
    """(V, 3) vertices in camera space, frame by frame.

    Raises:
        InputError: model, track and curves do not fit together.
    """
    values = fitting_values(model, track, expression)
    template = model.template(track.identity)
    for beta, rotation, translation in zip(values, track.rotation, track.translation, strict=True):
        moved = np.tensordot(beta, model.expression_basis, 1).astype(np.float32)
        yield pose(template + moved, rotation, translation)


def write_npz(
    path: Path,
    model: MorphableModel,
    track: FaceTrack,
    expression: Expression,
    on_progress: OnProgress | None = None,
) -> None:
    """Write posed vertices of all frames as one .npz, frame by frame, whatever the length.

    Arrays: vertices (T, V, 3) float32 in camera space; faces (F, 3); uvs (U, 2); uv_faces
    (F, 3); usable (T,); fps () as numerator over denominator; camera (3,): focal, width, height.

    Raises:
        InputError: model, track and curves do not fit together.
        MediaError: the file cannot be written.
    """
    frames = posed_vertices(model, track, expression)
    rate = expression.fps
    small = {
        "faces": model.faces,
        "uvs": model.uvs,
        "uv_faces": model.uv_faces,
        "usable": track.usable,
        "fps": np.array([rate.numerator, rate.denominator]),
        "camera": np.array([track.focal, track.width, track.height], np.float64),
    }
    with atomic(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, values in small.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, values, allow_pickle=False)
        with archive.open("vertices.npy", "w", force_zip64=True) as file:
            file.write(_npy_header((len(track), *model.mean.shape)))
            for number, vertices in enumerate(frames, start=1):
                file.write(np.ascontiguousarray(vertices, "<f4").tobytes())
                _tell(on_progress, number)


def _npy_header(shape: tuple[int, ...]) -> bytes:
    """Head of a .npy file (version 1.0) of little-endian float32 in C order."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    start = b"\x93NUMPY\x01\x00"
    text += " " * (-(len(start) + 2 + len(text) + 1) % 64) + "\n"  # data starts at a multiple of 64
    return start + struct.pack("<H", len(text)) + text.encode("latin1")


def write_obj_sequence(
    path: Path,
    model: MorphableModel,
    track: FaceTrack,
    expression: Expression,
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Write one Wavefront .obj a frame: `head.obj` gives `head.000000.obj` and so on.

    Vertices are posed in camera space. Frames without a usable face have no file.

    Returns:
        the files written.

    Raises:
        InputError: model, track and curves do not fit together.
        MediaError: a file cannot be written.
    """
    tail = _obj_tail(model)
    written: list[Path] = []
    frames = zip(posed_vertices(model, track, expression), track.usable, strict=True)
    for number, (vertices, usable) in enumerate(frames):
        if usable:
            target = path.with_name(f"{path.stem}.{number:06d}.obj")
            with atomic(target) as partial:
                partial.write_text(_rows("v", vertices, "%.6f") + tail, encoding="ascii")
            written.append(target)
        _tell(on_progress, number + 1)
    return written


def _obj_tail(model: MorphableModel) -> str:
    """UVs and faces, the same in every frame."""
    corners = np.stack([model.faces, model.uv_faces], axis=-1) + 1  # (F, 3, 2), from 1
    lines = [" ".join(f"{v}/{vt}" for v, vt in face) for face in corners.tolist()]
    return _rows("vt", model.uvs, "%.6f") + "".join(f"f {line}\n" for line in lines)


def _rows(key: str, values: Float, number: str) -> str:
    row = f"{key} " + " ".join([number] * values.shape[1]) + "\n"
    return (row * len(values)) % tuple(values.ravel().tolist())


def _tell(on_progress: OnProgress | None, done: int) -> None:
    if on_progress is not None:
        on_progress(done)
