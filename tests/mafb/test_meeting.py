"""The new face and the frame's own: alike at the mask's end, each its own where it is to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gsmooth_core.face import render
from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.mafb.blend import MaskSettings, face_mask
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.meeting import meeting, new_share
from tests.taft import scene

SIZE = 256
CLIP = scene.track()
MODEL = scene.face_model()
SURFACE = render.face_surface(MODEL, CLIP.identity)
TRANSFORMS = crop_transforms(CLIP, MODEL, SIZE)
SPOKEN = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "mouthStretchLeft")
LIPS = np.isin(SURFACE.regions, (Region.LIPS, *MOUTH_REGIONS))


def expression(*values: float) -> np.ndarray:
    beta = np.zeros(len(MODEL.expression_names), np.float32)
    for name, value in zip(SPOKEN, values, strict=False):
        beta[MODEL.expression_names.index(name)] = value
    return beta


def posed(frame: int, beta: np.ndarray) -> render.Posed:
    return render.pose_face(SURFACE, CLIP, frame, beta, TRANSFORMS[frame])


def met(frame: int, old: render.Posed, new: render.Posed) -> render.Posed:
    camera = meeting(SURFACE, old, new.camera, SIZE, MaskSettings())
    return render.placed(SURFACE, camera, CLIP, frame, TRANSFORMS[frame])


def leap(old: render.Posed, new: render.Posed) -> float:
    """Pixels by which the frame's skin, where the mask leaves it, lies elsewhere than the new."""
    drawn = render.draw_face(SURFACE, new, SIZE, None, (new.seen - old.seen)[:, :2])
    mask = face_mask(drawn.dubbed | render.covered(SURFACE, old, SIZE, whole=False))
    skin = np.isin(drawn.face.region, (Region.SKIN, Region.LOWER_FACE))
    return float(np.linalg.norm(drawn.values, axis=-1)[skin & ~mask].max())


def apart(one: render.Posed, other: render.Posed) -> np.ndarray:
    return np.linalg.norm(one.seen[:, :2] - other.seen[:, :2], axis=1)


mouths = st.tuples(*[st.floats(0, 0.8) for _ in SPOKEN])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(CLIP) - 1), mouths, mouths)
@example(0, (0.0, 0.75, 0.0, 0.5, 0.0), (0.0,) * 5)
def test_it_leaps_nowhere(frame, own, wanted):
    """Skin that the mask leaves lies as in the frame, lips as they are to be, the rest between."""
    old, new = posed(frame, expression(*own)), posed(frame, expression(*wanted))
    found = met(frame, old, new)
    assert leap(old, found) < max(0.12 * apart(new, old)[~LIPS].max(), 1.5)
    assert np.allclose(found.seen[LIPS], new.seen[LIPS], atol=1e-3)
    along = new.camera - old.camera
    share = ((found.camera - old.camera) * along).sum(1) / np.maximum((along**2).sum(1), 1e-12)
    assert np.allclose(found.camera - old.camera, share[:, None] * along, atol=1e-4)
    assert share.min() > -1e-3
    assert share.max() < 1 + 1e-3


def test_without_it_the_jaw_leaps():
    """What `test_it_leaps_nowhere` bounds is there to be bounded."""
    old, new = posed(3, expression(0.7)), posed(3, expression(0.0))
    assert leap(old, new) > 3


def test_the_chin_is_the_new_ones():
    old, new = posed(3, expression(0.0)), posed(3, expression(0.6))
    found = met(3, old, new)
    lower = SURFACE.regions == Region.LOWER_FACE
    chin = np.flatnonzero(lower)[np.argsort(new.seen[lower, 1])[-5:]]
    assert apart(found, new)[chin].max() < 0.1 * apart(new, old)[chin].min()


def test_a_mouth_that_is_as_in_the_frame_changes_nothing():
    same = posed(5, expression(0.3, 0.2))
    found = met(5, same, same)
    for name in ("camera", "seen", "normals", "up"):
        assert np.array_equal(getattr(found, name), getattr(same, name)), name


@pytest.mark.parametrize("jaw", [0.0, 0.6])
def test_skin_beside_the_lips_goes_with_them(jaw):
    share = new_share(SURFACE, posed(4, expression(jaw)), SIZE, MaskSettings())
    beside = (SURFACE.beside_lips < 0.02) & (SURFACE.regions == Region.LOWER_FACE)
    assert beside.sum() > 50
    assert share[beside].min() > 0.6
    assert share[beside].mean() > 0.9
