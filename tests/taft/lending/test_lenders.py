"""Who lends where letters cover the nearest frames, and frames that none can help."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.render import face_surface
from gsmooth_core.job.seen import Dubbed, Untouched, told
from gsmooth_core.mafb.occlusion.captions import find_captions
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.taft.lending.lenders import Lenders, lenders, with_spares
from gsmooth_core.taft.lending.references import Choice, ReferenceSettings
from tests.letters import written
from tests.mafb.occlusion import made
from tests.taft import scene

SIZE, FRAMES = 256, 24


def lent(captions: Occluders | None) -> Lenders:
    model, track = scene.face_model(), made.clip()
    surface, settings = face_surface(model, track.identity), ReferenceSettings(bank=24, count=3)
    words = track.expression[::-1].copy()
    return lenders(track, model, surface, words, settings, None, captions)


def all_over(frames: list[int]) -> Occluders:
    return packed([(frame, np.ones((SIZE, SIZE), bool)) for frame in frames], SIZE)


def test_the_nearest_that_shows_what_is_missing_lends_too() -> None:
    choice = Choice(np.array([[0, 1]]), np.ones((1, 2), np.float32))
    cost = np.array([[1.0, 2.0, 3.0, 4.0, np.inf]])
    covered = np.array([[1, 1, 1, 0], [0, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool)
    more = with_spares(choice, cost, covered)
    taken = more.members[0][more.weights[0] > 0]
    assert taken.tolist() == [0, 1, 3]  # 2 shows nothing new, 4 must not be taken
    assert more.weights[0, 2] < 0.5 and (more.weights[0, :2] == 1).all()


def test_letters_elsewhere_change_no_choice() -> None:
    choice = Choice(np.array([[0, 1]]), np.ones((1, 2), np.float32))
    covered = np.array([[1, 0], [0, 1], [0, 0]], bool)
    more = with_spares(choice, np.array([[1.0, 2.0, 3.0]]), covered)
    assert (more.weights[:, 2:] == 0).all() and not lent(None).covered.any()


def test_stretches_are_chosen_for_as_the_whole_is(monkeypatch) -> None:
    """Costs are smoothed over time: a stretch must see the frames beside it."""
    lettered = all_over(list(range(5, 15)))
    whole = [lent(captions) for captions in (None, lettered)]
    monkeypatch.setattr("gsmooth_core.taft.lending.lenders._AT_ONCE", 5)
    for captions, expected in zip((None, lettered), whole, strict=True):
        found = lent(captions)
        assert np.array_equal(found.choice.members, expected.choice.members)
        assert np.allclose(found.choice.weights, expected.choice.weights, atol=1e-6)
        assert np.array_equal(found.covered, expected.covered)


def test_a_mouth_that_no_other_frame_shows_stays_as_it_is() -> None:
    bare = 12  # the frames beside it may show what is left of the letters, and lend nothing
    alone = lent(all_over([n for n in range(FRAMES) if abs(n - bare) > 1]))
    assert alone.covered[bare] and alone.covered.sum() <= 3
    helped = lent(all_over([n for n in range(FRAMES) if abs(n - bare) <= 2 and n != bare]))
    assert not helped.covered.any()


def test_a_caption_that_never_leaves_the_mouth_leaves_the_shot_and_is_reported() -> None:
    """A word is burned in over the mouth in all frames, found by itself, and told of."""
    track = made.clip()
    bar = written((scene.HEIGHT, scene.WIDTH), "WORD", (112, 190), 30, 1)
    alpha = bar[..., None] / np.float32(255)
    pictures = [
        np.rint(p * (1 - alpha) + alpha * (255, 230, 0)).astype(np.uint8) for p in made.bare()
    ]
    captions = find_captions(made.opened(pictures), track, scene.face_model())
    found = lent(captions)
    assert found.covered.all()
    left = told([Dubbed(track, covered=found.covered)])["untouched"]
    assert left == [Untouched(0, FRAMES - 1, "covered")]
    # Where the word goes for a while, those frames lend their mouth to all.
    shown = np.isin(captions.frames, range(8, 16))
    gone = Occluders(captions.frames[~shown], captions.size, captions.packed[~shown])
    assert lent(gone).covered.sum() <= 2
