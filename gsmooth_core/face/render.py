"""The posed mesh in a face crop: what it covers, how it is lit, and where else its points are.

The face is the part of the mesh that a crop replaces or aligns: skin, lips, eyes and what is
inside the mouth, without ears, neck and the back of the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gsmooth_core.face.camera import pose, project, rotation_matrix
from gsmooth_core.face.dentition import grooved, tooth_numbers
from gsmooth_core.face.morphable import DUBBED_REGIONS, MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.face.mouth_light import FRONT, cheeks, falls_in, turned_out, wall_albedo
from gsmooth_core.face.rasterizer import depths, rasterize, silhouette
from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.face.shading import shade, vertex_normals
from gsmooth_core.types import Bool, FaceTrack, Float, Int, RenderedFace

NOTHING = 255
"""Region of a pixel outside the face in `Drawing.region`."""

_LEFT_OUT = (Region.EARS, Region.NECK, Region.HEAD)
_SKIN_ALBEDO = (0.70, 0.50, 0.42)
_ALBEDO: dict[Region, tuple[float, float, float]] = {
    Region.LIPS: (0.58, 0.30, 0.29),
    Region.INNER_MOUTH: (0.20, 0.07, 0.06),
    Region.TEETH: (0.60, 0.60, 0.60),  # `interior.in_light` gives what is grey the skin's tint
    Region.TONGUE: (0.50, 0.25, 0.24),
    Region.EYES: (0.70, 0.67, 0.65),
}
_MOBILE = 0.2  # share of the largest movement from which a place counts as moved by speech
_SIDEWAYS = 0.9  # how much larger the share must be where the face turns to its side
_EVERYWHERE = 0.6  # share of the light in a mouth that comes from its walls, from all sides
_HIDDEN_BY = 0.06  # decimetres by which another surface must be nearer to hide a point


@dataclass(frozen=True)
class FaceSurface:
    """One person's face mesh, cut out of the model; V vertices, F faces.

    Attributes:
        template: (V, 3) the neutral face (eq. 5).
        basis: (E, V, 3) B_exp.
        faces: (F, 3) counter-clockwise from outside.
        regions: (V,) ids of `Region`.
        face_regions: (F,) the region of a face.
        reach: (V,) how far speech moves a vertex at most, as a share of what it moves most;
            infinite for lips and mouth, 0 where dubbing never replaces anything.
        beside_lips: (V,) decimetres to the nearest vertex of the lips.
        albedo: (V, 3) plausible colours under white light, RGB 0..1.
        tooth: (V,) which tooth of its row a vertex is on, see `dentition`.
        cheek: (V,) 0..1, how far a vertex is the inner side of a cheek, beside the teeth.
    """

    template: Float
    basis: Float
    faces: Int
    regions: NDArray[np.uint8]
    face_regions: NDArray[np.uint8]
    reach: Float
    beside_lips: Float
    albedo: Float
    tooth: Float
    cheek: Float

    @property
    def moving(self) -> Bool:
        """(V,) vertices that dubbing may replace in some pose."""
        moving: Bool = self.reach > _MOBILE
        return moving

    @property
    def inside_mouth(self) -> Bool:
        """(V,) teeth, tongue and the mouth's inner wall."""
        return among(self.regions, MOUTH_REGIONS)


@dataclass(frozen=True)
class Posed:
    """The vertices of a surface in one frame.

    Attributes:
        camera: (V, 3) in camera space.
        seen: (V, 3) u and v in crop pixels, depth in decimetres.
        normals: (V, 3) unit normals in camera space.
        up: (3,) the head's own upward direction in camera space.
    """

    camera: Float
    seen: Float
    normals: Float
    up: Float


@dataclass(frozen=True)
class Drawing:
    """A surface drawn into a crop with attributes of its vertices.

    Attributes:
        face: the rendered face.
        dubbed: (H, W) pixels that dubbing replaces.
        values: (H, W, C) interpolated attributes, 0 outside.
        points: (V, 2) crop pixels of its vertices.
    """

    face: RenderedFace
    dubbed: Bool
    values: Float
    points: Float


class _Surfaces:
    """The last persons' faces: some megabytes each, and a job asks for one again and again."""

    _KEPT = 2

    def __init__(self) -> None:
        self._known: tuple[tuple[MorphableModel, bytes, FaceSurface], ...] = ()

    def of(self, model: MorphableModel, identity: Float) -> FaceSurface:
        asked, before = identity.tobytes(), self._known
        for own, key, surface in before:
            if own is model and key == asked:
                return surface
        made = _cut_out(model, identity)
        self._known = ((model, asked, made), *before)[: self._KEPT]  # another thread may have, too
        return made


_SURFACES = _Surfaces()


def face_surface(model: MorphableModel, identity: Float) -> FaceSurface:
    """The face of the person with `identity` (I,), cut out of the model; the last ones are kept."""
    return _SURFACES.of(model, identity)


def _cut_out(model: MorphableModel, identity: Float) -> FaceSurface:
    kept = ~model.in_regions(*_LEFT_OUT)
    index = np.cumsum(kept) - 1
    faces = index[model.faces[kept[model.faces].all(1)]].astype(np.int32)
    regions, template = model.regions[kept], model.template(identity)[kept]
    albedo = np.tile(np.array(_SKIN_ALBEDO, np.float32), (len(regions), 1))
    for region, colour in _ALBEDO.items():
        albedo[regions == region] = colour
    return FaceSurface(
        template=np.ascontiguousarray(template),
        basis=np.ascontiguousarray(model.expression_basis[:, kept]),
        faces=faces,
        regions=regions,
        face_regions=np.sort(regions[faces], 1)[:, 1],  # what most of its corners are
        reach=_reach(model)[kept],
        beside_lips=cKDTree(template[regions == Region.LIPS]).query(template)[0].astype(np.float32),
        albedo=albedo,
        tooth=tooth_numbers(model)[kept],
        cheek=cheeks(template, regions),
    )


def _reach(model: MorphableModel) -> Float:
    """(V,) see `FaceSurface.reach`."""
    dubbed = model.in_regions(*DUBBED_REGIONS)
    moved = np.linalg.norm(model.expression_basis, axis=-1).max(0)
    reach = np.where(dubbed, moved / moved[dubbed].max(), 0).astype(np.float32)
    reach[model.in_regions(Region.LIPS, *MOUTH_REGIONS)] = np.inf
    return reach


def dubbed_faces(surface: FaceSurface, posed: Posed) -> Bool:
    """(F,) faces that dubbing replaces: lower face and mouth, as far as speech moves them.

    The more the face turns to its side, the more it must move. So the outline of cheeks and jaw,
    which hardly moves and where a mesh errs most, stays the frame's own, with hair and collar
    behind it; the chin, whose outline moves, is replaced.
    """
    count = len(posed.camera)
    view = -np.full(count, 1 / count, np.float32) @ posed.camera  # a mean, at a tenth of its time
    view = view - (view @ posed.up) * posed.up
    view = (view / np.linalg.norm(view)).astype(np.float32)
    replaced: Bool = _replaced(surface.reach, posed.normals, posed.up, view, surface.faces)
    return replaced


@compiled
def _replaced(reach: Any, normals: Any, up: Any, view: Any, faces: Any) -> Any:
    """(F,) faces all of whose corners move enough.

    Args:
        reach: (V,) of the surface.
        normals: (V, 3).
        up: (3,) the head's own upward direction.
        view: (3,) direction towards the camera, at right angles to it.
        faces: (F, 3).
    """
    moves = np.empty(len(reach), np.bool_)
    for v in range(len(reach)):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        rises = x * up[0] + y * up[1] + z * up[2]
        x, y, z = x - rises * up[0], y - rises * up[1], z - rises * up[2]
        # 0 where the surface faces the camera or the head's up and down, 1 at its sides.
        away = np.sqrt(x * x + y * y + z * z) - (x * view[0] + y * view[1] + z * view[2])
        away = min(max(away, np.float32(0)), np.float32(1))
        moves[v] = reach[v] > np.float32(_MOBILE) + np.float32(_SIDEWAYS) * away
    found = np.empty(len(faces), np.bool_)
    for face in range(len(faces)):
        found[face] = moves[faces[face, 0]] and moves[faces[face, 1]] and moves[faces[face, 2]]
    return found


def pose_face(
    surface: FaceSurface, track: FaceTrack, frame: int, expression: Float, transform: Float
) -> Posed:
    """Place the surface where the track has the head in a frame.

    Args:
        surface: the person's face surface.
        track: pose of the head, and focal length.
        frame: frame number.
        expression: (E,) beta of eq. 1 that the surface is to show.
        transform: (2, 3) frame -> crop pixels.
    """
    return placed(surface, in_camera(surface, track, frame, expression), track, frame, transform)


def in_camera(surface: FaceSurface, track: FaceTrack, frame: int, expression: Float) -> Float:
    """(V, 3) where the vertices of `pose_face` lie in camera space."""
    shape = surface.template + np.tensordot(expression, surface.basis, 1).astype(np.float32)
    return pose(shape, track.rotation[frame], track.translation[frame])


def placed(
    surface: FaceSurface, camera: Float, track: FaceTrack, frame: int, transform: Float
) -> Posed:
    """A surface whose vertices lie at `camera` (V, 3), as the crop of a frame shows it."""
    up = rotation_matrix(track.rotation[frame])[:, 1].astype(np.float32)
    seen = project(camera, track.focal, track.width, track.height)
    uv = seen[:, :2] @ transform[:, :2].T + transform[:, 2]
    normals = vertex_normals(camera, surface.faces)
    return Posed(camera, np.column_stack([uv, seen[:, 2]]).astype(np.float32), normals, up)


def draw_face(
    surface: FaceSurface, posed: Posed, size: int, light: Float | None, values: Float | None = None
) -> Drawing:
    """Rasterise the surface into a crop of `size` x `size` pixels.

    Args:
        surface: the person's face surface.
        posed: its vertices in this crop.
        size: side of the crop in pixels.
        light: (9, 3) spherical-harmonics light for I_r; None leaves I_r black.
        values: (V, C) more attributes to interpolate.
    """
    lit = np.zeros_like(posed.seen) if light is None else _lit(surface, posed, light)
    attributes = np.column_stack([lit, surface.tooth, *([] if values is None else [values])])
    raster = rasterize(posed.seen, surface.faces, attributes.astype(np.float32), size, size)
    region = np.where(raster.mask, surface.face_regions[raster.face_index], NOTHING)
    image = raster.image[..., :3]
    if light is not None:
        image = grooved(image, region == Region.TEETH, raster.image[..., 3])
    face = RenderedFace(image, raster.depth, raster.mask, region.astype(np.uint8))
    dubbed = raster.mask & dubbed_faces(surface, posed)[raster.face_index]
    return Drawing(face, dubbed, raster.image[..., 4:], posed.seen[:, :2])


def covered(surface: FaceSurface, posed: Posed, size: int, *, whole: bool) -> Bool:
    """(H, W) pixels of the skin and lips that dubbing replaces, drawn alone: nothing hides them."""
    outside = among(surface.face_regions, (Region.LOWER_FACE, Region.LIPS))
    faces = surface.faces if whole else surface.faces[dubbed_faces(surface, posed) & outside]
    return silhouette(posed.seen, faces, size, size)


def among(regions: NDArray[np.uint8], wanted: Sequence[Region]) -> Bool:
    """Which of some regions (...) are `wanted`; quicker than `numpy.isin` on a picture."""
    table = np.zeros(256, np.uint8)
    table[list(wanted)] = 1
    if not regions.size:
        return np.zeros(regions.shape, bool)
    found = cv2.LUT(regions.reshape(1, -1), table)
    return np.asarray(found.reshape(regions.shape).view(bool), bool)


def visibility(surface: FaceSurface, posed: Posed, size: int) -> tuple[Float, Bool]:
    """How well each vertex can be seen in a crop: 0 hidden or turned away, 1 in full view.

    Points inside the mouth must be clear of the lips' edge, so that no lip colour is taken for
    teeth.

    Returns:
        (V,) 0..1, and (H, W) what the surface covers.
    """
    depth = depths(posed.seen, surface.faces, size, size)
    covered = np.isfinite(depth)
    finite = np.where(covered, depth, np.float32(1e6))
    clear = cv2.erode(finite, np.ones((3, 3), np.uint8))  # the nearest surface around a pixel
    column = np.floor(posed.seen[:, 0]).astype(int)
    row = np.floor(posed.seen[:, 1]).astype(int)
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    at = row.clip(0, size - 1), column.clip(0, size - 1)
    front = np.where(surface.inside_mouth, clear[at], finite[at])
    in_view = inside & (posed.seen[:, 2] <= front + _HIDDEN_BY)
    visible: Float = (in_view * _facing(surface, posed)).astype(np.float32)
    return visible, np.asarray(covered, bool)


def _facing(surface: FaceSurface, posed: Posed) -> Float:
    """(V,) 0 for skin that is turned away, 1 for skin that faces the camera."""
    towards = -posed.camera / np.linalg.norm(posed.camera, axis=1, keepdims=True)
    cosine = (posed.normals * towards).sum(1)
    facing = np.clip(cosine / 0.5, 0, 1)
    return np.where(surface.inside_mouth, 1, facing).astype(np.float32)


def _lit(surface: FaceSurface, posed: Posed, light: Float) -> Float:
    """(V, 3) lit colours; in a mouth the light is that which falls in between the teeth."""
    lips, inside = surface.regions == Region.LIPS, surface.inside_mouth
    albedo, normals = surface.albedo, posed.normals
    if lips.any() and inside.any():
        behind = np.maximum(posed.seen[inside, 2] - posed.seen[lips, 2].mean() - FRONT, 0)
        outwards = -posed.camera[lips].mean(0)
        outwards /= np.linalg.norm(outwards)
        beside, cheek = surface.beside_lips[inside], surface.cheek[inside]
        falls = falls_in(behind, beside, cheek, _parted(surface, posed))
        facing = np.clip(normals[inside] @ outwards, 0, 1)
        falls *= _EVERYWHERE + (1 - _EVERYWHERE) * facing
        albedo, normals = albedo.copy(), normals.copy()
        wall = surface.regions[inside] == Region.INNER_MOUTH
        within = albedo[inside]
        within[wall] = wall_albedo(within[wall], albedo[lips][0], cheek[wall], behind[wall])
        albedo[inside] = within * falls[:, None]
        normals[inside] = outwards
        normals[lips] = turned_out(normals[lips], outwards)
    clipped: Float = np.clip(shade(albedo, normals, light), 0, 1).astype(np.float32)
    return clipped


def _parted(surface: FaceSurface, posed: Posed) -> float:
    """Decimetres by which a jaw parts the rows of teeth."""
    teeth = surface.regions == Region.TEETH
    if not teeth.any():
        return 0.0
    height = np.ptp(posed.camera[teeth] @ posed.up) - np.ptp(surface.template[teeth, 1])
    return max(float(height), 0.0)
