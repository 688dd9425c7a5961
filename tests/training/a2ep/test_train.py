"""A2EP's training on drawn speakers: presets, what supervises them, and the way to a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from gsmooth_core.a2ep import PRESETS, predict_expression
from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.errors import InputError
from gsmooth_core.face.load import load_face_model
from tests.a2ep.test_encoders import SMALL_WAV2VEC
from tests.training.a2ep import speech
from training.a2ep import train as a2ep
from training.a2ep.closing import FALSE, OPEN, fit, fit_closing
from training.a2ep.data import Reading, driven_names, mistaken_for_expression, read_cache
from training.a2ep.face import speech_face
from training.a2ep.finish import opening_direction_of, opening_of
from training.a2ep.plans import DEFAULT, PLANS, Supervision
from training.prepare import prepare
from training.split import Part

QUICK = replace(
    PLANS["no-temporal-audio"], folds=3,
    fit=replace(DEFAULT.fit, steps=4, batch=4, frames=50, check=2, warm_up=2),
)  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return speech.make(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="module")
def face():
    model = load_face_model()
    return speech_face(model, driven_names(model.expression_names))


def differences(plan, other):
    """Names of the settings in which two plans differ."""

    def flat(values, prefix=""):
        for key, value in values.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    ours, theirs = dict(flat(asdict(plan))), dict(flat(asdict(other)))
    return {key for key in ours if ours[key] != theirs[key]}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("no-vertex-loss", {"supervision.vertices"}),
        ("no-template", {"supervision.template"}),
        ("no-mouth-weight", {"supervision.lambda_mouth"}),
        ("no-audio-bias", {"config.sigma1", "config.sigma2"}),
        ("no-style", {"fit.style_dropout"}),
    ],
)
def test_an_ablation_takes_away_one_thing(name, changed):
    assert differences(PLANS[name], DEFAULT) == changed


def test_without_temporal_audio_a_frame_hears_itself_alone():
    config = PLANS["no-temporal-audio"].config
    assert (config.encoder, config.context, config.sigma2) == ("mel", 0, 1)


def test_the_papers_preset_has_the_papers_sizes():
    plan = PLANS["paper"]
    config = plan.config
    assert config == PRESETS["paper"]
    assert (config.encoder, config.encoder_depth, config.d) == ("wav2vec2", 12, 1024)
    assert (config.heads, config.feed_forward, config.sigma1, config.sigma2) == (4, 2048, 0, 1)
    assert not config.direct
    assert (plan.fit.rate, plan.fit.frames, plan.train_encoder) == (1e-4, 100, True)


def test_losses_weigh_what_their_names_say(face):
    """Against vertices in full: a jaw that is off by 0.1."""
    error = torch.zeros(1, 1, len(face.names))
    error[..., face.names.index("jawOpen")] = 0.1
    one = torch.ones(1, 1)
    moved = np.sum((0.1 * face.basis[face.names.index("jawOpen")]) ** 2, axis=-1)
    mouth = face.model.mouth_mask
    for weight in (1.0, 1.8):
        loss = a2ep.loss_of(Supervision(lambda_mouth=weight), face)
        expected = np.mean(np.where(mouth, weight, 1.0) * moved)
        assert float(loss(error, 0 * error, one)) == pytest.approx(expected, rel=1e-4)
    plain = a2ep.loss_of(Supervision(vertices=False), face)
    other = torch.zeros_like(error)
    other[..., face.names.index("cheekPuff")] = 0.1  # moves other vertices, counts the same
    assert float(plain(error, 0 * error, one)) == pytest.approx(float(plain(other, 0 * error, one)))


def test_an_identity_made_of_expressions_is_mistaken_for_them(face):
    """With B_id replaced by B_exp the answer is known."""
    names = np.array(face.names)
    chosen = [face.names.index(n) for n in ("jawOpen", "mouthFunnel")]
    posed = replace(face, model=replace(face.model, identity_basis=face.basis[chosen]))
    found = mistaken_for_expression(posed, np.array([0.3, -0.2], np.float32))
    expected = np.zeros(len(names))
    expected[chosen] = 0.3, -0.2
    moved = np.einsum("e,evc->vc", found - expected, face.basis)
    assert np.abs(moved).max() < 2e-2 * np.abs(face.basis[chosen]).max()


def test_targets_keep_the_identity_where_no_template_is_taken_out(cache, face):
    with_template, without = (
        read_cache(*cache, "mel", face, Reading(template=t)) for t in (True, False)
    )
    for one, other in zip(with_template, without, strict=True):
        offset = other.takes[0].targets - one.takes[0].targets
        assert np.ptp(offset, axis=0).max() < 1e-5
        assert np.abs(offset).max() > 1e-3


def test_the_way_lips_open_opens_them_by_one(face):
    rng = np.random.default_rng(0)
    opening = opening_of(face)
    beta = rng.uniform(0, 0.4, (300, len(face.names))).astype(np.float32)
    assert opening @ opening_direction_of(beta, opening) == pytest.approx(1.0, rel=1e-4)
    assert opening[face.names.index("jawOpen")] > 0.1
    assert opening[face.names.index("mouthClose")] < 0


def test_the_closing_head_separates_what_can_be_separated():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 6)).astype(np.float32)
    touching = x @ np.array([2, -1, 0, 0, 0.5, 0], np.float32) + 0.3 > 0
    weights = fit(x, touching, np.ones(len(x), np.float32))
    assert np.mean((x @ weights[:-1] + weights[-1] > 0) == touching) > 0.97


@pytest.mark.slow
def test_training_ends_in_a_checkpoint_that_speaks(cache, tmp_path):
    footage, prepared = cache
    figures = a2ep.run(QUICK, footage, prepared, tmp_path, None)
    held_out = {s.stem for s in footage.samples() if s.part is Part.VALIDATION}
    assert set(figures) == held_out == {speech.STEMS[6], speech.STEMS[7]}
    assert min(row.aperture_r for row in figures.values()) > 0.8  # the jaw follows loudness
    model = load_checkpoint(tmp_path / "a2ep.safetensors")
    level = speech.loudness(50)
    heard = speech.sound(level, 50)
    made = predict_expression(heard, speech.FRAMES, Fraction(25), model=model)
    opened = made.values[:, made.names.index("jawOpen")]
    assert np.corrcoef(opened, level)[0, 1] > 0.8


@pytest.mark.slow
def test_the_papers_way_runs_from_a_wav2vec_folder(cache, tmp_path):
    """Small, but with every part: the encoder learns, and ends in the checkpoint."""
    footage, prepared = cache
    folder = tmp_path / "tiny"
    settings = Wav2Vec2Config(**SMALL_WAV2VEC)
    Wav2Vec2Model(settings).save_pretrained(folder)
    prepare(footage, prepared, str(folder), 0, ("features",))
    small = replace(
        PLANS["paper"].config, encoder_width=32, encoder_heads=2, encoder_depth=2, d=16,
        feed_forward=32,
    )  # fmt: skip
    fit_ = replace(PLANS["paper"].fit, steps=2, batch=2, frames=25, check=2, warm_up=1)
    plan = replace(PLANS["paper"], config=small, fit=fit_, folds=3)
    figures = a2ep.run(plan, footage, prepared, tmp_path, str(folder))
    assert np.isfinite([list(asdict(row).values()) for row in figures.values()]).all()
    model = load_checkpoint(tmp_path / "a2ep.safetensors")
    made = predict_expression(speech.sound(speech.loudness(3), 3), 50, Fraction(25), model=model)
    assert np.isfinite(made.values).all()


def test_a_stopped_training_goes_on(cache, tmp_path, face):
    footage, prepared = cache
    utterances = a2ep.of_part(read_cache(footage, prepared, "mel", face), a2ep.Part.TRAIN)
    encoder = torch.nn.Identity()

    def trained(folder, steps):
        folder.mkdir(exist_ok=True)
        plan = replace(QUICK, fit=replace(QUICK.fit, steps=steps, rate=1e-3))
        student, gain = a2ep.train(plan, utterances, face, prepared, folder, encoder)
        return student.state_dict(), gain

    state, gain = trained(tmp_path / "whole", 4)
    assert (tmp_path / "whole" / "state.pt").exists()
    again, same = trained(tmp_path / "whole", 4)  # finds itself at the last check and goes on
    assert same == pytest.approx(gain)
    for name, tensor in state.items():
        torch.testing.assert_close(again[name], tensor)


def test_a_seed_on_the_command_line_decides_on_weights_and_batches(
    cache, tmp_path, face, monkeypatch
):
    plans = {}
    for seed in ("0", "1"):
        monkeypatch.setattr(a2ep, "run", lambda plan, *_, seed=seed: plans.update({seed: plan}))
        words = ("--footage", "f", "--cache", "c", "--output", "o", "--seed", seed)
        monkeypatch.setattr("sys.argv", ["a2ep", *words])
        with pytest.raises(AttributeError):  # there are no figures to show
            a2ep.main()
    assert differences(plans["1"], plans["0"]) == {"fit.seed"}
    utterances = a2ep.of_part(read_cache(cache[0], cache[1], "mel", face), a2ep.Part.TRAIN)
    seen = []
    for seed in (0, 0, 1):
        plan = replace(QUICK, fit=replace(QUICK.fit, steps=1, seed=seed))
        place = tmp_path / f"{len(seen)}"
        student, _ = a2ep.train(plan, utterances, face, cache[1], place, torch.nn.Identity())
        seen.append(student.state_dict()["decoder.embed.weight"])
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


def test_one_person_alone_teaches_nobody(cache, tmp_path, face):
    one = [u for u in read_cache(cache[0], cache[1], "mel", face) if u.sample.speaker == "obama"]
    assert one
    with pytest.raises(InputError, match="one person"):
        a2ep.train(QUICK, one, face, cache[1], tmp_path, torch.nn.Identity())


def test_few_open_mouths_are_shut(cache, face):
    """The bias of the head holds the share of false closures on people it has not heard."""
    utterances = a2ep.of_part(read_cache(*cache, "mel", face), a2ep.Part.TRAIN)
    folds = a2ep.folds_of(utterances, 3)
    weights = fit_closing(utterances, folds, 0)
    judged = [u for u, fold in zip(utterances, folds, strict=True) if fold == 0]
    x = np.concatenate([u.takes[0].features[u.takes[0].valid] for u in judged])
    seen = np.concatenate([u.seen[u.takes[0].valid] for u in judged])
    shut = x @ weights[:-1] + weights[-1] > 0
    assert shut[seen > OPEN].mean() < 2 * FALSE + 0.05
    assert shut[seen < 0.05].mean() > 0.5
