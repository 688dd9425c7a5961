"""A photo as one surface in space: rigid where the head is, at rest where nothing moves.

The fitted head mesh gives the depth of the head, which is continued over hair and neck
(`relief`). Weights say how far each place goes with the head: all the way on face and hair,
less and less down the neck and towards the background, so nothing is cut out and nothing behind
the head must be invented. A neck turns with its head at the chin alone; where the head is shifted,
it is mostly the whole trunk that sways, and neck and shoulders go most of the way with it, or as
they are seen to in a video that is followed (`sway`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.morphable import MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.face.rasterizer import Raster, rasterize
from gsmooth_core.motion.head import ATLAS, CARRIED, limited, turn_matrices
from gsmooth_core.portrait.relief import relief
from gsmooth_core.types import Bool, FaceTrack, Float

_NODES = 345  # of the grid, along the longer side of what can move
_REACH, _BELOW = 1.0, 0.5  # widths of the head around it over which the grid reaches; more below
_HAIR, _FADE = 0.35, 0.6  # widths of the head that go with it all the way, and then fade: sideways
_CHIN, _DOWN = 0.04, 0.5  # and upward, and down the neck
_WITHIN, _ABOVE = 0.06, 0.3  # widths of the head from its rim, its lowest, over which it is outline
_LOOSE = 0.015, 0.03  # movements of hair up to the first stay as they are, and reach no more
_TURN = 0.2  # widths of the head over which the direction of places from it is smoothed
_THROAT = 0.15  # widths of the head below the chin over which a neck stops going with it
_SHOULDERS = 0.65  # cosine of the angle to straight below within which nothing is hair
_TRUNK = 0.5, 0.45, 0.55  # widths of the head that have it, and then fade; farther straight below
_PIVOT = 0.6  # widths of the head below its chin about which neck and shoulders roll
_HEAD = (Region.NECK, *MOUTH_REGIONS)  # what of the mesh is no head, or is inside it


@dataclass(frozen=True)
class Sheet:
    """The surface of a photo, as a grid of N = rows x columns nodes.

    Attributes:
        pixels: (N, 2) where the nodes are in the photo; some lie beyond its edges.
        points: (N, 3) where they are in camera space, decimetres.
        head: (N,) 0..1, how far they go with the head.
        outline: (N,) 0..1, how far they are a head's outline and not its face.
        trunk: (N,) 0..1, how far they go with neck and shoulders; both together at most 1.
        faces: (F, 3) the grid's triangles.
        shape: rows and columns.
        joint: (3,) the atlas joint in camera space.
        pivot: (3,) about which neck and shoulders roll.
        focal: focal length in pixels.
        size: width and height of the photo.
        face: (H, W) where the photo shows the face.
        wide: width of the head in pixels.
    """

    pixels: Float
    points: Float
    head: Float
    outline: Float
    trunk: Float
    faces: NDArray[np.int32]
    shape: tuple[int, int]
    joint: Float
    pivot: Float
    focal: float
    size: tuple[int, int]
    face: Bool
    wide: float

    def moved(
        self, turn: Float, shift: Float, sway: Float | None = None, hair: Float | None = None
    ) -> Float:
        """(N, 3) u, v and depth of the nodes when the head moves.

        Args:
            turn: (3,) pitch, yaw, roll in radians, as `HeadMotion` has them.
            shift: (3,) decimetres in camera axes.
            sway: (4,) of neck and shoulders, as `HeadMotion` has it; None where it is not known.
            hair: (4,) of hair, likewise; softly kept from tearing it off the head.
        """
        if sway is None:
            sway = np.append(CARRIED * shift, 0)
        rolled = np.array([[0, 0, sway[3]]])
        head = rigid(self.points, self.joint, turn_matrices(turn[None])[0], shift)
        rim = np.flatnonzero(self.outline)  # (E,)
        beyond = _widened(self.points[rim, :2] - self.joint[:2], turn)
        if hair is not None:
            around = head[rim, :2] + beyond - (self.joint + shift)[:2]
            beyond = beyond + _brushed(around, limited(hair[None], *_LOOSE)[0])
        head[rim, :2] += self.outline[rim, None] * beyond
        trunk = rigid(self.points, self.pivot, turn_matrices(rolled)[0], sway[:3])
        placed = self.points + self.head[:, None] * (head - self.points)
        placed += self.trunk[:, None] * (trunk - self.points)
        return project(placed, self.focal, *self.size)

    def coarse(self, step: int) -> Sheet:
        """The same surface, of every `step`-th node of the rows and columns."""
        chosen = np.arange(len(self.pixels)).reshape(self.shape)[::step, ::step]
        each = {
            name: getattr(self, name)[chosen.ravel()]  # (rows * columns,) of the fewer
            for name in ("pixels", "points", "head", "outline", "trunk")
        }
        rows, columns = chosen.shape
        return replace(self, **each, faces=_triangles(rows, columns), shape=(rows, columns))

    def at(self, pixels: Float) -> Float:
        """(K, 3) points of the surface in camera space under pixels (K, 2) of the photo."""
        grid = self.points.reshape(*self.shape, 3)
        step = self.pixels[1, 0] - self.pixels[0, 0]
        places = ((pixels - self.pixels[0]) / step).astype(np.float32)  # (K, 2) columns, rows
        depth = cv2.remap(
            np.ascontiguousarray(-grid[..., 2]), places[:, 0], places[:, 1], cv2.INTER_LINEAR
        )[:, 0]
        return _unprojected(pixels, depth, self.focal, self.size)


def rigid(points: Float, joint: Float, matrix: Float, shift: Float) -> Float:
    """(N, 3) points that turn by a rotation (3, 3) about a joint and are shifted, camera space."""
    moved: Float = ((points - joint) @ matrix.T + joint + shift).astype(np.float32)
    return moved


def _widened(points: Float, turn: Float) -> Float:
    """(N, 2) by which the outline of a round head stays wider than its points, decimetres.

    Points of an outline that turns come nearer to the axis by half the square of the turn, and go
    under; others, which a photo does not show, come up in their place.

    Args:
        points: (N, 2) to the right of the joint and above it.
        turn: (3,) pitch, yaw, roll in radians.
    """
    across = np.array([turn[1], -turn[0]])  # to the axis
    return np.asarray((points @ across)[:, None] * across / 2)


def _brushed(points: Float, hair: Float) -> Float:
    """(N, 2) by which hair moves points (N, 2) beside the joint, to the right and up."""
    size, cos, sin = np.exp(hair[2]), np.cos(hair[3]), np.sin(hair[3])
    grown = size * np.array([[cos, -sin], [sin, cos]]) - np.eye(2)
    return np.asarray(points @ grown + hair[:2] * (1, -1))


def sheet_of(track: FaceTrack, model: MorphableModel) -> Sheet:
    """The surface of a photo whose head was tracked.

    Args:
        track: of the photo: one frame.
        model: the track's face model.
    """
    vertices = model.shape(track.identity, track.expression[0])
    camera = pose(vertices, track.rotation[0], track.translation[0])
    seen = project(camera, track.focal, track.width, track.height)
    front = np.unique(model.faces[~_shown(model, *_HEAD)])
    wide = float(np.ptp(seen[front, 0]))  # pixels
    pixels, shape = _grid(seen[front, :2], wide)
    step = float(pixels[1, 0] - pixels[0, 0])
    local = seen.astype(np.float32).copy()
    local[:, :2] = (seen[:, :2] - pixels[0]) / step + 0.5  # node n is the centre of cell n
    mesh = rasterize(local, model.faces.astype(np.int32), local, *shape)
    mouth = _where(mesh, _shown(model, *MOUTH_REGIONS))
    head = mesh.mask & ~_where(mesh, _shown(model, Region.NECK))
    depth = relief(mesh, head, mouth, wide / step, step / track.focal)
    size = track.width, track.height
    with_head, with_trunk = _weights(head, wide / step)
    outline = (with_head > 0) * _outline(head, wide / step)
    joint = pose(np.array([ATLAS], np.float32), track.rotation[0], track.translation[0])[0]
    points = _unprojected(pixels, depth.ravel(), track.focal, size)
    face = _face(model, seen, size)
    below = np.array([seen[front, 0].mean(), seen[front, 1].max() + _PIVOT * wide])
    pivot = _unprojected(below[None], np.array([-joint[2]]), track.focal, size)[0]
    return Sheet(
        pixels, points, with_head, outline, with_trunk, _triangles(*shape), shape, joint,
        pivot, track.focal, size, face, wide,
    )  # fmt: skip


def _shown(model: MorphableModel, *regions: Region) -> Bool:
    """(F,) which of the model's triangles belong to regions, if by one corner."""
    return np.asarray(model.in_regions(*regions)[model.faces].any(1))


def _where(mesh: Raster, triangles: Bool) -> Bool:
    """(H, W) where a rasterised mesh shows some of its triangles (F,)."""
    return mesh.mask & triangles[mesh.face_index]


def _face(model: MorphableModel, seen: Float, size: tuple[int, int]) -> Bool:
    """(H, W) where the photo shows the head, and neither neck nor inner mouth."""
    photo = rasterize(seen.astype(np.float32), model.faces.astype(np.int32), seen, *size[::-1])
    return photo.mask & ~_where(photo, _shown(model, *_HEAD))


def _grid(head: Float, wide: float) -> tuple[Float, tuple[int, int]]:
    """(N, 2) pixels of a regular grid around the head (V, 2), row by row, and its shape."""
    low, high = head.min(0) - _REACH * wide, head.max(0) + _REACH * wide
    high[1] += _BELOW * wide
    step = max(1.0, float((high - low).max()) / _NODES)
    columns, rows = (int(n) for n in np.ceil((high - low) / step) + 1)
    x, y = low[0] + step * np.arange(columns), low[1] + step * np.arange(rows)
    pixels = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)  # (rows * columns, 2)
    return pixels.astype(np.float32), (rows, columns)


def _triangles(rows: int, columns: int) -> NDArray[np.int32]:
    """(F, 3) two for each cell of a grid."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (
        part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:])
    )
    cells = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    return np.asarray(cells, np.int32)


def _weights(head: Bool, wide: float) -> tuple[Float, Float]:
    """(N,) of head and trunk: 1 on the head (rows, columns) and its hair, and below it, 0 afar."""
    far, (near_y, _) = distance_transform_edt(~head, return_indices=True)
    rows = np.indices(head.shape)[0]
    down = np.clip((rows - near_y) / np.maximum(far, 1e-6), 0, 1)  # 1 straight below the head
    down = gaussian_filter(down, _TURN * wide)
    flat, fade = (side + down * (below - side) for side, below in ((_HAIR, _CHIN), (_FADE, _DOWN)))
    weight = _smoothstep(1 - (far / wide - flat) / fade)
    neck = np.minimum(down / _SHOULDERS, 1) * _smoothstep((far / wide - _CHIN) / _THROAT)
    straight, aside, more = _TRUNK
    trunk = _smoothstep(1 - (far / wide - straight) / (aside + more * down**2))
    return (weight * (1 - neck)).ravel(), (neck * trunk).ravel()


def _outline(head: Bool, wide: float) -> Float:
    """(N,) 1 at the rim of the head (rows, columns) and beside it, 0 on face and chin."""
    inside = distance_transform_edt(head) / wide
    above = (np.nonzero(head)[0].max() - np.indices(head.shape)[0]) / wide
    return (_smoothstep(1 - inside / _WITHIN) * _smoothstep(above / _ABOVE)).ravel()


def _smoothstep(x: Float) -> Float:
    t = np.clip(x, 0, 1).astype(np.float32)
    step: Float = t * t * (3 - 2 * t)
    return step


def _unprojected(pixels: Float, depth: Float, focal: float, size: tuple[int, int]) -> Float:
    """(N, 3) camera-space points under pixels (N, 2) at depths (N,)."""
    x = (pixels[:, 0] - size[0] / 2) * depth / focal
    y = (size[1] / 2 - pixels[:, 1]) * depth / focal
    points: Float = np.stack([x, y, -depth], 1).astype(np.float32)
    return points
