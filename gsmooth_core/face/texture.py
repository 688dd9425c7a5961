"""The clip's own texture: frames carried back through the tracked mesh into its UV space.

Each texel knows its face and its place on it. In a frame that place is projected, tested against
the depth buffer, and its pixel added with a weight that falls where the surface turns away.
Frames stream: memory does not grow with their number.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.shading import vertex_normals
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image, Int

# Decimetres (2 mm) a surface may lie off the depth buffer and still count as seen: less than lips
# are thick, more than a face bends between two pixels.
DEPTH_TOLERANCE = 0.02
# A pixel coordinate far from any frame.
OUTSIDE = -1e4
# Texels with less than this share of the best weight are better filled than believed.
LEAST_WEIGHT = 1e-3
_LOOKED_AT = 24  # frames of a clip


def facing_weight(vertices: Float, normals: Float) -> Float:
    """How squarely each vertex faces the camera: the squared cosine, 0 when turned away.

    Args:
        vertices: (V, 3) in camera space.
        normals: (V, 3) unit vectors in camera space.

    Returns:
        (V,) 0..1, the `weight` of `TextureAccumulator.add`.
    """
    distance = np.linalg.norm(vertices, axis=-1)
    cosine = -(vertices * normals).sum(-1) / np.maximum(distance, 1e-9)
    squared: Float = np.square(np.maximum(cosine, 0)).astype(np.float32)
    return squared


class TextureAccumulator:
    """Gathers a texture from frames, one at a time.

    Args:
        faces: (F, 3) vertices of the mesh's faces.
        uvs: (U, 2) places in the texture, 0..1, v upwards as in Blender.
        uv_faces: (F, 3) entries of `uvs` at the faces' corners.
        size: width and height of the texture in texels.
    """

    def __init__(self, faces: Int, uvs: Float, uv_faces: Int, size: int = 1024) -> None:
        self._faces = faces
        self._size = size
        self._covered, face, barycentric = _texels(uvs, uv_faces, size)
        self._face = face  # (N,)
        self._corners = faces[face]  # (N, 3) vertices
        self._barycentric = barycentric  # (N, 3)
        self._colour = np.zeros((len(face), 3), np.float32)
        self._weight = np.zeros(len(face), np.float32)

    def add(self, frame: Image, projected: Float, weight: Float | None = None) -> None:
        """Add what one frame shows of the mesh.

        Args:
            frame: (H, W, 3) uint8.
            projected: (V, 3) pixels of this frame and depth, as from `camera.project`.
            weight: (V,) 0..1, how far to believe the frame at each vertex (`facing_weight`);
                None believes every visible vertex alike.
        """
        believed = np.ones(len(projected), np.float32) if weight is None else weight
        texel_weight = (believed[self._corners] * self._barycentric).sum(-1)
        front = _turned_to_camera(projected, self._faces)[self._face]
        texel = np.nonzero(front & (texel_weight > 0))[0]
        place, depth = self._project(projected, texel)
        seen = self._unhidden(place, depth, projected, frame.shape[0], frame.shape[1])
        texel, place = texel[seen], place[seen]
        self._colour[texel] += _sample(frame, place) * texel_weight[texel, None]
        self._weight[texel] += texel_weight[texel]

    def result(self) -> tuple[Image, Bool]:
        """The texture so far.

        Returns:
            (size, size, 3) uint8, filled smoothly where no frame showed the surface and between
            the charts, and (size, size) bool of the texels that a frame has shown.
        """
        known = self._weight > LEAST_WEIGHT * self._weight.max(initial=0)
        texture = np.zeros((self._size, self._size, 3), np.float32)
        coverage = np.zeros((self._size, self._size), np.bool_)
        coverage[self._covered] = known
        texture[coverage] = self._colour[known] / self._weight[known, None]
        filled = _fill(texture, coverage.astype(np.float32))
        return np.clip(np.rint(filled), 0, 255).astype(np.uint8), coverage

    def _project(self, projected: Float, texel: NDArray[np.intp]) -> tuple[Float, Float]:
        """Pixels (M, 2) and depths (M,) of texels' places, which are linear in camera space."""
        corners = projected[self._corners[texel]]  # (M, 3, 3)
        parts = self._barycentric[texel] * corners[..., 2]  # (M, 3)
        depth = parts.sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            place = (corners[..., :2] * parts[..., None]).sum(1) / depth[:, None]
        return np.nan_to_num(place, nan=OUTSIDE).clip(OUTSIDE, -OUTSIDE), depth

    def _unhidden(
        self, place: Float, depth: Float, projected: Float, height: int, width: int
    ) -> Bool:
        """(M,) whether places are inside the frame and not behind another part of the mesh."""
        empty = np.zeros((len(projected), 0), np.float32)
        buffer = rasterize(projected, self._faces, empty, height, width, cull=True).depth
        # Between pixels, so that a slope agrees with itself; beside a hole it is inf or NaN.
        nearest = _sample(buffer, place)
        with np.errstate(invalid="ignore"):
            unhidden: Bool = np.abs(nearest - depth) <= DEPTH_TOLERANCE
        return unhidden


def clip_texture(
    frames: FrameSource,
    track: FaceTrack,
    model: MorphableModel,
) -> Image:
    """The texture of a tracked clip, from frames spread over it.

    Args:
        frames: frame number -> (H, W, 3) uint8 RGB; asked in ascending order.
        track: the clip's face.
        model: the track's face model.

    Returns:
        (1024, 1024, 3) uint8.
    """
    gathered = TextureAccumulator(model.faces, model.uvs, model.uv_faces)
    usable = np.flatnonzero(track.usable)
    for index in usable[np.linspace(0, len(usable) - 1, min(_LOOKED_AT, len(usable))).astype(int)]:
        vertices = model.shape(track.identity, track.expression[index])
        posed = pose(vertices, track.rotation[index], track.translation[index])
        weight = facing_weight(posed, vertex_normals(posed, model.faces))
        projected = project(posed, track.focal, track.width, track.height)
        gathered.add(frames(int(index)), projected, weight)
    return gathered.result()[0]


def _turned_to_camera(projected: Float, faces: Int) -> Bool:
    """(F,) whether faces run counter-clockwise as seen by the camera (y is down)."""
    a, b, c = (projected[faces[:, i], :2] for i in range(3))
    (abx, aby), (acx, acy) = (b - a).T, (c - a).T
    front: Bool = abx * acy - aby * acx < 0
    return front


def _texels(
    uvs: Float, uv_faces: Int, size: int
) -> tuple[tuple[NDArray[np.intp], ...], Int, Float]:
    """Row and column (N,) of the texels inside the charts, their faces (N,), places (N, 3)."""
    flat = np.ones((len(uvs), 3), np.float32)
    flat[:, 0] = uvs[:, 0] * size
    flat[:, 1] = (1 - uvs[:, 1]) * size
    raster = rasterize(flat, uv_faces, np.zeros((len(uvs), 0), np.float32), size, size)
    covered = np.nonzero(raster.mask)
    return covered, raster.face_index[covered], raster.barycentric[covered]


def _sample(image: NDArray[Any], place: Float) -> Float:
    """(N, ...) bilinear values of an (H, W, ...) image at pixel coordinates (N, 2); inf outside."""
    columns = 4096  # OpenCV's images are less than 32768 wide and high
    padded = np.full((max(-(-len(place) // columns), 1) * columns, 2), OUTSIDE, np.float32)
    padded[: len(place)] = place - 0.5
    grid = padded.reshape(-1, columns, 2)  # (R, 4096, 2)
    outside = (np.inf,) * 4
    values = cv2.remap(
        image.astype(np.float32), grid, None, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, outside
    )
    found: Float = values.reshape(-1, *image.shape[2:])[: len(place)]  # (R * 4096, ...)
    return found


def _fill(texture: Float, weight: Float) -> Float:
    """Fill texels of weight 0 from ever coarser means of the others (pull and push)."""
    if min(weight.shape) == 1:
        return texture
    size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
    coarse_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(texture * weight[..., None], size, interpolation=cv2.INTER_AREA)
    coarse = coarse / np.maximum(coarse_weight, 1e-9)[..., None]
    coarse = _fill(coarse, (coarse_weight > 0).astype(np.float32))
    fine = cv2.resize(coarse, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(weight[..., None] > 0, texture, fine)
