"""The stages of one person keep their results in files, not in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import skimage.data

from gsmooth_core.a2ep.manner_file import Taught
from gsmooth_core.job.job import Job
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.person import PersonStages
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.types import Expression, Opened
from tests.mafb.occlusion import made as hidden
from tests.mafb.occlusion.drawn_hands import before, hand
from tests.media import made
from tests.taft import scene


def test_what_was_predicted_is_let_go_once_it_lies_in_files(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), skimage.data.astronaut()[:300, 75:375, ::-1])
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    job = Job(photo, tmp_path / "o.mp4", audio=speech)
    job = replace(job, settings=replace(job.settings, style=False))
    folder = tmp_path / "job"
    folder.mkdir()
    stages = PersonStages(job, folder)
    track = stages.track()
    first = stages.merged(track)
    assert "_spoken" not in vars(stages)
    assert np.array_equal(stages.merged(track).values, first.values)
    assert "_spoken" not in vars(stages)  # read again, not predicted again


def test_a_clip_is_heard_beside_the_new_words_frame_by_frame(tmp_path: Path, monkeypatch) -> None:
    """Where pictures are shown again, their sounds are too; the new words go on."""
    clip = made.write_video(tmp_path / "clip.mp4", made.numbered_frames(6), 25)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    job = Job(clip, tmp_path / "o.mp4", audio=speech)
    job = replace(job, settings=replace(job.settings, length="ping-pong"))
    folder = tmp_path / "job"
    folder.mkdir()
    stages = PersonStages(job, folder)
    own = np.arange(6, dtype=np.float32)[:, None].repeat(28, 1)
    monkeypatch.setattr(stages, "taught", lambda _: Taught("", heard=own))
    heard = stages.heard_alike(None)
    assert heard is not None
    assert heard.own[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 4, 3, 2, 1]
    assert heard.wanted.shape == (10, 28) and np.ptp(heard.wanted) > 0
    assert "_spoken" not in vars(stages)  # an hour of it is let go where nothing is merged either
    monkeypatch.setattr(stages, "taught", lambda _: Taught("", heard=None))
    assert stages.heard_alike(None) is None


def test_curves_are_given_beside_a_speech_in_which_nothing_is_heard(tmp_path, monkeypatch) -> None:
    clip = made.write_video(tmp_path / "clip.mp4", made.numbered_frames(6), 25)
    silence = made.write_wav(tmp_path / "s.wav", np.zeros(8000), 16000)
    folder = tmp_path / "job"
    folder.mkdir()
    stages = PersonStages(Job(clip, tmp_path / "o.mp4", audio=silence), folder)
    monkeypatch.setattr(stages, "taught", lambda _: Taught("", heard=np.zeros((6, 28))))
    assert stages.heard_alike(None) is None


def test_what_is_heard_is_told_to_what_makes_the_frames(tmp_path: Path, monkeypatch) -> None:
    clip = made.write_video(tmp_path / "clip.mp4", made.numbered_frames(6), 25)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    job = Job(clip, tmp_path / "o.mp4", audio=speech)
    job = replace(job, settings=replace(job.settings, occluders=False))
    folder = tmp_path / "job"
    folder.mkdir()
    stages, track = PersonStages(job, folder), scene.track(6)
    heard = Heard(np.zeros((6, 2)), np.zeros((6, 2)), 25.0)
    monkeypatch.setattr(stages, "heard_alike", lambda of: heard if of is track else None)
    given_to = "gsmooth_core.person.FaceTranslator"
    monkeypatch.setattr(given_to, lambda *given: SimpleNamespace(given=given))
    curves = Expression(track.expression_names, track.expression, track.fps)
    assert stages.translator(track, curves, None).given[-1] is heard


def test_what_the_pass_for_captions_read_is_kept_until_it_has_lent(tmp_path, monkeypatch) -> None:
    track = scene.track(6)
    clip = made.write_video(tmp_path / "clip.mp4", np.stack(list(scene.pictures(track))), 25)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    folder = tmp_path / "job"
    folder.mkdir()
    stages, given = PersonStages(Job(clip, tmp_path / "o.mp4", audio=speech), folder), []

    def none_found(opened: Opened, *_: object) -> Occluders:
        with opened() as source:
            given.extend(source(frame) for frame in range(6))
        return packed([], 256)

    monkeypatch.setattr("gsmooth_core.person.find_captions", none_found)
    monkeypatch.setattr("gsmooth_core.person.read_lenders", lambda *asked: given.append(asked[-1]))
    assert stages.captions(track) is None
    translator = SimpleNamespace(composer=SimpleNamespace(combed=()))
    stages.read(translator, np.ones(6, bool))
    *read, kept = given
    lent = [frame for frame in range(6) if kept.picture(frame) is not None]
    assert len(lent) > 3
    for frame in lent:
        shown = kept.picture(frame).any(-1)
        assert shown.mean() > 0.2
        np.testing.assert_array_equal(kept.picture(frame)[shown], read[frame][shown])
    stages.read(translator, np.ones(6, bool))
    assert given[-1] is None  # let go


def test_occluders_are_looked_for_in_what_the_reading_for_captions_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for them first."""
    track = scene.track(6)
    clip = made.write_video(tmp_path / "clip.mp4", np.stack(list(scene.pictures(track))), 25)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    stages, order = PersonStages(Job(clip, tmp_path / "o.mp4", audio=speech), tmp_path), []

    def no_captions(opened: Opened, *_: object) -> Occluders:
        with opened() as source:
            order.append(source(3))
        return packed([], 256)

    def no_occluders(_opened: Opened, *given: object) -> Occluders:
        order.append(given[-1].texels(3, None))  # no source is needed
        return packed([], 256)

    monkeypatch.setattr("gsmooth_core.person.find_captions", no_captions)
    monkeypatch.setattr("gsmooth_core.person.find_occluders", no_occluders)
    assert stages.occluders(track) is None
    picture, (colours, seen) = order
    assert seen.any() and len(colours) == len(seen)
    assert len(picture) == track.height


def test_a_hand_is_before_the_face_of_a_clip(tmp_path: Path) -> None:
    """Its colour is not unusual: it stays for the whole clip."""
    track = hidden.clip()
    held = [before(p, hand((164, 215), 26, 0.02 * n)) for n, p in enumerate(hidden.bare())]
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.9), 16000)
    for name, pictures in (("held", held), ("bare", hidden.bare())):
        clip = made.write_video(tmp_path / f"{name}.mp4", np.stack(pictures), 25)
        folder = tmp_path / name
        folder.mkdir()
        stages = PersonStages(Job(clip, tmp_path / "o.mp4", audio=speech), folder)
        found = stages.occluders(track)
        if name == "bare":
            assert found is None
        else:
            assert found is not None and len(found) >= len(track) - 4
