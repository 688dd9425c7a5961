"""Sharpness over time: what is wanted is even, comes from other pictures alone, and is bounded."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.crop import window
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish.even import Evenness, chin, level, level_of
from gsmooth_core.taft.finish.lower_face import LowerFace, around
from gsmooth_core.taft.finish.sharpness import SIGMAS, Sharpness, Somewhere, Trial, bands, sharpened
from gsmooth_core.taft.generators import generator as generators
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import FaceTrack
from tests.taft import scene
from tests.taft.small import SMALL

FRAMES, AWAY = 20, 10**6
LOST = np.array([-0.2, -0.1, -0.05])
RNG = np.random.default_rng(0)


def trials(picture: int = AWAY) -> list[Trial]:
    """Frames that lose as much of each band of their chins as `LOST` says."""
    same = np.ones((2, 3)), np.ones((2, 3, 4, 4)), np.ones((2, 2, 4)), 90.0
    return [Trial((picture + n,), *same, LOST) for n in range(4)]


@pytest.fixture(scope="module")
def clip() -> FaceTrack:
    return scene.track(FRAMES)


@pytest.fixture(scope="module")
def composer(clip: FaceTrack) -> Composer:
    return Composer(clip, scene.face_model(), clip.expression[::-1].copy(), None)


def evenness(composer: Composer, levels: dict[int, np.ndarray]) -> Evenness:
    return Evenness(Sharpness(trials(), levels), composer, LowerFace(composer).lips)


def at_random(composer: Composer) -> dict[int, np.ndarray]:
    return {int(n): RNG.normal(-4, 0.4, len(SIGMAS)) for n in composer.lending}


def around_chin(
    composer: Composer, even: Evenness, frame: int, grey: np.ndarray
) -> Somewhere | None:
    under = window(composer.transforms[frame], composer.size, composer.track.area_of(frame))
    grey = grey[: under.shape[0], : under.shape[1]]
    places = LowerFace(composer).places(frame, under, (0, 0))
    return even.gains(frame, 0, places, np.ones(grey.shape, np.float32), grey, bands(grey))


def textured(strength: float) -> np.ndarray:
    white = np.random.default_rng(3).standard_normal((300, 340))
    return (128 + strength * cv2.GaussianBlur(white, (0, 0), 0.8)).astype(np.float32)


def shown_in(composer: Composer, frame: int, picture: np.ndarray) -> np.ndarray:
    """As `shown`, of a finished frame."""
    under = window(composer.transforms[frame], composer.size, composer.track.area_of(frame))
    return shown(composer, frame, under.part(picture).mean(-1, dtype=np.float32))


def shown(composer: Composer, frame: int, grey: np.ndarray) -> np.ndarray:
    """What `level_of` the chin of a frame in a picture is, found with the mesh's own points."""
    under = window(composer.transforms[frame], composer.size, composer.track.area_of(frame))
    grey, regions = grey[: under.shape[0], : under.shape[1]], composer.surface.regions
    back = np.linalg.inv(np.vstack([under.transform, [0, 0, 1]]))
    points = np.c_[composer.points(frame), np.ones(len(regions))] @ back.T
    vertices = np.flatnonzero(np.isin(regions, (Region.LOWER_FACE, Region.LIPS)))[::8]
    places = points[vertices, :2] - under.box[:2]
    return level_of(grey, bands(grey), chin(places, regions[vertices] == Region.LIPS, grey.shape))


def test_a_chin_is_skin_between_lips_and_outline(composer: Composer) -> None:
    regions = composer.surface.regions
    vertices = np.flatnonzero(np.isin(regions, (Region.LOWER_FACE, Region.LIPS)))
    for frame in (0, 7, 15):
        points = composer.points(frame)[vertices].astype(np.float64)
        lips = regions[vertices] == Region.LIPS
        skin = chin(points, lips, (composer.size,) * 2)
        rows, columns = np.nonzero(skin)
        assert len(rows) > 100 and rows.min() > points[lips, 1].max()
        lower = cv2.convexHull(points[~lips].astype(np.float32))
        inside = [
            cv2.pointPolygonTest(lower, (float(x), float(y)), True)
            for x, y in zip(columns, rows, strict=True)
        ]
        assert min(inside) > 2


def test_gains_of_a_chin_end_at_lips_and_outline() -> None:
    skin, hidden = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    skin[35:45, 20:40] = hidden[5:55, 5:55] = True
    lips = np.array([[[20, 15]], [[40, 15]], [[40, 25]], [[20, 25]]], np.int32)
    weight = around(skin, lips, hidden)
    assert (weight[skin] == 1).all() and (weight[~hidden] == 0).all()
    assert (weight[15:26, 20:41] == 0).all()
    for line in (weight[25:36, 30], weight[5:35, 10]):
        assert (np.diff(line) > 0).all() and np.diff(line).max() < 0.15
    np.testing.assert_allclose(weight[30, 30], 0.5, atol=0.05)  # as far from either


def test_a_reference_is_as_sharp_as_its_chin_however_it_is_lit(clip: FaceTrack) -> None:
    def sharp(change) -> np.ndarray:
        def source(frame: int) -> np.ndarray:
            rough = scene.picture(clip, frame) + textured(30)[: scene.HEIGHT, :320, None] - 128
            return np.rint(change(rough)).clip(0, 255).astype(np.uint8)

        made = Composer(clip, scene.face_model(), clip.expression, source)
        found = [level(one, made.surface.regions) for one in list(made.bank.values())[:4]]
        return np.array(found)

    plain = sharp(lambda p: p)
    soft = sharp(lambda p: cv2.GaussianBlur(p, (0, 0), 1.0))
    dark = sharp(lambda p: 0.6 * p)
    assert (plain[:, 0] - soft[:, 0] > 0.5).all()
    np.testing.assert_allclose(dark[:, :2], plain[:, :2], atol=0.05)


def test_a_frame_that_is_as_sharp_as_it_should_be_stays(composer: Composer) -> None:
    for strength in (20, 40):
        made = shown(composer, 9, textured(strength))
        same = {int(n): made - LOST for n in composer.lending}
        assert around_chin(composer, evenness(composer, same), 9, textured(strength)) is None


@pytest.mark.parametrize("off", [-1.5, -0.2, -0.05, 0.05, 0.2, 1.5])
def test_a_frame_that_is_too_soft_or_too_sharp_comes_nearer_and_not_too_far(
    composer: Composer, off: float
) -> None:
    picture = textured(30)
    made = shown(composer, 9, picture)
    wanted = {int(n): made - LOST + off for n in composer.lending}
    found = around_chin(composer, evenness(composer, wanted), 9, picture)
    if abs(off) < 0.1:
        assert found is None
        return
    assert found is not None and found.factors[-1] == 1  # shading stays
    assert (np.sign(np.log(found.factors[:2])) == np.sign(off)).all()
    assert (np.abs(np.log(found.factors)) < 0.36).all()
    there = picture[: found.weight.shape[0], : found.weight.shape[1]]
    after = sharpened(np.repeat(there[..., None], 3, -1), bands(there), np.ones(3), None, [found])
    left = made + off - shown(composer, 9, after[..., 0])
    assert (np.abs(left[:2]) < abs(off)).all()
    assert (left[:2] * off > 0).all()  # and never farther


def test_what_is_wanted_changes_less_than_what_lends(composer: Composer) -> None:
    levels = at_random(composer)
    even = evenness(composer, levels)
    alone = replace(composer.track, fps=composer.track.fps / 10**6)
    rough = Composer(alone, scene.face_model(), composer.target, None)
    rough.lending, rough.choice = composer.lending, composer.choice
    by_frame = evenness(rough, levels)  # no frame is near in time
    smooth, steps = (
        np.abs(np.diff([one.wanted(n) for n in range(FRAMES)], axis=0)).mean(0)
        for one in (even, by_frame)
    )
    assert (smooth < 0.6 * steps).all()
    lent = dict(composer.lent(9))
    mean = sum(weight * levels[n] for n, weight in lent.items()) / sum(lent.values())
    np.testing.assert_allclose(by_frame.wanted(9), mean, rtol=1e-6)


def test_a_picture_has_no_part_in_what_is_wanted_of_it(composer: Composer) -> None:
    levels, frame = at_random(composer), 8
    plain = evenness(composer, levels)
    for nearby in (0, 3):
        near = [n for n in levels if abs(n - frame) <= nearby]
        changed = evenness(composer, levels | {n: levels[n] + 5 for n in near})
        np.testing.assert_array_equal(changed.wanted(frame, nearby), plain.wanted(frame, nearby))
        others = [changed.wanted(n) - plain.wanted(n) for n in range(FRAMES) if n not in near]
        assert np.abs(others).max() > 0.1  # otherwise it would pass for one that looks at nothing
    tried = Sharpness(trials(frame), levels)
    assert tried.lost(frame, 3) is None and tried.lost(frame + 9, 3) is not None
    np.testing.assert_allclose(tried.lost(AWAY), LOST, atol=1e-3)


def test_another_shot_has_no_part_and_what_is_unknown_changes_nothing(clip: FaceTrack) -> None:
    shot = (np.arange(FRAMES) >= 10).astype(np.int32)
    cut, whole = (
        Composer(replace(clip, shot=each), scene.face_model(), clip.expression, None)
        for each in (shot, None)
    )
    changes = []
    for made in (cut, whole):
        even = evenness(made, at_random(made))
        before = even.wanted(9)
        made.choice.members[10:] = made.choice.members[:10]
        changes.append(np.abs(even.wanted(9) - before).max())
    assert changes[0] == 0 < changes[1]
    levels = at_random(cut)
    for known in ({}, {10**5: np.zeros(3)}):
        none = evenness(cut, known)
        assert none.wanted(5) is None
        assert around_chin(cut, none, 5, textured(30)) is None
    few = Evenness(Sharpness(trials()[:2], levels), cut, LowerFace(cut).lips)
    assert around_chin(cut, few, 5, textured(30)) is None


def test_a_dub_from_soft_and_crisp_frames_is_more_even_with_it(clip: FaceTrack) -> None:
    rng = np.random.default_rng(1)

    def rough(frame: int) -> np.ndarray:
        picture = scene.picture(clip, frame) + rng.normal(0, 25, (scene.HEIGHT, scene.WIDTH, 1))
        made = cv2.GaussianBlur(picture, (0, 0), 0.8 + 0.8 * (frame % 5 in (0, 3)))
        return np.rint(made).clip(0, 255).astype(np.uint8)

    pictures = [rough(frame) for frame in range(FRAMES)]
    settings = ComposeSettings(grain=False, references=ReferenceSettings(count=2))
    network = generators.build(SMALL["default"]).eval()
    words = rng.permutation(clip.expression)
    given = clip, scene.face_model(), words, pictures.__getitem__, network, settings
    dub = FaceTranslator(*given, "cpu")
    known, found = dub.sharpness, []
    assert len(known.levels) == len(dub.composer.bank)
    for sharpness in (known, Sharpness(known.trials)):
        dub.sharpness = sharpness
        made = [dub.translate(frame, pictures[frame]).frame for frame in range(FRAMES)]
        found.append([shown_in(dub.composer, n, p) for n, p in enumerate(made)])
    even, uneven = (np.abs(np.diff(levels, axis=0)).mean(0) for levels in found)
    assert (even[:2] < 0.85 * uneven[:2]).all()
