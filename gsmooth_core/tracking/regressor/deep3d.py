"""Between Deep3DFaceRecon's conventions and ours: alignment, pose, camera, light.

Its face is seen in a crop of 224 pixels by a camera of focal length 1015 that stands at z = 10
and looks along -z: so its camera space is ours moved by 10 along z. Its angles turn about x,
then y, then z.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from gsmooth_core.tracking.fitting import projection
from gsmooth_core.tracking.fitting.projection import Camera
from gsmooth_core.types import Float

SIDE, FOCAL, DISTANCE = 224, 1015.0, 10.0
CROP_CAMERA = Camera(FOCAL, SIDE, SIDE)

_SCALE = 102.0  # pixels a decimetre in the crop
_INITIAL_LIGHT = 0.8
_REFINEMENTS = 5

# Eye centres (left and right in the picture), nose tip, mouth corners of the mean face.
_FIVE = np.array(
    [
        [-0.311, 0.290, 0.134],
        [0.310, 0.290, 0.132],
        [0.003, -0.046, 0.552],
        [-0.252, -0.381, 0.224],
        [0.248, -0.381, 0.222],
    ]
)
_FIVE_LANDMARKS = ((33, 133), (263, 362), (4,), (61,), (291,))


def five_points(landmarks: Float) -> Float:
    """(5, 2) eye centres, nose tip, mouth corners of landmarks (478, 2 or 3)."""
    return np.array([landmarks[list(group), :2].mean(0) for group in _FIVE_LANDMARKS], np.float32)


def crop_matrix(points: Float) -> Float:
    """(2, 3) crop pixels -> frame pixels, for five points (5, 2) in the frame.

    Pose from orthography and scaling: the scale that carries the mean face onto the points,
    the place where its origin falls.
    """
    design = np.column_stack([_FIVE, np.ones(5)])
    flipped = points * (1, -1)
    rows, *_ = np.linalg.lstsq(design, flipped, rcond=None)  # (4, 2)
    scale = np.linalg.norm(rows[:3], axis=0).mean() / _SCALE  # frame pixels a crop pixel
    origin = rows[3] * (1, -1)
    offset = origin - scale * SIDE / 2
    return np.array([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float32)


def crop_pose(angles: Float, translation: Float) -> tuple[Float, Float]:
    """Axis-angle (T, 3) and translation (T, 3) in the crop's camera space.

    Args:
        angles: (T, 3) radians about x, y, z.
        translation: (T, 3) decimetres.
    """
    rotation = Rotation.from_euler("xyz", angles).as_rotvec()
    moved = translation - np.array([0, 0, DISTANCE], np.float32)
    return rotation.astype(np.float32), moved.astype(np.float32)


def frame_pose(
    rotation: Float, translation: Float, matrix: Float, camera: Camera, points: Float
) -> Float:
    """Poses (T, 6) of `projection` for the frame's camera that show what the crop's showed.

    A crop beside the middle of the frame is looked at askew, and focal lengths differ, so this is
    exact only for a flat face; the pose that puts `points` nearest to their places is taken.

    Args:
        rotation: (T, 3) axis-angle in the crop's camera space.
        translation: (T, 3) in the crop's camera space.
        matrix: (T, 2, 3) crop pixels -> frame pixels.
        camera: focal length and size of the frames.
        points: (T, N, 3) some points of the face in model space.
    """
    crop_x = np.concatenate([rotation, projection.direction(translation)], 1).astype(np.float32)
    _, placed = projection.place(points, crop_x)
    seen = projection.project(placed, CROP_CAMERA)
    wanted = seen @ matrix[..., :2].transpose(0, 2, 1) + matrix[:, None, :, 2]
    x = _first_guess(crop_x, matrix, camera)
    for _ in range(_REFINEMENTS):
        turned, placed = projection.place(points, x)
        error = projection.project(placed, camera) - wanted
        pixel = projection.point_jacobian(placed, camera)
        jacobian = projection.pose_jacobian(pixel, turned, x)
        rows = jacobian.reshape(len(x), -1, projection.POSE).astype(np.float64)
        transposed = rows.transpose(0, 2, 1)
        slope = transposed @ error.reshape(len(x), -1, 1)
        x = x - np.linalg.solve(transposed @ rows, slope)[..., 0]
    return np.asarray(x, np.float32)


def _first_guess(crop_x: Float, matrix: Float, camera: Camera) -> Float:
    scale = matrix[:, 0, 0]  # frame pixels a crop pixel
    middle = SIDE / 2 + FOCAL * crop_x[:, 3:5] * (1, -1)
    at = (matrix[..., :2] @ middle[..., None])[..., 0] + matrix[..., 2]
    direction = (at - (camera.width / 2, camera.height / 2)) * (1, -1) / camera.focal
    distance = crop_x[:, 5] + np.log(camera.focal / (FOCAL * scale))
    askew = np.column_stack(  # turns the crop's line of sight into the frame's
        [direction[:, 1] - crop_x[:, 4], crop_x[:, 3] - direction[:, 0], np.zeros(len(crop_x))]
    )
    turn = Rotation.from_rotvec(askew) * Rotation.from_rotvec(crop_x[:, :3])
    return np.column_stack([turn.as_rotvec(), direction, distance])


def light(gamma: Float) -> Float:
    """(T, 9, 3) our light of Deep3D's gamma (T, 27): other constants, three signs, an offset."""
    theirs = gamma.reshape(-1, 3, 9).transpose(0, 2, 1).copy()  # (T, 27) -> (T, 9, 3)
    theirs[:, 0] += _INITIAL_LIGHT
    lobes = np.array([np.pi, 2 * np.pi / np.sqrt(3), 2 * np.pi / np.sqrt(8)])
    factor = lobes[[0, 1, 1, 1, 2, 2, 2, 2, 2]] * [1, -1, 1, -1, 1, -1, 1, -1, 1]
    return np.asarray(theirs * factor[:, None], np.float32)
