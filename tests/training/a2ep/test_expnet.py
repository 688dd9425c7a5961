"""How ExpNet learns, on drawn speakers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsmooth_core.a2ep.components import LIDS
from gsmooth_core.a2ep.expnet import ExpNet
from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.face.load import load_face_model
from tests.training.a2ep import speech
from training.a2ep import train as a2ep
from training.a2ep.baselines import Comparison
from training.a2ep.data import driven_names, read_cache
from training.a2ep.expnet import (
    BLINK,
    COEFFICIENTS,
    LANDMARKS,
    ExpNetLoss,
    ExpNetStudent,
    Windows,
    blinks_of,
    draw,
    missed,
    moved,
    new_net,
    of_first_frame,
    shown_in,
)
from training.a2ep.face import LIPS, speech_face
from training.a2ep.plans import PLANS
from training.prepare import prepare

CONTEXT = PLANS["expnet"].config.context


@pytest.fixture(scope="module")
def face():
    model = load_face_model()
    return speech_face(model, driven_names(model.expression_names))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    made = speech.make(tmp_path_factory.mktemp("speech"))
    prepare(*made, "spectrogram", 1, ("features",))
    return made


@pytest.fixture(scope="module")
def utterances(cache, face):
    return a2ep.of_part(read_cache(*cache, "spectrogram", face), a2ep.Part.TRAIN)


@pytest.fixture
def clips(cache, face, utterances):
    return [shown_in(u, cache[1], face, CONTEXT) for u in utterances]


@pytest.fixture
def net(face, clips):
    torch.manual_seed(0)
    config = replace(PLANS["expnet"].config, d=32, components=len(face.names))
    return new_net(ExpNet(config), clips)


def batch_of(clips, size=32, seed=0):
    often = np.full(len(clips), 1 / len(clips))
    return draw(clips, often, size, CONTEXT, np.random.default_rng(seed))


def test_what_is_shown_is_the_persons_own_expression(utterances, clips, face):
    """Neither freed of the mean nor brought to one amplitude, as the targets of others are."""
    jaw = face.names.index("jawOpen")
    for utterance, takes in zip(utterances, clips, strict=True):
        np.testing.assert_allclose(takes[0].expression[:, jaw], utterance.truth[:, jaw], atol=1e-4)
        assert len(takes) == 2
        assert all(len(t.features) == len(t.valid) + 2 * CONTEXT for t in takes)
    smiles = [face.names.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
    np.testing.assert_allclose(clips[0][0].expression[:, smiles], 0.1, atol=1e-4)  # of .2 and 0


def test_blinks_are_read_from_the_picture():
    """Lids drawn by the mesh; the tracked coefficients are not asked."""
    model = load_face_model()
    shut = np.array([0, 0, 0, 0.3, 0.6, 0], np.float32)
    beta = np.zeros((6, len(model.expression_names)), np.float32)
    for name in LIDS:
        beta[:, model.expression_names.index(name)] = shut
    identity = np.zeros(len(model.identity_basis), np.float32)
    landmarks = 100 + 50 * model.landmarks(model.shape(identity, beta))[..., :2]
    found = blinks_of(landmarks)
    assert found[[0, 1, 2, 5]].max() < 1e-3
    assert found[4] > 0.6
    assert found[3] == pytest.approx(found[4] / 2, abs=0.05)


def test_windows_are_of_their_frame_and_references_of_the_same_clip(clips):
    batch = batch_of(clips, size=60)
    for row in range(60):
        own = [
            (shown, t)
            for takes in clips
            for shown in takes
            for t in np.flatnonzero(shown.valid)
            if np.array_equal(shown.features[t : t + 5], batch.features[row])
        ]
        assert len(own) == 1
        shown, t = own[0]
        np.testing.assert_array_equal(shown.expression[t], batch.expression[row])
        assert (shown.expression == batch.reference[row].numpy()).all(axis=1).any()
    assert (batch.reference != batch.expression).any(1).float().mean() > 0.7  # of another frame
    asked = batch.blink.numpy()
    assert 0.25 < np.mean(asked > 1e-3) < 0.75  # drawn people do not blink: half are asked to


def test_losses_are_the_papers(face):
    scale = torch.full((len(face.names),), 0.5)
    loss = ExpNetLoss(face, scale)
    made = torch.zeros(1, len(face.names) + 2)
    truth = made.clone()
    truth[0, face.names.index("jawOpen")] = 0.1
    batch = Windows(torch.zeros(1, 5, 320), truth, truth, torch.tensor([0.25]))
    terms = {name: float(term) for name, term in loss(made, batch).items()}
    assert terms["coefficients"] == pytest.approx((0.1 / 0.5) ** 2 / len(face.names), rel=1e-4)
    beta = truth[:, :-2].numpy()
    apart = np.linalg.norm(face.landmarks[33] - face.landmarks[263])
    shifts = (face.mesh_landmarks(beta) - face.landmarks)[0, list(LIPS), :2] * 90 / apart
    assert terms["landmarks"] == pytest.approx(np.sum(shifts**2) / len(LIPS), rel=1e-3)
    assert terms["blink"] == pytest.approx(0.25, abs=1e-5)  # open lids, a quarter shut asked
    parts = (COEFFICIENTS, LANDMARKS, BLINK)
    names = ("coefficients", "landmarks", "blink")
    total = sum(w * terms[n] for w, n in zip(parts, names, strict=True))
    assert terms["total"] == pytest.approx(total, rel=1e-5)
    shut = made.clone()
    shut[0, -2:] = 1.0
    assert float(loss.openings(shut[:, -2:]).max()) < 0.4


def test_a_step_lowers_the_loss(net, face, clips):
    student, loss, batch = ExpNetStudent(net).train(), ExpNetLoss(face, net.scale), batch_of(clips)
    optimiser = torch.optim.SGD(student.parameters(), 0.005)
    before = loss(student(batch), batch)["total"]
    before.backward()
    optimiser.step()
    assert float(loss(student(batch), batch)["total"].detach()) < float(before.detach())


@pytest.mark.slow
def test_it_learns_to_follow_loudness_and_to_shut_the_eyes_that_are_asked_to(
    net, face, clips, utterances, cache
):
    student, loss = ExpNetStudent(net).train(), ExpNetLoss(face, net.scale)
    optimiser = torch.optim.AdamW(student.parameters(), 3e-3)
    for step in range(60):
        batch = batch_of(clips, seed=step)
        optimiser.zero_grad()
        loss(student(batch), batch)["total"].backward()
        optimiser.step()
    student.eval()
    judged = clips[0][0]
    said, true = moved(net, judged)
    jaw = face.names.index("jawOpen")
    assert np.corrcoef(said[:, jaw], true[:, jaw])[0, 1] > 0.8
    assert missed(net, [judged], face.gram) < 0.5
    heard = net.heard(judged.features)
    shut = np.linspace(0, 1, len(heard)).astype(np.float32)
    made = net.expressed(net.start(judged.expression[0], shut), heard, 0, len(heard))
    opened = loss.openings(torch.from_numpy(made[:, -2:])).mean(1).numpy()
    assert np.corrcoef(opened, 1 - shut)[0, 1] > 0.9
    still = net.expressed(net.start(judged.expression[0]), heard, 0, len(heard))
    change = np.abs(made[:, :-2] - still[:, :-2]).mean() / still[:, :-2].std()
    assert change < 0.2  # a blink is none of the mouth's
    own = of_first_frame(net, utterances[0], cache[1], face)
    assert np.corrcoef(own[:, jaw], utterances[0].truth[:, jaw])[0, 1] > 0.8


@pytest.mark.slow
def test_training_ends_in_a_checkpoint_that_goes_on(cache, tmp_path):
    plan = PLANS["expnet"]
    fit = replace(plan.fit, steps=4, batch=8, check=2, warm_up=2, frames=50)
    quick = replace(plan, folds=3, fit=fit, config=replace(plan.config, d=32))
    first = a2ep.run(quick, *cache, tmp_path, None)
    model = load_checkpoint(tmp_path / "a2ep.safetensors")
    assert isinstance(model.decoder, ExpNet)
    torch.testing.assert_close(model.silence, model.rest)
    again = a2ep.run(quick, *cache, tmp_path, None)  # finds itself at the last check
    assert first == again
    systems = Comparison(*cache, "spectrogram").validation(str(tmp_path / "a2ep.safetensors"))
    assert systems["ExpNet, first frame"].keys() == systems["A2EP"].keys() == first.keys()
    assert systems["ExpNet, first frame"] != systems["A2EP"]
