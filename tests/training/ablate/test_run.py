"""Ablations: the commands are real, the switches take away what they say, one run gives a table."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.dub import DubPipeline
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import covered, draw_face, face_surface, pose_face
from gsmooth_core.types import Expression
from tests.evaluation.report.test_page import Reader
from tests.taft import scene
from tests.training.evaluate.footage import footage
from training.a2ep.plans import PLANS
from training.ablate import run as ablate
from training.ablate.variants import (
    WithoutAdaptation,
    WithoutBlending,
    WithoutReferences,
    WithoutTeeth,
)
from training.evaluate.rows import Plan
from training.taft import data, train
from training.taft.presets import PARTS, weights_of

FRAMES = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return footage(tmp_path_factory.mktemp("footage"))


def setup_in(folder, **changes):
    clips = ablate.chosen_clips(folder)
    plan = Plan(folder / "speech" / "other.wav", frames=16, gap=0.04, samples=1, dubs=ablate.DUBS)
    setup = ablate.Setup(clips, plan, folder, folder / "out", None, None)
    return replace(setup, **changes)


# -- training commands -----------------------------------------------------------------------


def test_the_six_of_table_iv_are_there_and_ours():
    labels = [ablation.label for ablation in ablate.ABLATIONS]
    paper = ["TempAud", "ExpSurp", "Template", "MouthAttn", "MAFB", "MorphoAug"]
    assert labels[1:7] == [f"w/o {name}" for name in paper]
    assert labels[7:] == [
        "w/o audio bias",
        "w/o style",
        "ExpNet",
        "ExpNet, Whisper",
        "w/o references",
        "w/o teeth",
        "w/o personal fit",
        "with adaptation",
        "G4G",
        "G4G w/o alignment",
        "G4G w/o contrast",
        "G4G w/o deformation",
        "G4G w/o fusion",
        "G4G w/o scales",
        "G4G's steps alone",
    ]
    assert len({ablation.name for ablation in ablate.ABLATIONS}) == len(labels)


@pytest.mark.parametrize("name", ["no-blending", "no-morphology"])
def test_commands_of_taft_are_understood(folder, name, monkeypatch):
    ablation = next(a for a in ablate.ABLATIONS if a.name == name)
    command = ablate.training_command(ablation, setup_in(folder, cache=Path("c"), steps=7))
    assert command[:2] == ["-m", "training.taft"]
    monkeypatch.setattr(sys, "argv", ["taft", *command[2:]])
    options = train.parse()
    assert options.masks == ablation.options[1]
    assert options.steps == 7
    assert options.output == folder / "out" / "weights" / name


@pytest.mark.parametrize(
    ("name", "parts"),
    [("g4g", []), ("g4g-no-deformation", ["deformation"]), ("g4g-none", list(PARTS))],
)
def test_commands_of_g4g_are_understood(folder, name, parts, monkeypatch):
    ablation = next(a for a in ablate.ABLATIONS if a.name == name)
    command = ablate.training_command(ablation, setup_in(folder, cache=Path("c"), steps=7))
    monkeypatch.setattr(sys, "argv", ["taft", *command[2:]])
    options = train.parse()
    assert (options.preset, list(options.without), options.steps) == ("g4g", parts, 7)
    assert options.footage == folder
    assert train.chosen_weights(options) == weights_of("g4g")


def test_a_weight_of_the_command_line_is_taken_before_the_presets(monkeypatch):
    needed = ["--footage", "f", "--cache", "c", "--output", "o", "--preset", "g4g"]
    monkeypatch.setattr(sys, "argv", ["taft", *needed, "--contrast", "0", "--style", "7"])
    made = train.chosen_weights(train.parse())
    assert made == replace(weights_of("g4g"), contrast=0.0, style=7.0)


def test_presets_of_a2ep_are_known():
    named = [a.options[1] for a in ablate.ABLATIONS if a.trains == "a2ep"]
    assert len(set(named)) == 8
    assert set(named) <= set(PLANS)


def test_masks_of_training():
    rng = np.random.default_rng(0)
    mask = np.zeros((64, 64), bool)
    mask[20:40, 16:48] = True
    made = {kind: data.trained_mask(mask, kind, rng) for kind in data.MASKS}
    assert np.array_equal(made["plain"], mask)
    assert made["everything"].all()
    many = [data.trained_mask(mask, "random", rng).sum() for _ in range(20)]
    assert len(set(many)) > 5


def test_without_a_cache_it_is_said_what_is_missing(folder, tmp_path):
    setup = setup_in(folder, output=tmp_path)
    ablation = next(a for a in ablate.ABLATIONS if a.name == "no-morphology")
    (outcome,) = ablate.run([ablation], setup)
    assert "--cache" in outcome.missing
    assert outcome.command.startswith("python -m training.taft --masks plain")
    page = (tmp_path / "ablation.html").read_text()
    assert "--masks plain" in page
    assert Reader(page).open == []


def test_a_training_that_fails_is_told_with_its_reason(folder, tmp_path):
    broken = ablate.Ablation("x", "x", "x", trains="taft", options=("--preset", "nonsense"))
    outcome = ablate.ablate(broken, setup_in(folder, output=tmp_path, cache=tmp_path))
    assert "nonsense" in outcome.missing
    assert (tmp_path / "weights" / "x" / "training.log").is_file()


# -- switches --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip():
    return scene.track(FRAMES)


@pytest.fixture(scope="module")
def pictures(clip):
    return scene.pictures(clip)


def run_of(variant, folder, tmp_path):
    setup = setup_in(folder)
    job = ablate_job(setup, tmp_path)
    return variant(job, tmp_path)


def ablate_job(setup, tmp_path):
    from training.evaluate.rows import own_job

    return own_job(setup.clips[0], setup.plan, tmp_path / "o.mp4", FRAMES)


def test_without_references_no_frame_has_any(folder, tmp_path, clip, pictures):
    for variant, some in ((DubPipeline, True), (WithoutReferences, False)):
        made = run_of(variant, folder, tmp_path).translator(clip, clip.curves, pictures.__getitem__)
        done = made.translate(4, pictures[4])
        assert bool(done.members) is some
        assert done.mask.any()


def test_without_teeth_none_are_drawn(folder, tmp_path, clip):
    wide = np.zeros(len(clip.expression_names), np.float32)
    wide[clip.expression_names.index("jawOpen")] = 0.7
    seen = {}
    for variant in (DubPipeline, WithoutTeeth):
        model = run_of(variant, folder, tmp_path).model
        surface = face_surface(model, clip.identity)
        posed = pose_face(surface, clip, 0, wide, np.float32([[1, 0, 0], [0, 1, 0]]))
        region = draw_face(surface, posed, 288, None).face.region
        seen[variant] = int(np.isin(region, (Region.TEETH, Region.TONGUE)).sum())
        assert covered(surface, posed, 288, whole=True).any()
    assert seen[DubPipeline] > 20
    assert seen[WithoutTeeth] == 0
    teethless = run_of(WithoutTeeth, folder, tmp_path).model
    vertices = load_face_model().mean[None]
    np.testing.assert_array_equal(
        teethless.landmarks(vertices), load_face_model().landmarks(vertices)
    )


def test_without_adaptation_curves_are_the_predicted_ones(folder, tmp_path, clip, monkeypatch):
    run = run_of(WithoutAdaptation, folder, tmp_path)
    values = np.full_like(clip.expression, 0.123)
    said = Expression(clip.expression_names, values, clip.fps)
    monkeypatch.setattr(run, "predict", lambda: said)
    merged = run.merged(clip)
    jaw, blink = (merged.names.index(n) for n in ("jawOpen", "eyeBlinkLeft"))
    assert (merged.values[:, jaw] == np.float32(0.123)).all()
    assert np.array_equal(merged.values[:, blink], clip.expression[:, blink])


def test_without_blending_the_whole_crop_is_made(folder, tmp_path, clip, pictures):
    ordinary, whole = (
        run_of(variant, folder, tmp_path)
        .translator(clip, clip.curves, pictures.__getitem__)
        .translate(4, pictures[4])
        for variant in (DubPipeline, WithoutBlending)
    )
    assert whole.mask.sum() > 1.8 * ordinary.mask.sum()
    assert whole.hidden[ordinary.hidden].all()
    assert np.array_equal(whole.frame[~whole.mask], pictures[4][~whole.mask])


# -- all of it -------------------------------------------------------------------------------


@pytest.mark.slow
def test_switches_run_to_a_table(folder, tmp_path):
    setup = setup_in(folder, output=tmp_path)
    chosen = [a for a in ablate.ABLATIONS if a.name in ("full", "no-references")]
    ablate.run(chosen, setup)
    found = json.loads((tmp_path / "ablation.json").read_text())
    full, bare = found["ablations"]
    assert full["own"]["lmd"] > 0
    assert full["reconstruction"]["mouth_psnr"] > bare["reconstruction"]["mouth_psnr"]
    assert Reader((tmp_path / "ablation.html").read_text()).open == []
