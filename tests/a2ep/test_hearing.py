from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.a2ep.hearing import directions_of, mark_of
from gsmooth_core.a2ep.lesson import sounds_of, sounds_size
from tests.a2ep.small import CONFIG, model


@pytest.fixture(scope="module")
def ears():
    made = model()
    made.gram.copy_(made.gram.new_tensor([4.0, 1.0, 1.0, 1.0, 0.25]).diag())
    return made


def test_directions_are_orthonormal(ears):
    found = directions_of(ears)
    assert found.shape == (CONFIG.encoder_width, CONFIG.components)
    np.testing.assert_allclose(found.T @ found, np.eye(CONFIG.components), atol=1e-5)


def test_no_other_directions_hold_as_much_of_what_moves_the_mouth(ears):
    """Against random ones, with the movement weighed vertex by vertex."""
    kernel = ears.decoder.direct.weight.detach().numpy()  # (E, F, window)
    size = np.sqrt(np.diag(ears.array("gram")))[:, None, None]

    def kept(directions):
        return np.sum(np.einsum("fh,efw->ehw", directions, size * kernel) ** 2)

    found = directions_of(ears)
    rng = np.random.default_rng(0)
    others = [np.linalg.qr(rng.normal(size=found.shape))[0] for _ in range(20)]
    assert kept(found) > max(kept(other) for other in others)
    first = [kept(found[:, :h]) for h in range(1, 5)]
    assert all(np.diff([0, *first]) > 0)
    assert first[0] > first[1] - first[0]  # the one that moves most comes first


def test_signs_do_not_depend_on_the_library(ears):
    found = directions_of(ears)
    assert (found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])] > 0).all()


def test_a_model_without_a_linear_path_has_none():
    deaf = model(replace(CONFIG, direct=False))
    assert directions_of(deaf).shape == (CONFIG.encoder_width, 0)


def test_the_mark_tells_models_apart(ears):
    assert mark_of(ears) == mark_of(ears)
    assert mark_of(model(seed=1)) != mark_of(ears)
    deaf = model(replace(CONFIG, direct=False))
    assert mark_of(deaf) != mark_of(ears)


def test_a_sound_is_what_is_heard_around_it_and_what_it_moves():
    """One frame that sounds: it fades over two steps of 40 ms on either side, at any rate."""
    for fps, steps in ((25.0, 1), (50.0, 2)):
        heard, moved = np.zeros((30, 3), np.float32), np.zeros((30, 2), np.float32)
        heard[15] = (1, 2, 3)
        moved[15] = (0.1, 0.2)
        made = sounds_of(heard, moved, fps)
        assert made.shape == (30, sounds_size(3, 2))
        for step, share in ((-2, 0.5), (-1, 1.0), (0, 1.0), (1, 1.0), (2, 0.5)):
            at = made[15 - step * steps, 3 * (step + 2) : 3 * (step + 3)]
            np.testing.assert_allclose(at, share * np.array([1, 2, 3]))
        np.testing.assert_allclose(made[15, -2:], (1.17, 2.34), rtol=1e-6)
        assert np.count_nonzero(made) == 17
