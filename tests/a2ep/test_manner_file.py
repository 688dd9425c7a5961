from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.a2ep.manner import Plan, learn_manner
from gsmooth_core.a2ep.manner_file import (
    Taught,
    load_style,
    load_taught,
    save_style,
    save_taught,
)
from gsmooth_core.a2ep.memory import Memory
from gsmooth_core.errors import InputError
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from tests.a2ep.small import model
from tests.a2ep.talkers import OPENING, heard, lesson

SOUNDS = 5 * 5 + 5  # of the small model: what it hears in five frames, and what moves


def manner(memory: bool = True):
    sounds = np.random.default_rng(3).normal(size=(200, SOUNDS)).astype(np.float32)
    plan = Plan(3.0, noise=1.0) if memory else Plan(3.0)
    return learn_manner(replace(lesson(200), sounds=sounds), plan, 1.0, OPENING, 0.0)


@pytest.mark.parametrize("memory", [True, False])
def test_a_style_speaks_as_what_was_learned(tmp_path, memory):
    learned, ears, path = manner(memory), model(), tmp_path / "anna.safetensors"
    save_style(path, learned, ears)
    back = load_style(path, ears)
    moved = heard(50, seed=6)
    sounds = np.random.default_rng(5).normal(size=(50, SOUNDS)).astype(np.float32)
    np.testing.assert_array_equal(
        back.speak(moved, OPENING, sounds=sounds), learned.speak(moved, OPENING, sounds=sounds)
    )
    assert (back.memory is not None) is memory


def test_a_style_of_another_model_is_refused(tmp_path):
    save_style(tmp_path / "a.safetensors", manner(), model())
    with pytest.raises(InputError, match="another speech model"):
        load_style(tmp_path / "a.safetensors", model(seed=1))


def test_what_a_job_keeps_is_no_style(tmp_path):
    save_taught(tmp_path / "a.safetensors", Taught("", manner()))
    with pytest.raises(InputError, match="not a style file"):
        load_style(tmp_path / "a.safetensors", model())


@pytest.mark.parametrize("name", ["sounds", "answers", "width", "weights"])
def test_a_style_with_a_part_missing_is_refused(tmp_path, name):
    save_style(tmp_path / "a.safetensors", manner(), model())
    arrays, meta = load_arrays(tmp_path / "a.safetensors", "style")
    del arrays[name]
    save_arrays(tmp_path / "b.safetensors", "style", arrays, meta)
    with pytest.raises(InputError, match=f"'{name}' is missing"):
        load_style(tmp_path / "b.safetensors", model())


def test_clips_that_taught_nothing_are_kept_by_name(tmp_path):
    taught = Taught("Speaks like the average person: x.", None, ("'b.mp4': it is silent.",))
    save_taught(tmp_path / "a.safetensors", taught)
    assert load_taught(tmp_path / "a.safetensors") == taught


def test_sounds_that_the_model_cannot_hear_are_refused(tmp_path):
    odd = manner()
    odd = replace(odd, memory=replace(odd.memory, anchors=odd.memory.anchors[:, :-1]))
    save_style(tmp_path / "a.safetensors", odd, model())
    with pytest.raises(InputError, match="not those that the model hears"):
        load_style(tmp_path / "a.safetensors", model())


def test_a_reach_without_a_middle_is_refused(tmp_path):
    learned = manner()
    twice = np.concatenate([learned.weights] * 2), np.concatenate([learned.heard] * 2)
    odd = replace(learned, weights=twice[0], heard=twice[1], reach=(0, 1))
    save_style(tmp_path / "a.safetensors", odd, model())
    with pytest.raises(InputError, match="'reach' does not fit"):
        load_style(tmp_path / "a.safetensors", model())


def test_more_sounds_than_anybody_learns_are_refused(tmp_path):
    learned, many = manner(), 5000
    memory = Memory(np.ones((many, SOUNDS), np.float32), np.ones((many, 5), np.float32), 1.0)
    save_style(tmp_path / "a.safetensors", replace(learned, memory=memory), model())
    with pytest.raises(InputError, match="5000 sounds"):
        load_style(tmp_path / "a.safetensors", model())
