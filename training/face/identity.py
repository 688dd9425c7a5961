"""Identity basis of the default face model: PCA of randomly mixed MakeHuman identity targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.face.source import Array, identity_targets, read_target

LOCAL_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "cheek", "mouth", "chin", "ears")
NECK_TARGETS = ("neck-double", "neck-scale-depth", "neck-scale-horiz")
RACES = ("african", "asian", "caucasian")
# The two ends of one slider: "nose-hump-decr" and "nose-hump-incr" are opposites.
OPPOSITES = {
    **{"decr": "incr", "down": "up", "in": "out", "backward": "forward"},
    **{"concave": "convex", "compress": "uncompress"},
}
FORMS = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")


@dataclass(frozen=True)
class IdentitySettings:
    """How identities are sampled.

    Attributes:
        samples: random people; each counts a second time as its mirror image.
        components: principal components kept.
        spread: standard deviation of a local slider, whose ends are -1 and 1.
        asymmetry: standard deviation of the difference between a left and a right slider.
        seed: of the random generator.
    """

    samples: int = 1500
    components: int = 80
    spread: float = 0.22
    asymmetry: float = 0.05
    seed: int = 20240607


@dataclass(frozen=True)
class IdentityBasis:
    """Result of the PCA.

    Attributes:
        mean: (V, 3) mean face.
        basis: (I, V, 3), scaled so that coefficients are N(0, 1).
        kept: (I,) cumulated share of the (weighted) variance.
    """

    mean: Array
    basis: Array
    kept: Array


class TargetMixer:
    """All identity targets on the cropped head, and random mixtures of them.

    Args:
        vertex_count: vertices of the full base mesh.
        kept: (V0,) which of them the head keeps.
    """

    def __init__(self, vertex_count: int, kept: NDArray[np.int64]) -> None:
        self._count, self._kept = vertex_count, kept
        self.sliders = dict(self._load_sliders())
        self.forms = {
            name: self._read(path)
            for name, path in identity_targets("head")
            if name.removeprefix("head-") in FORMS
        }
        self.asymmetric = [self._read(path) for _, path in self._asymmetries()]
        macro = identity_targets("macrodetails")
        self.macro = {name: self._read(path) for name, path in macro if "baby" not in name}

    def _read(self, path: Path) -> Array:
        return read_target(path, self._count)[self._kept]

    @staticmethod
    def _asymmetries() -> Iterator[tuple[str, Path]]:
        return ((n, p) for n, p in identity_targets("asym") if n.startswith("asym-"))

    def _local_targets(self) -> dict[str, Path]:
        paths = {n: p for folder in LOCAL_FOLDERS for n, p in identity_targets(folder)}
        neck = {n: p for n, p in identity_targets("neck") if n.startswith(NECK_TARGETS)}
        return paths | neck

    def _load_sliders(self) -> Iterator[tuple[str, tuple[Array, Array]]]:
        """Pairs of opposite targets by slider name."""
        targets = self._local_targets()
        for name, path in targets.items():
            stem, _, low = name.rpartition("-")
            high = f"{stem}-{OPPOSITES.get(low, '')}"
            if high in targets:
                yield stem + "-" + low, (self._read(path), self._read(targets[high]))

    def sample(self, random: np.random.Generator, settings: IdentitySettings) -> Array:
        """Offsets of one random person from the base mesh: (V0, 3)."""
        offsets = self._macro(random)
        offsets += sum(
            value * (low if value < 0 else high) * np.sign(value)
            for (low, high), value in self._slider_values(random, settings)
        )
        form = random.choice(sorted(self.forms))
        offsets += random.uniform(0, 0.5) * self.forms[form]
        for index in random.choice(len(self.asymmetric), 3, replace=False):
            offsets += random.uniform(0, 0.4) * self.asymmetric[index]
        return offsets

    def _slider_values(
        self, random: np.random.Generator, settings: IdentitySettings
    ) -> Iterator[tuple[tuple[Array, Array], float]]:
        common: dict[str, float] = {}
        for name, pair in self.sliders.items():
            both_sides = re.sub(r"^[lr]-", "", name)
            value = common.setdefault(both_sides, random.normal(0, settings.spread))
            if both_sides != name:
                value += random.normal(0, settings.asymmetry)
            yield pair, float(np.clip(value, -1, 1))

    def _macro(self, random: np.random.Generator) -> Array:
        """Ethnicity, gender, age, muscle and weight, mixed as MakeHuman mixes its targets."""
        races = dict(zip(RACES, random.dirichlet([0.7] * 3), strict=True))
        male = random.beta(0.6, 0.6)
        genders = {"male": male, "female": 1 - male}
        ages = _age(random)
        muscle, weight = (_levels(random.normal(0, 0.45)) for _ in range(2))
        offsets = np.zeros((len(self._kept), 3))
        for gender, g in genders.items():
            for age, a in ages.items():
                for race, r in races.items():
                    offsets += g * a * r * self.macro[f"{race}-{gender}-{age}"]
                for m_name, m in muscle.items():
                    for w_name, w in weight.items():
                        name = f"universal-{gender}-{age}-{m_name}muscle-{w_name}weight"
                        offsets += g * a * m * w * self.macro[name]
        return offsets


def _age(random: np.random.Generator) -> dict[str, float]:
    """Mostly adults; one in ten is between a child and an adult."""
    if random.uniform() < 0.1:
        child = random.uniform(0, 0.6)
        return {"child": child, "young": 1 - child}
    old = random.uniform(0, 0.8)
    return {"young": 1 - old, "old": old}


def _levels(value: float) -> dict[str, float]:
    value = float(np.clip(value, -1, 1))
    return {"min": max(-value, 0.0), "average": 1 - abs(value), "max": max(value, 0.0)}


def align(shape: Array, reference: Array, weight: Array) -> Array:
    """Move, turn and scale `shape` (V, 3) onto `reference`, least squares with `weight` (V,).

    Size is taken out too: in a picture it cannot be told from the distance to the camera.
    """
    w = weight[:, None] / weight.sum()
    centre, target = (w * shape).sum(0), (w * reference).sum(0)
    a, b = shape - centre, reference - target
    u, singular, vt = np.linalg.svd((w * a).T @ b)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    scale = singular.sum() / (w * a**2).sum()
    return np.asarray(scale * a @ turn + target)


def mirrored(shapes: Array, mirror: NDArray[np.int64]) -> Array:
    """Reflect (..., V, 3) across x = 0."""
    return np.asarray(shapes[..., mirror, :] * np.array([-1.0, 1.0, 1.0]))


def sample_people(
    mixer: TargetMixer, base: Array, weight: Array, settings: IdentitySettings
) -> Array:
    """(samples, V0, 3) random people, aligned to the base head on the vertices with weight."""
    random = np.random.default_rng(settings.seed)
    people = [base + mixer.sample(random, settings) for _ in range(settings.samples)]
    return np.stack([align(person, base, weight) for person in people])


def principal_components(
    people: Array, mirror: NDArray[np.int64], weight: Array, components: int
) -> IdentityBasis:
    """PCA under per-vertex weights, with the mirror images of all people added.

    Args:
        people: (P, V, 3) shapes.
        mirror: (V,) index of each vertex's mirror image.
        weight: (V,) importance of a vertex.
        components: how many to keep.
    """
    shapes = np.concatenate([people, mirrored(people, mirror)])
    mean = shapes.mean(0)
    centred = (shapes - mean).reshape(len(shapes), -1)  # (2P, 3V)
    scaled = centred * np.sqrt(np.repeat(weight, 3))
    power, vectors = np.linalg.eigh(scaled @ scaled.T)
    order = np.argsort(power)[::-1]
    kept = np.cumsum(power[order]) / power.sum()
    scores = vectors[:, order[:components]] * np.sqrt(len(shapes))  # unit variance
    basis = (scores.T @ centred / len(shapes)).reshape(components, -1, 3)
    signs = np.sign(basis.reshape(components, -1)[np.arange(components), _largest(basis)])
    return IdentityBasis(mean, basis * signs[:, None, None], kept[:components])


def _largest(basis: Array) -> NDArray[np.int64]:
    return np.asarray(np.abs(basis.reshape(len(basis), -1)).argmax(1))
