"""A draft's picture: what the other frames show, as far as they can be believed."""

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.taft.generators.draft import DraftGenerator
from gsmooth_core.taft.generators.interface import HINTS, GeneratorInput


def given(colours, validity):
    """A batch of one: K references of one colour each, as valid everywhere as is said."""
    shape = (1, len(colours), 1, 32, 32)
    references = np.empty((1, len(colours), 3, 32, 32), np.float32)
    references[:] = np.asarray(colours, np.float32)[None, :, None, None, None]
    sure = np.broadcast_to(np.float32(validity)[None, :, None, None, None], shape)
    nothing = np.zeros((1, 3, 32, 32), np.float32)
    return GeneratorInput(nothing, nothing[:, :1], np.zeros((1, HINTS, 32, 32)), references, sure)


@pytest.mark.parametrize(
    ("validity", "expected"),
    [([1, 1, 1], 0.5), ([1, 0, 0], 0.2), ([0, 0, 0], 0.5), ([1, 0, 1], 0.5), ([0, 1, 0.5], 0.518)],
)
def test_the_most_believable_lend_most(validity, expected):
    made = DraftGenerator().paint(given([0.2, 0.5, 0.8], validity))
    assert made.shape == (1, 3, 32, 32)
    assert np.ptp(made) == 0
    assert made.mean() == pytest.approx(expected, abs=1e-3)


def test_of_no_references_nothing_is_made():
    with pytest.raises(InputError, match="lends a mouth"):
        DraftGenerator().paint(given([], []))
