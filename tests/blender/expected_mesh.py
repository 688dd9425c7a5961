"""Run by the worker's Python: a lively head as a mesh file, and its vertices as the core has them.

Usage: expected_mesh.py FOLDER FRAME...
"""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mesh import export_mesh
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.types import FaceTrack

FRAMES, WIDTH, HEIGHT, FOCAL = 30, 640, 360, 900.0


def lively(model):
    """Every expression in and beyond 0..1, turns about all axes."""
    dice = np.random.default_rng(5)
    components = len(model.expression_names)
    return FaceTrack(
        width=WIDTH,
        height=HEIGHT,
        fps=Fraction(25),
        model=model.name,
        focal=FOCAL,
        identity=dice.normal(size=len(model.identity_basis)).astype(np.float32),
        expression_names=model.expression_names,
        expression=dice.uniform(-0.4, 1.3, (FRAMES, components)).astype(np.float32),
        rotation=dice.uniform(-0.9, 0.9, (FRAMES, 3)).astype(np.float32),
        translation=(dice.normal(size=(FRAMES, 3)) * 0.3 + [0, 0, -9]).astype(np.float32),
        light=np.zeros((FRAMES, 9, 3), np.float32),
        confidence=np.ones(FRAMES, np.float32),
        landmarks=np.zeros((FRAMES, 478, 2), np.float32),
    )


def main(folder, frames):
    model = load_face_model()
    track = lively(model)
    export_mesh(folder / "mesh.safetensors", model, track, track.curves)
    posed = [
        pose(model.shape(track.identity, track.expression[t]), track.rotation[t], shift)
        for t, shift in ((t, track.translation[t]) for t in frames)
    ]
    pixels = [project(points, FOCAL, WIDTH, HEIGHT)[:, :2] for points in posed]
    arrays = {"vertices": np.stack(posed), "pixels": np.stack(pixels)}
    arrays = {name: np.ascontiguousarray(a, np.float32) for name, a in arrays.items()}
    save_arrays(folder / "expected.safetensors", "expected", arrays, {})


main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
