"""The light on a tracked face, from the colours of its skin.

Colours are gathered while the landmarks are followed (at the landmarks, so that the frames are
read once); after the fit, when the normals are known, each frame's light is the one under which
skin of one colour looks like that.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates

from gsmooth_core.face import shading
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.landmarks import SKIN
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.following.landmarks import Crop, cut
from gsmooth_core.types import Bool, FaceTrack, Float, Image, Int

_CROP = 64
_FACING = 0.25
_FEWEST = 30
_SECONDS = 0.2
_BLACK, _WHITE = 12, 250  # levels beyond which the sensor, or a cut of the film, tells no colour


def sample(frame: Image, points: Float) -> Image:
    """(S, 3) skin colours at landmarks (478, 3), each the mean of about 2 % of the face."""
    matrix = Crop.of_points(points).matrix(_CROP)
    small = cut(frame, matrix, _CROP)
    places = np.linalg.solve(matrix[:, :2], (points[SKIN, :2] - matrix[:, 2]).T) - 0.5
    channels = [
        map_coordinates(small[..., c], places[::-1], order=1, mode="nearest") for c in range(3)
    ]
    return np.stack(channels, -1)


def exposed_share(colours: Image) -> Float:
    """(T,) share of the samples (T, S, 3) that are neither white nor black: they show skin."""
    brightest = colours.max(-1)
    share: Float = ((brightest > _BLACK) & (brightest < _WHITE)).mean(1).astype(np.float32)
    return share


def median_level(colours: Image) -> Float:
    """The median over the first axis of colours (K, ...), 0..1, as of their float32 values."""
    middle = [(len(colours) - 1) // 2, len(colours) // 2]
    below, above = np.partition(colours, middle, axis=0)[middle].astype(np.float32) / 255
    return np.asarray((below + above) / 2, np.float32)


def estimate(track: FaceTrack, shot: Int, model: MorphableModel, colours: Image) -> Float:
    """The light of every frame.

    Args:
        track: the fitted track of T frames.
        shot: (T,) shot numbers; light does not flow across cuts.
        model: the face model of the track.
        colours: (T, S, 3) of `sample`.

    Returns:
        (T, 9, 3) for an albedo equal to the clip's median skin colour; white light from
        everywhere where nothing is known.
    """
    normals = _skin_normals(model, track.identity)
    usable = track.usable
    light = track.light.copy()
    if not usable.any():
        return light
    levels = [median_level(colours[usable, :, channel].ravel()) for channel in range(3)]
    albedo = np.maximum(np.array(levels, np.float32), 0.02)
    known = usable.copy()
    for some in blocks(len(track)):
        turned = normals @ rotation_matrix(track.rotation[some]).transpose(0, 2, 1)
        towards = -track.translation[some]
        towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        facing = (turned @ towards[..., None])[..., 0] > _FACING
        known[some] &= facing.sum(1) >= _FEWEST
        for row in np.flatnonzero(known[some]):
            seen, t = facing[row], some.start + row
            values = colours[t, seen].astype(np.float32) / 255
            light[t] = shading.estimate_light(turned[row, seen], values, albedo)
    return _smooth(light, known, shot, _SECONDS * float(track.fps))


def _skin_normals(model: MorphableModel, identity: Float) -> Float:
    at_vertices = shading.vertex_normals(model.template(identity), model.faces)
    normals = model.landmarks(at_vertices)[SKIN]
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-9), np.float32)


def _smooth(light: Float, known: Bool, shot: Int, sigma: float) -> Float:
    """Gaussian mean over the known frames of each shot; unknown frames take what is around."""
    out = light.copy()
    for number in np.unique(shot[known]):
        frames = shot == number
        weight = known[frames].astype(np.float64)
        norm = gaussian_filter1d(weight, sigma, mode="constant")
        for band, channel in np.ndindex(light.shape[1:]):  # one curve after the other in memory
            own = light[frames, band, channel]
            total = gaussian_filter1d(own * weight, sigma, mode="constant")
            mean = total / np.maximum(norm, 1e-12)
            out[frames, band, channel] = np.where(norm > 1e-9, mean, own)
    return out
