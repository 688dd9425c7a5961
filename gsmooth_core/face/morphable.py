"""The 3D morphable face model (eq. 1): shape, expression, regions and landmarks.

Model space is decimetres, x to the viewer's right when the face looks at the viewer (the
person's left), y up, z out of the face, origin near the centre of the nose. With rotation 0 the
model looks at a camera that looks along -z.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import ModelError
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import Arrays, save_arrays
from gsmooth_core.types import Bool, Float, Int

LANDMARK_COUNT = 478
REACH = 100.0
"""Decimetres within which the vertices of any face model lie, and what moves them."""


class Region(IntEnum):
    """What a vertex is part of.

    SKIN is the face above the lower face (nose and forehead included); LOWER_FACE the skin that
    dubbing replaces: from the base of the nose and, on the cheeks, the nose wings down to the
    jaw line; LIPS the red of the lips; INNER_MOUTH the cavity behind them; HEAD the scalp and
    the back of the head.
    """

    SKIN = 0
    LOWER_FACE = 1
    LIPS = 2
    INNER_MOUTH = 3
    TEETH = 4
    TONGUE = 5
    EYES = 6
    EARS = 7
    NECK = 8
    HEAD = 9


MOUTH_REGIONS = (Region.INNER_MOUTH, Region.TEETH, Region.TONGUE)
DUBBED_REGIONS = (Region.LOWER_FACE, Region.LIPS, *MOUTH_REGIONS)


@dataclass(frozen=True)
class MorphableModel:
    """S = S-bar + B_id alpha + B_exp beta (eq. 1), with what rendering and tracking need.

    Attributes:
        name: what tracks refer to.
        mean: (V, 3) S-bar.
        identity_basis: (I, V, 3) B_id; alpha ~ N(0, 1).
        expression_basis: (E, V, 3) B_exp; for the default model beta is 0..1.
        expression_names: E names; ARKit names for the default model.
        faces: (F, 3) counter-clockwise from outside.
        uvs: (U, 2), v up.
        uv_faces: (F, 3) UV index of each corner.
        regions: (V,) ids of `Region`.
        mouth_mask: (V,) M of eq. 14-15.
        landmark_faces: (478,) face that carries each landmark of the tracker.
        landmark_barycentric: (478, 3) its place on that face.
        landmark_weight: (478,) 0..1, 0 where the mesh has no dependable place for it.
        mean_texture: (V, 3) T-bar, RGB 0..1, where the model has one.
        texture_basis: (X, V, 3) B_tex, where the model has one.
    """

    name: str
    mean: Float
    identity_basis: Float
    expression_basis: Float
    expression_names: tuple[str, ...]
    faces: Int
    uvs: Float
    uv_faces: Int
    regions: NDArray[np.uint8]
    mouth_mask: Bool
    landmark_faces: Int
    landmark_barycentric: Float
    landmark_weight: Float
    mean_texture: Float | None = None
    texture_basis: Float | None = None

    @property
    def lower_face(self) -> Bool:
        """(V,) what dubbing replaces: lower face, lips, and everything inside the mouth."""
        return self.in_regions(*DUBBED_REGIONS)

    def in_regions(self, *regions: Region) -> Bool:
        """(V,) whether a vertex is in one of the regions."""
        return np.isin(self.regions, [int(region) for region in regions])

    def template(self, identity: Float) -> Float:
        """S_temp = S-bar + B_id alpha (eq. 5).

        Args:
            identity: (I,) alpha.

        Returns:
            (V, 3).
        """
        return self.mean + np.tensordot(identity, self.identity_basis, 1).astype(np.float32)

    def shape(self, identity: Float, expression: Float) -> Float:
        """S(alpha, beta) of eq. 1.

        Args:
            identity: (I,) alpha.
            expression: (E,) or (T, E) beta.

        Returns:
            (V, 3) or (T, V, 3).
        """
        moved = np.tensordot(expression, self.expression_basis, 1).astype(np.float32)
        return self.template(identity) + moved

    def texture(self, coefficients: Float) -> Float:
        """T(delta) of eq. 1.

        Args:
            coefficients: (X,) delta.

        Returns:
            (V, 3) RGB, 0..1 but for overshoot.

        Raises:
            ModelError: the model has no texture.
        """
        if self.mean_texture is None or self.texture_basis is None:
            raise ModelError(f"The face model '{self.name}' has no texture.", "Use BFM 2009.")
        moved = np.tensordot(coefficients, self.texture_basis, 1).astype(np.float32)
        return self.mean_texture + moved

    def landmarks(self, vertices: Float) -> Float:
        """Places of the tracker's landmarks on a shape: (..., V, 3) -> (..., 478, 3)."""
        corners = vertices[..., self.faces[self.landmark_faces], :]  # (..., 478, 3 corners, 3)
        places = np.einsum("...lcx,lc->...lx", corners, self.landmark_barycentric)
        return np.asarray(places, np.float32)


_PLAIN = (
    *("mean", "faces", "uvs", "uv_faces", "regions"),
    *("landmark_faces", "landmark_barycentric", "landmark_weight"),
)
_BASES = ("identity_basis", "expression_basis")


def save_face_model(path: Path, model: MorphableModel) -> None:
    """Write a model without texture; bases as 16-bit integers with a scale a component."""
    arrays: Arrays = {name: getattr(model, name) for name in _PLAIN}
    arrays["mouth_mask"] = model.mouth_mask.astype(np.uint8)
    for name in _BASES:
        arrays[name], arrays[f"{name}_scale"] = _quantise(getattr(model, name))
    meta = {"name": model.name, "expression_names": list(model.expression_names)}
    save_arrays(path, "face-model", arrays, meta)


def _quantise(basis: Float) -> tuple[NDArray[np.int16], Float]:
    scale = np.abs(basis).max(axis=(1, 2)) / np.float32(32767) + np.float32(1e-12)
    return np.round(basis / scale[:, None, None]).astype(np.int16), scale.astype(np.float32)


_SHAPES: dict[str, tuple[int | None, ...]] = {
    "mean": (None, 3),
    "faces": (None, 3),
    "uvs": (None, 2),
    "uv_faces": (None, 3),
    "regions": (None,),
    "mouth_mask": (None,),
    "landmark_faces": (LANDMARK_COUNT,),
    "landmark_barycentric": (LANDMARK_COUNT, 3),
    "landmark_weight": (LANDMARK_COUNT,),
    "identity_basis": (None, None, 3),
    "identity_basis_scale": (None,),
    "expression_basis": (None, None, 3),
    "expression_basis_scale": (None,),
}


def read_face_model(path: Path) -> MorphableModel:
    """Read a file that `save_face_model` wrote.

    Raises:
        ModelError: missing, damaged or of another kind.
    """
    source = ModelSource(path, "face model", "Use face_model.safetensors, or reinstall GSmooth.")
    arrays, meta = source.arrays("face-model")
    names = source.names(meta, "expression_names")
    name = source.entry(meta, "name")
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise source.refused("'name' is no name")
    _check_tables(source, arrays, len(names))
    _check_numbers(source, arrays)
    bases = {n: arrays[n] * arrays[f"{n}_scale"][:, None, None] for n in _BASES}
    return MorphableModel(
        name=name,
        expression_names=names,
        mouth_mask=arrays["mouth_mask"].astype(bool),
        **{name: arrays[name] for name in _PLAIN},
        **bases,
    )


def _check_tables(source: ModelSource, arrays: Arrays, expressions: int) -> None:
    """See that all tables are there, and that their sizes and types go together."""
    if unlike := sorted(set(_SHAPES) ^ set(arrays)):
        raise source.refused(f"'{unlike[0]}' is missing or unknown")
    for name, shape in _SHAPES.items():
        source.shaped(name, arrays[name], shape)
        if arrays[name].dtype != _dtype(name):
            raise source.refused(f"'{name}' is of the type {arrays[name].dtype}")
    vertices, identities = len(arrays["mean"]), len(arrays["identity_basis"])
    for name in ("regions", "mouth_mask"):
        source.shaped(name, arrays[name], (vertices,))
    source.shaped("uv_faces", arrays["uv_faces"], arrays["faces"].shape)
    for name, count in (("identity_basis", identities), ("expression_basis", expressions)):
        source.shaped(name, arrays[name], (count, vertices, 3))
        source.shaped(f"{name}_scale", arrays[f"{name}_scale"], (count,))


def _dtype(name: str) -> type[np.generic]:
    if name in _BASES:
        return np.int16
    if name in ("regions", "mouth_mask"):
        return np.uint8
    return np.int32 if name.endswith("faces") else np.float32


def _check_numbers(source: ModelSource, arrays: Arrays) -> None:
    """See that every number is one that a face model can have."""
    step = REACH / np.iinfo(np.int16).max
    limits: dict[str, tuple[float, float]] = {
        "mean": (-REACH, REACH),
        "uvs": (0, 1),
        "regions": (0, max(Region)),
        "mouth_mask": (0, 1),
        "landmark_barycentric": (-1e-3, 1 + 1e-3),
        "landmark_weight": (0, 1),
        "faces": (0, len(arrays["mean"]) - 1),
        "uv_faces": (0, len(arrays["uvs"]) - 1),
        "landmark_faces": (0, len(arrays["faces"]) - 1),
        **{f"{name}_scale": (0, step) for name in _BASES},
    }
    for name, (low, high) in limits.items():
        source.bounded(name, arrays[name], low, high)
    sums = arrays["landmark_barycentric"].sum(axis=1)
    source.bounded("landmark_barycentric", sums, 1 - 1e-3, 1 + 1e-3)
