"""How deep a photo's head, hair and neck lie, on the nodes of a sheet.

On the head it is the fitted mesh's own depth, up to the very rim: what moves a jaw line or an ear
against the face when the head turns is how far back they lie. Around the head that depth is
continued, and falls off to the neck no steeper than a surface may that nothing tears.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, gaussian_filter

from gsmooth_core.face.rasterizer import Raster
from gsmooth_core.types import Bool, Float

_SLOPE = 2.0  # decimetres of depth a decimetre across that are not exceeded around the head
_STEEP = 20.0  # and on it
_RIM, _FINE = 0.01, 0.02  # widths of the head: of its rim that is not believed, of its smoothing
_SMOOTH = (0.06, 0.4)  # and over which invented depth is smoothed, near and far
_BACK = 0.2  # decimetres that hair lies behind the rim of the skull that it stands out from
_STARTS, _STANDS, _ENDS = 0.08, 0.05, 0.2  # widths: over which it gets there, stays, and comes back
_LOW, _TURNS = 0.3, 1.2  # widths of the head above its lowest place; slope of its throat
_FAR = 1e3  # decimetres: hides nothing


def relief(mesh: Raster, head: Bool, mouth: Bool, wide: float, scale: float) -> Float:
    """(rows, columns) depth in decimetres.

    Args:
        mesh: the fitted mesh, seen on the sheet's nodes.
        head: (rows, columns) where its head is seen, without the neck.
        mouth: (rows, columns) where one looks into it.
        wide: nodes across the head.
        scale: decimetres a node, at a distance of a decimetre.
    """
    node = scale * float(np.median(mesh.depth[head]))
    inside = distance_transform_edt(head)
    sure = head & ~mouth & ~_under_chin(mesh.depth, head, wide, node)
    sure &= inside > min(_RIM * wide, inside.max() / 2)
    near = _limited(_filled(mesh.depth, sure), _STEEP * node)
    depth = gaussian_filter(near, _FINE * wide, mode="nearest")
    around = np.where(mesh.mask, mesh.depth, _around(depth, head, wide))
    rim = head & ~binary_erosion(head)
    falling = np.where(rim, depth, np.where(head, _FAR, around))
    beside = _limited(falling, _SLOPE * node) + _BACK * _hair(head, wide)
    return np.where(head, depth, beside).astype(np.float32)


def _hair(head: Bool, wide: float) -> Float:
    """(rows, columns) 0..1, where what lies close to the rim of the head is hair, and no neck."""
    far = distance_transform_edt(~head) / wide
    below = (np.indices(head.shape)[0] - np.nonzero(head)[0].max()) / wide
    near = np.clip(far / _STARTS, 0, 1) * np.clip(1 - (far - _STANDS) / _ENDS, 0, 1)
    return np.asarray(near * np.clip(-below / _LOW, 0, 1))


def _under_chin(depth: Float, head: Bool, wide: float, node: float) -> Bool:
    """Where the mesh has turned from its chin to its throat.

    A photo's chin is not just where the mesh's is. Where the depth of the throat is given to the
    rim of a chin, that stays behind when the chin is lifted, and looks like stubble; and where it
    is given to the rim of a jaw's corner, the jaw is dented.
    """
    rows = np.indices(head.shape)[0]
    low = rows > rows[head].max() - _LOW * wide
    turns = low & (np.gradient(_filled(depth, head), axis=0) > _TURNS * node)
    return np.asarray(head & np.logical_or.accumulate(turns, 0))  # and all that is below


def _filled(depth: Float, known: Bool) -> Float:
    """The depth of the nearest node where it is known."""
    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(depth[tuple(nearest)])


def _around(depth: Float, head: Bool, wide: float) -> Float:
    """The depth, the smoother the farther a node is from the head."""
    near, smooth = (gaussian_filter(depth, s * wide, mode="nearest") for s in _SMOOTH)
    share = np.clip(distance_transform_edt(~head) / (_SMOOTH[1] * wide), 0, 1)
    return np.asarray(near + share * (smooth - near))


def _limited(depth: Float, step: float) -> Float:
    """Brought nearer wherever it rises by more than `step` a node along its row or column."""
    for axis in (0, 1):
        shape = (-1, 1) if axis == 0 else (1, -1)
        rise = step * np.arange(depth.shape[axis], dtype=np.float64).reshape(shape)
        forth = np.minimum.accumulate(depth - rise, axis) + rise
        back = np.flip(np.minimum.accumulate(np.flip(depth + rise, axis), axis), axis) - rise
        depth = np.minimum(forth, back)
    return depth
