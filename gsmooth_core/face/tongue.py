"""Where the tongue lies in a mouth that is open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.types import Float

_LIFT = 0.03  # decimetres: back and tip come to the height of the lower teeth's edge
_FOLLOWS = 0.93  # share of the jaw's opening that the tongue goes along with
_ROOT = 0.25  # of the tongue's length from behind: what stays where it is


def with_raised_tongue(model: MorphableModel) -> MorphableModel:
    """A model whose tongue lies as it does in speech.

    At rest a tongue fills a shut mouth, and the model's lies deep in the jaw. An open mouth of the
    model is then a dark hole; that of people shows the tongue's back, behind the lower teeth: close
    to the upper ones while the mouth is hardly open, as for l, n, t and d, and lower the more the
    jaw opens, which it does not follow all the way.

    Args:
        model: a face model; one without tongue or jaw is given back as it is.
    """
    tongue = model.regions == Region.TONGUE
    if not tongue.any() or "jawOpen" not in model.expression_names:
        return model
    share = _share(model.mean[tongue, 2])
    mean, basis = model.mean.copy(), model.expression_basis.copy()
    mean[tongue, 1] += _LIFT * share
    jaw = basis[model.expression_names.index("jawOpen")]
    jaw[tongue] *= 1 - (1 - _FOLLOWS) * share[:, None]
    return replace(model, mean=mean, expression_basis=basis)


def _share(depth: Float) -> Float:
    """(N,) 0 at the root, which is behind, to 1 over the front of a tongue at `depth` (N,)."""
    length = float(np.ptp(depth)) or 1.0
    along = np.clip(((depth - depth.min()) / length - _ROOT) / (1 - 2 * _ROOT), 0, 1)
    smooth: Float = (along**2 * (3 - 2 * along)).astype(np.float32)
    return smooth
