"""The way of a frame: nothing of it under the mask is looked at, nothing outside is touched."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.mafb.crop import window
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings, best_size
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.inputs import generator_input
from gsmooth_core.taft.lending.masked import Lay
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator, composing
from gsmooth_core.types import FaceTrack, Image
from tests.taft import scene
from tests.taft.small import SMALL, stirred

FRAMES = 10


@pytest.fixture(scope="module")
def clip() -> FaceTrack:
    return scene.track(FRAMES)


@pytest.fixture(scope="module")
def pictures(clip: FaceTrack) -> list[Image]:
    return scene.pictures(clip)


def other_words(clip: FaceTrack) -> np.ndarray:
    """The clip's own curves, said backwards and a little louder."""
    return np.clip(1.2 * clip.expression[::-1], 0, 1).astype(np.float32)


def translator(
    clip: FaceTrack, pictures: list[Image], preset: str = "default", **changes: object
) -> FaceTranslator:
    config = SMALL[preset]
    settings = ComposeSettings(references=ReferenceSettings(bank=6))
    return FaceTranslator(
        clip,
        scene.face_model(),
        other_words(clip),
        pictures.__getitem__,
        stirred(config),
        replace(settings, **changes),
    )


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("preset", g.PRESETS)
def test_poison_under_the_mask_changes_nothing(clip, pictures, preset: str, whole: bool) -> None:
    # The whole frame is poisoned in the bank's source as well: it may not refer to itself.
    dub = translator(clip, pictures, preset, whole_face=whole)
    rng = np.random.default_rng(0)
    for frame in (0, 4, 9):
        clean = dub.translate(frame, pictures[frame])
        assert clean.hidden.sum() > 2000
        poisoned = pictures[frame].copy()
        poisoned[clean.hidden] = rng.integers(0, 256, (int(clean.hidden.sum()), 3))
        source = [p if n != frame else poisoned for n, p in enumerate(pictures)]
        again = translator(clip, source, preset, whole_face=whole).translate(frame, poisoned)
        assert np.array_equal(again.frame, clean.frame)
        assert np.array_equal(again.mask, clean.mask)


def test_poison_outside_the_mask_is_seen(clip, pictures) -> None:
    # Otherwise the test above would pass for a program that looks at nothing at all.
    dub = translator(clip, pictures)
    clean = dub.translate(4, pictures[4])
    poisoned = pictures[4].copy()
    poisoned[~clean.hidden] = 255 - poisoned[~clean.hidden]
    again = dub.translate(4, poisoned)
    assert not np.array_equal(again.frame[clean.hidden], clean.frame[clean.hidden])


@pytest.mark.parametrize("size", [256, 384, 512])
@pytest.mark.parametrize("preset", g.PRESETS)
def test_pixels_outside_the_mask_are_the_frames(clip, pictures, preset: str, size: int) -> None:
    dub = translator(clip, pictures, preset, size=size)
    for frame in (1, 6):
        before = pictures[frame].copy()
        done = dub.translate(frame, pictures[frame])
        assert np.array_equal(pictures[frame], before)
        assert np.array_equal(done.frame[~done.mask], before[~done.mask])
        assert done.mask[done.hidden].all()
        assert done.frame.dtype == np.uint8
        assert done.frame.shape == before.shape


@pytest.mark.parametrize("colour", [0, 255])
def test_a_bar_that_cuts_the_chin_stays_and_is_not_lent(clip, pictures, colour: int) -> None:
    """Held against the same clip without the bar: the picture above it is alike."""
    low = replace(clip, translation=clip.translation - np.float32([0, 0.6, 0]))
    plain, end = scene.pictures(low), scene.HEIGHT - 40
    barred = [picture.copy() for picture in plain]
    for picture in barred:
        picture[end:] = colour
    area = np.tile(np.int32([0, 0, scene.WIDTH, end]), (FRAMES, 1))
    known, blind = (translator(replace(low, area=a), barred) for a in (area, None))
    free = translator(low, plain)
    apart = []
    for frame in (2, 5, 7):
        made, lost, truth = (
            dub.translate(frame, shown[frame])
            for dub, shown in ((known, barred), (blind, barred), (free, plain))
        )
        assert (made.frame[end:] == colour).all() and not made.mask[end:].any()
        assert made.mask[end - 8 : end].any()  # the chin is cut
        strip = np.s_[end - 8 : end]
        apart.append(
            [np.abs(x.frame[strip] - truth.frame[strip].astype(int)).mean() for x in (made, lost)]
        )
    ours, without = np.mean(apart, axis=0)
    assert ours < 0.5 * without, (ours, without)


def test_a_frame_is_put_together_once_and_only_when_it_is_asked_for(
    clip, pictures, monkeypatch
) -> None:
    asked, composite = [], Lay.composite

    def noted(lay, frame):
        asked.append(frame)
        return composite(lay, frame)

    monkeypatch.setattr(Lay, "composite", noted)
    done = translator(clip, pictures).translate(1, pictures[1])
    assert done.lays and done.hidden.any() and not asked
    assert done.frame is done.frame and done.mask is done.mask
    assert len(asked) == 1 and asked[0] is pictures[1]


def test_the_mask_holds_what_the_new_mouth_changes(clip, pictures) -> None:
    # Against the same face drawn with the new expression: a change outside the mask is lost. A
    # little is, by intent, at the sides of the jaw's outline.
    dub = translator(clip, pictures)
    for frame in (0, 3, 7):
        done = dub.translate(frame, pictures[frame])
        truth = scene.picture(clip, frame, other_words(clip)[frame])
        changed = np.abs(truth.astype(int) - pictures[frame]).max(-1) > 12
        assert changed.sum() > 20
        assert (changed & ~done.mask).sum() <= 0.05 * changed.sum()


def test_the_new_mouth_is_that_of_the_new_expression(clip, pictures) -> None:
    """Untrained fusion, against the face drawn with the new expression and with the old one."""
    generator = g.build(SMALL["default"]).eval()
    new = other_words(clip)
    dub = FaceTranslator(clip, scene.face_model(), new, pictures.__getitem__, generator)
    for frame in (0, 2, 7):
        done = dub.translate(frame, pictures[frame])
        truth = scene.picture(clip, frame, new[frame]).astype(int)
        changed = np.abs(pictures[frame] - truth).max(-1) > 12
        error, untouched = np.abs(done.frame - truth), np.abs(pictures[frame] - truth)
        assert error[done.hidden].mean() < 3
        assert error[changed].mean() < 0.6 * untouched[changed].mean()


def test_a_still_picture_is_its_own_reference() -> None:
    clip = scene.track(6, still=True)
    photo = scene.picture(clip, 0)
    talk = np.zeros_like(clip.expression)
    talk[:, clip.expression_names.index("jawOpen")] = np.linspace(0, 0.6, 6)
    single = replace(clip, confidence=np.eye(1, 6, dtype=np.float32)[0])
    dub = FaceTranslator(
        single, scene.face_model(), talk, lambda _: photo, g.build(SMALL["default"]).eval()
    )
    assert [r.frame for r in dub.composer.bank.values()] == [0]
    done = dub.translate(0, photo)
    assert done.members == (0,)
    assert np.abs(done.frame.astype(int) - photo)[done.hidden].mean() < 3


def test_a_frame_without_a_face_passes_untouched(clip, pictures) -> None:
    dub = translator(scene.without_face(clip, 4), pictures)
    done = dub.translate(4, pictures[4])
    assert np.array_equal(done.frame, pictures[4])
    assert not done.mask.any()
    assert done.members == ()
    assert dub.translate(5, pictures[5]).mask.any()


def test_a_target_of_another_length_is_refused(clip, pictures) -> None:
    with pytest.raises(InputError):
        Composer(clip, scene.face_model(), clip.expression[:-1], pictures.__getitem__)


def test_references_are_what_the_generator_was_made_for(clip, pictures) -> None:
    fusion, paper = (translator(clip, pictures, name) for name in ("default", "paper"))
    assert fusion.composer.settings.references.count == SMALL["default"].references
    for frame in range(FRAMES):
        given = generator_input(paper.composer.compose(frame, pictures[frame]), paper.config)
        assert given.references.shape[1] == 1
        crop = np.moveaxis(given.references[0, 0], 0, -1) * 255
        first, second = list(paper.composer.bank.values())[:2]
        chosen = second if first.frame == frame else first
        under = window(
            paper.composer.transforms[chosen.frame], 256, (0, 0, scene.WIDTH, scene.HEIGHT)
        )
        oracle = under.cut(under.part(pictures[chosen.frame]))
        assert np.abs(crop - oracle).mean() < 0.5


def test_the_size_follows_the_face(clip) -> None:
    # The nearer a face is, the larger it is; at .5 a pixel of 256 stands for 1.26 of the clip.
    for distance, size in ((1, 256), (0.55, 256), (0.45, 384), (0.35, 384), (0.3, 512)):
        near = replace(clip, translation=clip.translation * np.float32([1, 1, distance]))
        assert best_size(near, scene.face_model()) == size


def test_the_generators_box_holds_every_mask(clip, pictures) -> None:
    composer = translator(clip, pictures).composer
    x0, y0, x1, y1 = composer.box
    assert (x1 - x0) % 16 == 0
    assert (y1 - y0) % 16 == 0
    for frame in range(FRAMES):
        _, mask = composer.masks(frame)
        assert mask.any()
        outside = mask.copy()
        outside[y0:y1, x0:x1] = False
        assert not outside.any()


def test_the_same_frame_twice_is_the_same(clip, pictures) -> None:
    dub = translator(clip, pictures)
    a, _, b = (dub.translate(n, pictures[n]).frame for n in (3, 5, 3))
    assert np.array_equal(a, b)


def test_frames_composed_ahead_are_the_same(clip, pictures) -> None:
    seen = (np.arange(FRAMES) != 3).astype(np.float32)
    track = replace(clip, confidence=clip.confidence * seen)
    dub = translator(track, pictures)
    frames = list(enumerate(pictures))
    pulled: list[int] = []

    def reading():
        for index, frame in frames:
            pulled.append(index)
            yield index, frame

    for index, (frame, made) in enumerate(dub.translate_all(reading())):
        assert frame is pictures[index]
        assert pulled[-1] <= index + 3  # memory stays flat: frames are not read far ahead
        alone = dub.translate(index, pictures[index])
        assert np.array_equal(made.frame, alone.frame)
        assert np.array_equal(made.mask, alone.mask)
    assert index == FRAMES - 1


def test_as_many_frames_are_composed_at_once_as_cores_are_left_for_it() -> None:
    assert [composing(cores) for cores in (1, 2, 3, 4, 64)] == [1, 1, 2, 2, 2]


def test_two_frames_are_composed_at_once_where_there_are_cores(clip, pictures, monkeypatch) -> None:
    monkeypatch.setattr("gsmooth_core.taft.translate.all_threads", lambda: 4)
    dub, both = translator(clip, pictures), Barrier(2, timeout=60)
    plain = dub._compose

    def compose(index, frame):
        both.wait()
        return plain(index, frame)

    monkeypatch.setattr(dub, "_compose", compose)
    frames = list(enumerate(pictures[:4]))
    assert len(list(dub.translate_all(frames))) == 4


def test_an_error_while_composing_ahead_comes_out(clip, pictures) -> None:
    dub = translator(clip, pictures)
    with pytest.raises(IndexError):
        list(dub.translate_all([(0, pictures[0]), (FRAMES, pictures[0])]))
