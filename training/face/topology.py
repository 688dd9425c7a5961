"""Topology of the default face model: which faces are kept, refined, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gsmooth_core.face.morphable import Region
from training.face.source import Array, BaseMesh, read_uv_mask
from training.face.subdivide import PolygonMesh, control_mesh, subdivide, triangulate
from training.face.uv import unfold

GROUPS = {
    "body": Region.SKIN,
    "helper-l-eye": Region.EYES,
    "helper-r-eye": Region.EYES,
    "helper-upper-teeth": Region.TEETH,
    "helper-lower-teeth": Region.TEETH,
    "helper-tongue": Region.TONGUE,
}
# Where the origin stands in the base mesh: mid-plane, 0.15 dm above the base of the nose, so
# that the paper's threshold y_m = -0.15 (eq. 14) means the same place as on its mean face.
ORIGIN = np.array([0.0, 6.93, 1.25])
NOSE_BASE = -0.15
NOSE_WING = 0.0
LIP_LINE = -0.316  # height of the corners of the mouth
LIP_LINE_UV = 0.9095  # the same in MakeHuman's atlas, where down is along u
INNER_MOUTH_UV = 0.14  # the island of the inner mouth lies below this, the face above
MOUTH = np.array([0.0, -0.33, 0.3])


@dataclass(frozen=True)
class Topology:
    """The cropped and refined mesh, before it has a mean shape.

    Attributes:
        kept: (V0,) vertices of the base mesh that are control vertices here.
        weights: (V, V0) subdivision matrix.
        faces: (F, 3).
        uvs: (U, 2).
        uv_faces: (F, 3).
        regions: (V,) ids of `Region`.
        upper: (V,) whether a vertex is above the opening of the mouth.
    """

    kept: NDArray[np.int64]
    weights: sparse.csr_matrix
    faces: NDArray[np.int32]
    uvs: Array
    uv_faces: NDArray[np.int32]
    regions: NDArray[np.uint8]
    upper: NDArray[np.bool_]

    def refine(self, control: Array) -> Array:
        """Subdivide positions or offsets: (..., V0, 3) -> (..., V, 3)."""
        moved = np.moveaxis(control, -2, 0)  # (V0, ..., 3)
        flat = self.weights @ moved.reshape(len(moved), -1)  # (V, ... * 3)
        return np.moveaxis(flat.reshape(-1, *moved.shape[1:]), 0, -2)


def build_topology(base: BaseMesh) -> Topology:
    """Crop the head, refine the mouth and the lower face, triangulate, name the regions."""
    positions = base.vertices - ORIGIN
    chosen = _head_faces(base, positions)
    kept, faces = np.unique(base.faces[chosen], return_inverse=True)
    uv_kept, uv_faces = np.unique(base.uv_faces[chosen], return_inverse=True)
    # (F, 4) again: numpy 1 and 2 disagree on the shape of the inverse
    mesh = control_mesh(faces.reshape(-1, 4), uv_faces.reshape(-1, 4), base.uvs[uv_kept], len(kept))
    groups = base.groups[chosen]
    mesh = _refine(mesh, positions[kept], groups)
    vertices = np.asarray(mesh.weights @ positions[kept])
    triangles, uv_triangles, parents = triangulate(mesh, vertices)
    parts = _vertex_parts(triangles, groups[parents], len(vertices))
    regions = name_regions(vertices, parts, mesh.uvs, triangles, uv_triangles)
    uvs = unfold(mesh.uvs, uv_triangles, triangles, vertices, regions)
    upper = _above_mouth(vertices, regions, mesh.uvs, triangles, uv_triangles)
    return Topology(kept, mesh.weights, triangles, uvs, uv_triangles, regions, upper)


def _head_faces(base: BaseMesh, positions: Array) -> NDArray[np.bool_]:
    """Faces above a plane that leaves a short neck."""
    centre = positions[base.faces].mean(1)
    above = centre[:, 1] > -1.455 - 0.3 * centre[:, 2]
    in_head = above & (np.abs(centre[:, 0]) < 1.3)
    return np.asarray(in_head & np.isin(base.groups, list(GROUPS)))


def _refine(mesh: PolygonMesh, positions: Array, groups: NDArray[np.str_]) -> PolygonMesh:
    """Two levels on the lips and the skin close to them, one on the lower face and the mouth."""
    mesh = subdivide(mesh, _near_mouth(mesh, positions, groups, np.array([0.75, 0.52, 0.75])))
    return subdivide(mesh, _near_lips(mesh))


def _near_mouth(
    mesh: PolygonMesh, positions: Array, groups: NDArray[np.str_], radii: Array
) -> NDArray[np.bool_]:
    """Faces in an ellipsoid around the mouth, all of the teeth and tongue included."""
    centres = np.stack([positions[list(face)].mean(0) for face in mesh.faces])
    inside = (((centres - MOUTH) / radii) ** 2).sum(1) < 1
    teeth = np.isin(groups, ["helper-upper-teeth", "helper-lower-teeth"])
    return np.asarray(inside | teeth)


def _near_lips(mesh: PolygonMesh) -> NDArray[np.bool_]:
    """Faces with a corner on the lips."""
    on_lips = read_uv_mask("lips", mesh.uvs) > 0.5
    return np.array([bool(on_lips[list(face)].any()) for face in mesh.uv_faces])


def _above_mouth(
    vertices: Array,
    regions: NDArray[np.uint8],
    uvs: Array,
    triangles: NDArray[np.int32],
    uv_triangles: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Lips by their place in the atlas, where they do not touch; everything else by height."""
    above = vertices[:, 1] > LIP_LINE
    down = np.zeros(len(vertices))
    in_face = uvs[uv_triangles, 1] > INNER_MOUTH_UV  # not the seam's other side
    down[triangles[in_face]] = uvs[uv_triangles[in_face], 0]
    return np.where(regions == Region.LIPS, down < LIP_LINE_UV, above)


def _vertex_parts(
    triangles: NDArray[np.int32], groups: NDArray[np.str_], count: int
) -> NDArray[np.uint8]:
    parts = np.zeros(count, np.uint8)
    for group, region in GROUPS.items():
        parts[triangles[groups == group]] = region
    return parts


def name_regions(
    vertices: Array,
    parts: NDArray[np.uint8],
    uvs: Array,
    triangles: NDArray[np.int32],
    uv_triangles: NDArray[np.int32],
) -> NDArray[np.uint8]:
    """Give every vertex its region: by group, by MakeHuman's UV masks, then by place.

    Args:
        vertices: (V, 3) around `ORIGIN`.
        parts: (V,) SKIN, EYES, TEETH or TONGUE.
        uvs: (U, 2) in MakeHuman's atlas.
        triangles: (F, 3).
        uv_triangles: (F, 3).
    """
    x, y, z = vertices.T
    regions = parts.copy()
    skin = parts == Region.SKIN

    def masked(name: str) -> NDArray[np.bool_]:
        values = np.zeros(len(vertices))
        np.maximum.at(values, triangles.ravel(), read_uv_mask(name, uvs)[uv_triangles.ravel()])
        return np.asarray(skin & (values > 0.5))

    # the jaw line runs from the chin (z 0.05) up to the angle of the jaw (z -0.8)
    below_jaw = y < -0.93 + 0.47 * (0.05 - z)
    regions[skin & (z < -0.62)] = Region.HEAD
    regions[skin & below_jaw] = Region.NECK
    side = np.clip((np.abs(x) - 0.14) / 0.14, 0, 1)
    top = NOSE_BASE + (NOSE_WING - NOSE_BASE) * side**2 * (3 - 2 * side)
    regions[(regions == Region.SKIN) & (y < top)] = Region.LOWER_FACE
    regions[masked("ears")] = Region.EARS
    regions[masked("inside-mouth")] = Region.INNER_MOUTH
    regions[masked("lips")] = Region.LIPS
    return regions
