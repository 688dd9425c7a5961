"""Finds where the tracker's 478 landmarks lie on the face model, by looking at pictures of it.

Many pictures are rendered (people, views, lights, expressions), the tracker's own network marks
its points, and the places of the mesh under each point are averaged on the mean face. How far
they scatter becomes the landmark's weight.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from gsmooth_core.face.morphable import LANDMARK_COUNT, MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from gsmooth_core.types import Bool, Float
from training.face.render import Picture, random_view, take
from training.face.source import Array

logger = logging.getLogger(__name__)

# Rings of the lips in the landmark scheme, from the outer edge to the inner one, corners left out.
UPPER_RINGS = (
    (185, 40, 39, 37, 0, 267, 269, 270, 409),
    (184, 74, 73, 72, 11, 302, 303, 304, 408),
    (183, 42, 41, 38, 12, 268, 271, 272, 407),
    (191, 80, 81, 82, 13, 312, 311, 310, 415),
)
LOWER_RINGS = (
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
    (77, 90, 180, 85, 16, 315, 404, 320, 307),
    (96, 89, 179, 86, 15, 316, 403, 319, 325),
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
)
IRIS = tuple(range(468, 478))


@dataclass(frozen=True)
class LandmarkSettings:
    """How the correspondence is found.

    Attributes:
        pictures: how many are rendered; every second one has the mouth open.
        size: pixels of the square picture.
        grazing: places seen at a smaller cosine than this are not believed.
        reach: pixels within which an inner-lip landmark is moved onto its lip.
        tolerance: spread, in decimetres, at which a landmark's weight has fallen to 1/e.
        least: share of the pictures that must show a landmark.
        seed: of the random generator.
    """

    pictures: int = 600
    size: int = 512
    grazing: float = 0.3
    reach: float = 8.0
    tolerance: float = 0.06
    least: float = 0.1
    seed: int = 7


@dataclass(frozen=True)
class Correspondence:
    """Where the landmarks lie.

    Attributes:
        faces: (478,) face of the mesh.
        barycentric: (478, 3).
        weight: (478,) 0..1.
        spread: (478,) median distance of single observations to their centre, decimetres.
        seen: (478,) observations.
    """

    faces: NDArray[np.int32]
    barycentric: Float
    weight: Float
    spread: Float
    seen: NDArray[np.int64]


class _Observer:
    """Collects, for every landmark, places on the mean face."""

    def __init__(self, model: MorphableModel, upper: Bool, settings: LandmarkSettings) -> None:
        self.model, self.settings = model, settings
        self.places: list[list[Float]] = [[] for _ in range(LANDMARK_COUNT)]
        self.visible = np.zeros(len(model.faces), bool)
        behind = model.in_regions(Region.NECK, Region.EARS, Region.HEAD)
        self.inside = model.in_regions(*MOUTH_REGIONS)[model.faces].all(1)
        self.face = ~behind[model.faces].any(1)
        lips = model.in_regions(Region.LIPS)
        self.upper_faces = (lips & upper)[model.faces].all(1)
        self.lower_faces = (lips & ~upper)[model.faces].all(1)
        self._detector, self._mesh = FaceDetector(), FaceMesh()

    def observe(self, picture: Picture) -> None:
        """Mark the landmarks in one picture and note where they lie; nothing if none is seen."""
        found = self._detector.detect(picture.image)
        if not found:
            return
        first = self._mesh.landmarks(picture.image, Crop.around(found[0]))
        points = self._mesh.landmarks(picture.image, Crop.of_points(first.points)).points[:, :2]
        self.visible[np.unique(picture.raster.face_index[picture.raster.mask])] = True
        inner = {i for ring in (*UPPER_RINGS[2:], *LOWER_RINGS[2:]) for i in ring}
        self._note(picture, points, [i for i in range(LANDMARK_COUNT) if i not in inner])
        shown = np.where(picture.raster.mask, picture.raster.face_index, -1)
        upper, lower = self.upper_faces[shown], self.lower_faces[shown]
        opening = self.inside[shown]
        for rings, own, other in (
            (UPPER_RINGS, upper, lower | opening),
            (LOWER_RINGS, lower, upper | opening),
        ):
            self._note_on(picture, points, rings[2], own)
            self._note_on(picture, points, rings[3], own & dilated(other))

    def _note(self, picture: Picture, points: Float, landmarks: list[int]) -> None:
        believed = (picture.facing > self.settings.grazing) & self.face[picture.raster.face_index]
        for landmark in landmarks:
            x, y = (int(value) for value in points[landmark].clip(0, self.settings.size - 1))
            if believed[y, x]:
                self._add(picture, landmark, y, x)

    def _note_on(
        self, picture: Picture, points: Float, ring: tuple[int, ...], allowed: Bool
    ) -> None:
        """As `_note`, at the nearest pixel that is `allowed` (H, W)."""
        rows, columns = np.nonzero(picture.raster.mask & allowed)
        if not len(rows):
            return
        tree = cKDTree(np.stack([columns + 0.5, rows + 0.5], axis=1))
        distances, nearest = tree.query(points[list(ring)])
        for landmark, distance, k in zip(ring, distances, nearest, strict=True):
            if distance < self.settings.reach:
                self._add(picture, landmark, int(rows[k]), int(columns[k]))

    def _add(self, picture: Picture, landmark: int, y: int, x: int) -> None:
        corners = self.model.mean[self.model.faces[picture.raster.face_index[y, x]]]  # (3, 3)
        self.places[landmark].append(picture.raster.barycentric[y, x] @ corners)


def dilated(mask: Bool) -> Bool:
    """Grow a mask by one pixel to all sides."""
    return np.asarray(binary_dilation(mask, np.ones((3, 3), bool)))


def find_landmarks(
    model: MorphableModel, upper: Bool, settings: LandmarkSettings
) -> Correspondence:
    """Render, detect, average.

    Args:
        model: the face model; its landmark fields are not read.
        upper: (V,) vertices above the opening of the mouth.
        settings: see `LandmarkSettings`.
    """
    observer = _Observer(model, upper, settings)
    random = np.random.default_rng(settings.seed)
    for k in range(settings.pictures):
        view = random_view(model, random, settings.size, open_mouth=k % 2 == 1)
        observer.observe(take(model, view, settings.size))
        if k % 100 == 99:
            logger.info("landmarks: %d of %d pictures", k + 1, settings.pictures)
    return _summarise(observer)


def _summarise(observer: _Observer) -> Correspondence:
    model, settings = observer.model, observer.settings
    seen = np.array([len(places) for places in observer.places])
    centres = np.stack([_centre(places) for places in observer.places])
    spread = np.array([
        np.median(np.linalg.norm(np.asarray(places) - centre, axis=1)) if len(places) else np.inf
        for places, centre in zip(observer.places, centres, strict=True)
    ])  # fmt: skip
    centres = _symmetric(centres)
    weight = np.exp(-((spread / settings.tolerance) ** 2))
    weight[seen < settings.least * settings.pictures] = 0
    weight[list(IRIS)] = 0
    faces = np.zeros(LANDMARK_COUNT, np.int32)
    barycentric = np.zeros((LANDMARK_COUNT, 3))
    for landmarks, allowed in _surfaces(observer):
        numbers = np.flatnonzero(allowed)
        triangles = model.mean[model.faces[numbers]]
        for landmark in landmarks:
            best, barycentric[landmark] = closest_on_mesh(centres[landmark], triangles)
            faces[landmark] = numbers[best]
    return Correspondence(
        faces, barycentric.astype(np.float32), weight.astype(np.float32),
        spread.astype(np.float32), seen,
    )  # fmt: skip


def _centre(places: list[Float]) -> Array:
    """Geometric median (Weiszfeld's iteration) of points; the origin when there are none."""
    if not places:
        return np.zeros(3)
    points = np.asarray(places, np.float64)
    centre = np.median(points, axis=0)
    for _ in range(30):
        weight = 1 / np.maximum(np.linalg.norm(points - centre, axis=1), 1e-6)
        centre = (weight[:, None] * points).sum(0) / weight.sum()
    return np.asarray(centre)


def _symmetric(centres: Array) -> Array:
    """Average every landmark with the mirror image of its counterpart."""
    mirrored = centres * np.array([-1.0, 1.0, 1.0])
    costs = np.linalg.norm(centres[:, None] - mirrored[None], axis=2)
    _, partner = linear_sum_assignment(costs)
    paired = partner[partner] == np.arange(len(partner))
    partner = np.where(paired, partner, np.arange(len(partner)))
    return np.where(paired[:, None], (centres + mirrored[partner]) / 2, centres)


def _surfaces(observer: _Observer) -> list[tuple[list[int], Bool]]:
    """Which landmarks may lie on which faces."""
    regions = observer.model.regions[observer.model.faces]
    inside = np.isin(regions, [Region.INNER_MOUTH, Region.TEETH, Region.TONGUE]).any(1)
    eyes = (regions == Region.EYES).all(1)
    upper = [i for ring in UPPER_RINGS[1:] for i in ring]
    lower = [i for ring in LOWER_RINGS[1:] for i in ring]
    named = {*upper, *lower, *IRIS}
    rest = [i for i in range(LANDMARK_COUNT) if i not in named]
    return [
        (upper, observer.upper_faces & observer.visible),
        (lower, observer.lower_faces & observer.visible),
        (list(IRIS), eyes & observer.visible),
        (rest, ~inside & ~eyes & observer.face & observer.visible),
    ]


def closest_on_mesh(point: Array, triangles: Float) -> tuple[int, Array]:
    """The triangle nearest to a point, and the barycentric place of the nearest point on it.

    Args:
        point: (3,).
        triangles: (F, 3 corners, 3).
    """
    weights = _clamped_barycentric(point, triangles.astype(np.float64))
    places = np.einsum("fc,fcx->fx", weights, triangles)
    best = int(np.linalg.norm(places - point, axis=1).argmin())
    return best, weights[best]


def _clamped_barycentric(point: Array, triangles: Array) -> Array:
    """(F, 3) barycentric coordinates of the nearest point of every triangle."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    candidates = [_in_plane(point, a, b, c)]
    for first, second, (i, j) in ((a, b, (0, 1)), (b, c, (1, 2)), (c, a, (2, 0))):
        edge = second - first
        along = ((point - first) * edge).sum(1) / np.maximum((edge**2).sum(1), 1e-18)
        weights = np.zeros((len(a), 3))
        weights[:, j] = along.clip(0, 1)
        weights[:, i] = 1 - weights[:, j]
        candidates.append(weights)
    stacked = np.stack(candidates)  # (4, F, 3)
    distances = np.linalg.norm(np.einsum("kfc,fcx->kfx", stacked, triangles) - point, axis=2)
    distances[0][(stacked[0] < 0).any(1)] = np.inf
    return np.asarray(stacked[distances.argmin(0), np.arange(len(a))])


def _in_plane(point: Array, a: Array, b: Array, c: Array) -> Array:
    """(F, 3) barycentric coordinates of the projections of a point; negative outside."""
    normal = np.cross(b - a, c - a)
    square = np.maximum((normal**2).sum(1), 1e-18)
    v = (np.cross(point - a, c - a) * normal).sum(1) / square
    w = (np.cross(b - a, point - a) * normal).sum(1) / square
    return np.stack([1 - v - w, v, w], axis=1)


def describe(found: Correspondence) -> str:
    """The scatter of the observations in one line."""
    lips = [i for ring in (*UPPER_RINGS, *LOWER_RINGS) for i in ring]
    usable = found.weight > 0.1
    return (
        f"{int(usable.sum())} usable, spread (median, 90 %) "
        f"{np.median(found.spread):.4f}, {np.percentile(found.spread, 90):.4f} dm, "
        f"lips {np.median(found.spread[lips]):.4f} dm"
    )


def with_landmarks(model: MorphableModel, found: Correspondence) -> MorphableModel:
    """The model with its landmarks filled in."""
    return replace(
        model,
        landmark_faces=found.faces,
        landmark_barycentric=found.barycentric,
        landmark_weight=found.weight,
    )
