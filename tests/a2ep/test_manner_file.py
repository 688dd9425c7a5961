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
from gsmooth_core.errors import InputError
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from tests.a2ep.small import model
from tests.a2ep.talkers import OPENING, heard, lesson


def manner(memory: bool = True):
    sounds = np.random.default_rng(3).normal(size=(200, 6)).astype(np.float32)
    plan = Plan(3.0, noise=1.0) if memory else Plan(3.0)
    return learn_manner(replace(lesson(200), sounds=sounds), plan, 1.0, OPENING, 0.0)


@pytest.mark.parametrize("memory", [True, False])
def test_a_style_speaks_as_what_was_learned(tmp_path, memory):
    learned, ears, path = manner(memory), model(), tmp_path / "anna.safetensors"
    save_style(path, learned, ears)
    back = load_style(path, ears)
    moved = heard(50, seed=6)
    sounds = np.random.default_rng(5).normal(size=(50, 6)).astype(np.float32)
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
