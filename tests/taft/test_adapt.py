"""Adaptation: better on the clip it learned from, blind for what it will make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from gsmooth_core.data import FaceTrack, Image
from gsmooth_core.taft import generator as g
from gsmooth_core.taft.adapt import (
    Adapted,
    AdaptSettings,
    adapt,
    cuts,
    held_back,
    proven,
    shares_of,
    taught_parts,
)
from gsmooth_core.taft.compose import ComposeSettings
from gsmooth_core.taft.lessons import Lesson, LessonSettings, lessons
from gsmooth_core.taft.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL, stirred

FRAMES = 40  # at 25 a second
SETTINGS = AdaptSettings(LessonSettings(4, 0.12, 96), steps=3, fade=0.16, shortest=0.3)
COMPOSE = ComposeSettings(size=256, references=ReferenceSettings(bank=6, count=3))


@pytest.fixture(scope="module")
def clip() -> FaceTrack:
    return scene.track(FRAMES)


@pytest.fixture(scope="module")
def pictures(clip: FaceTrack) -> list[Image]:
    return scene.pictures(clip)


def adapted(clip: FaceTrack, pictures: list[Image], generator: torch.nn.Module) -> Adapted:
    @contextmanager
    def opened() -> Iterator:
        yield pictures.__getitem__

    parts = taught_parts(clip, SETTINGS)
    assert parts
    model, config = scene.face_model(), generator.config
    odd, even = (
        proven(
            generator,
            lessons(p, model, opened, config, COMPOSE, SETTINGS.lessons),
            float(clip.fps),
            replace(SETTINGS, shares=(1.0,)),
        )
        for p in parts
    )
    return Adapted(odd, even, shares_of(FRAMES, float(clip.fps), SETTINGS))


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize(("frames", "part"), [(40, 6.0), (400, 2.0), (401, 3.1)])
def test_no_generator_learns_from_what_it_makes_or_from_what_is_near_it(frames, part) -> None:
    settings = replace(SETTINGS, part=part)
    clip = scene.track(frames)
    share, parts = shares_of(frames, 25.0, settings), taught_parts(clip, settings)
    assert parts
    clear = SETTINGS.lessons.gap * 25
    for made, learned in zip((share < 1, share > 0), parts, strict=True):
        makes, learns = np.flatnonzero(made), np.flatnonzero(learned.usable)
        assert np.abs(makes[:, None] - learns[None]).min() > clear
        assert len(learns) > 0.1 * frames


def test_parts_take_turns() -> None:
    settings = replace(SETTINGS, part=2.0, fade=0.4)
    share = shares_of(400, 25.0, settings)  # 16 s: 8 parts
    assert cuts(400, 25.0, settings) == pytest.approx([50 * n for n in range(1, 8)])
    middles = share[25::50]
    assert middles.tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert np.abs(np.diff(share)).max() <= 0.1 + 1e-6  # over 10 frames
    assert len(cuts(100, 25.0, settings)) == 1  # a short clip has two


def test_a_short_clip_is_not_adapted(clip) -> None:
    assert taught_parts(clip, replace(SETTINGS, shortest=1.0)) is None
    unseen = replace(clip, confidence=np.zeros(FRAMES, np.float32))
    assert taught_parts(unseen, SETTINGS) is None


@pytest.mark.parametrize("preset", g.PRESETS)
def test_poison_changes_nothing_with_adaptation(clip, pictures, preset: str) -> None:
    """The hidden pixels of a frame have no part in its picture, be it through the weights."""
    generator = stirred(SMALL[preset])
    target = clip.expression[::-1].copy()

    def made(source: list[Image], frame: int):
        learned = adapted(clip, source, generator)
        dub = FaceTranslator(
            clip, scene.face_model(), target, source.__getitem__, generator, COMPOSE, "cpu", learned
        )
        return dub.translate(frame, source[frame])

    rng = np.random.default_rng(0)
    for frame in (4, 21):  # in a part, and where the parts meet
        clean = made(pictures, frame)
        poisoned = pictures[frame].copy()
        poisoned[clean.hidden] = rng.integers(0, 256, (int(clean.hidden.sum()), 3))
        source = [p if n != frame else poisoned for n, p in enumerate(pictures)]
        assert np.array_equal(made(source, frame).frame, clean.frame)


def test_adaptation_is_used(clip, pictures) -> None:
    generator = stirred(SMALL["default"])
    learned = adapted(clip, pictures, generator)
    args = (clip, scene.face_model(), clip.expression, pictures.__getitem__, generator, COMPOSE)
    plain, own = FaceTranslator(*args, "cpu"), FaceTranslator(*args, "cpu", learned)
    before, after = (dub.translate(4, pictures[4]).frame for dub in (plain, own))
    assert not np.array_equal(before, after)
    assert torch.equal(weights(generator), weights(stirred(SMALL["default"])))


def test_one_generator_becomes_the_other_smoothly() -> None:
    odd, even = stirred(SMALL["default"]), g.build(SMALL["default"])
    both = Adapted(odd, even, np.float32([0, 0.25, 0.5, 0.75, 1]))
    assert both.at(0) is odd
    assert both.at(4) is even
    at = [weights(both.at(frame)).clone() for frame in range(5)]
    expected = [torch.lerp(weights(odd), weights(even), s) for s in (0, 0.25, 0.5, 0.75, 1)]
    for made, wanted in zip(at, expected, strict=True):
        torch.testing.assert_close(made, wanted)


def flat_lesson(frame: int, light: float) -> Lesson:
    """A grey face that is `light` times as bright as its references say."""
    torch.manual_seed(0)
    flat = torch.rand(1, 2, 3, 1, 1).expand(1, 2, 3, 64, 64)
    one, hints = torch.ones(1, 1, 64, 64), torch.zeros(1, 3, 64, 64)
    inputs = g.GeneratorInput(flat.mean(1), one, hints, flat, one[:, None].repeat(1, 2, 1, 1, 1))
    return Lesson(frame, inputs, light * flat.mean(1), one, one)


def error(module: torch.nn.Module, lesson: Lesson) -> float:
    with torch.inference_mode():
        return float((module(lesson.inputs) - lesson.truth).abs().mean())


QUICK = replace(SETTINGS, steps=30, learning_rate=3e-3, warm_up=1, edges=0.0)


def test_training_lessens_the_error_on_its_lessons() -> None:
    lesson, generator = flat_lesson(0, 0.8), stirred(SMALL["default"])
    assert error(adapt(generator, [lesson], QUICK), lesson) < 0.6 * error(generator, lesson)


def test_what_unseen_frames_bear_out_is_kept_and_nothing_else() -> None:
    generator = stirred(SMALL["default"])
    same = [flat_lesson(frame, 0.8) for frame in range(0, 80, 10)]
    other = [*same[:6], *(flat_lesson(frame, 1.2) for frame in (60, 70))]
    kept = proven(generator, same, 25.0, QUICK)
    assert error(kept, same[-1]) < 0.6 * error(generator, same[-1])
    assert torch.equal(weights(proven(generator, other, 25.0, QUICK)), weights(generator))


def test_a_short_clip_is_judged_at_its_end_and_a_long_one_in_several_places() -> None:
    given = [flat_lesson(frame, 1.0) for frame in range(0, 240, 10)]
    settings = replace(SETTINGS, lessons=LessonSettings(gap=0.5), judged=0.25, long=15.0)
    taught, judges = held_back(given[:8], 25.0, settings)
    assert [lesson.frame for lesson in judges] == [60, 70]
    assert [lesson.frame for lesson in taught] == [0, 10, 20, 30, 40]  # 60 - 12.5 and earlier
    taught, judges = held_back(given, 10.0, settings)
    assert [lesson.frame for lesson in judges] == [60, 70, 140, 150, 220, 230]
    apart = np.subtract.outer([x.frame for x in judges], [x.frame for x in taught])
    assert np.abs(apart).min() > 5


def test_too_little_to_judge_by_changes_nothing() -> None:
    generator = stirred(SMALL["default"])
    same = proven(generator, [flat_lesson(0, 0.8)], 25.0, QUICK)
    assert torch.equal(weights(same), weights(generator))
