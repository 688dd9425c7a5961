"""What a photo's dub does otherwise than a clip's."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import cv2
import numpy as np
import PIL.Image
import pytest
import skimage.data

from gsmooth_core.animate import AnimatePipeline
from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.errors import ModelError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.events import Message
from gsmooth_core.job.job import Job
from gsmooth_core.job.seen import HELD_PHOTO
from gsmooth_core.job.settings import AnimateSettings, DubSettings
from gsmooth_core.mafb.crop import CROP_SIDE
from gsmooth_core.media import probe, read_frames
from gsmooth_core.models import registry
from gsmooth_core.photo import PhotoPipeline, fine_size
from gsmooth_core.run import pipeline_of
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import Expression
from tests.mafb.occlusion.drawn_hands import before, hand, shape
from tests.media.made import numbered_frames, write_video
from tests.portrait import scene


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    cv2.imwrite(str(path), skimage.data.astronaut()[:320, 60:380, ::-1])
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", numbered_frames(12), 25)


def job(video, tmp_path, **words):
    curves = Expression(("jawOpen",), np.full((12, 1), 0.3, np.float32), Fraction(25))
    save_expression(tmp_path / "c.json", curves)
    return Job(video, tmp_path / "o.mp4", expression=tmp_path / "c.json", **words)


def test_a_photo_has_its_own_pipeline(photo, clip, tmp_path):
    moves = AnimateSettings()
    assert pipeline_of(job(photo, tmp_path)) is PhotoPipeline
    assert pipeline_of(job(photo, tmp_path, animate=moves)) is AnimatePipeline
    assert issubclass(AnimatePipeline, PhotoPipeline)
    assert pipeline_of(job(clip, tmp_path)) is DubPipeline
    assert pipeline_of(job(tmp_path / "gone.png", tmp_path)) is DubPipeline  # which says so
    assert pipeline_of(job(tmp_path, tmp_path)) is DubPipeline


def gif(path, pictures):
    first, *rest = map(PIL.Image.fromarray, pictures)
    first.save(path, save_all=True, append_images=rest, duration=40)
    return path


def test_a_photo_is_one_in_formats_of_pictures_that_may_move(tmp_path):
    """As telephones write them (HEIC, AVIF); a GIF stands for all of these."""
    pictures = numbered_frames(3)
    photo, moving = gif(tmp_path / "one.gif", pictures[:1]), gif(tmp_path / "many.gif", pictures)
    for path, fine in ((photo, True), (moving, False)):
        given = job(path, tmp_path)
        pipeline = pipeline_of(given)(given, tmp_path)
        assert pipeline.compose_settings(head(150)).progressive == fine, path


def head(side):
    """A track of a head whose crop is `side` pixels of the picture wide, by the pinhole camera."""
    still = scene.still()
    distance = -float(still.translation[0, 2])  # decimetres
    zoom = side / CROP_SIDE * distance / still.focal
    return dataclasses.replace(still, focal=still.focal * zoom)


@pytest.mark.parametrize(
    ("side", "size"), [(60, 256), (115, 256), (140, 384), (180, 384), (205, 512), (900, 512)]
)
def test_a_crop_has_twice_the_photos_pixels_where_it_can(side, size):
    assert fine_size(head(side), load_face_model()) == size


def test_the_frame_with_the_largest_head_says_how_fine_a_crop_is():
    near = head(115)
    nearer = near.translation.copy()
    nearer[:, 2] *= 0.8  # 144 pixels
    values = {
        name: np.repeat(getattr(near, name), 2, 0)
        for name in ("expression", "light", "confidence", "landmarks", "rotation")
    }
    both = dataclasses.replace(
        near, translation=np.concatenate([near.translation, nearer]), **values
    )
    assert fine_size(both, load_face_model()) == 384


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        (DubSettings(), 384),
        (DubSettings(crop_size=256), 256),
        (DubSettings(draft=True), 0),
        (DubSettings(draft=True, crop_size=512), 512),
    ],
)
def test_a_photos_mouth_is_drawn_larger_than_it_is_shown(photo, tmp_path, settings, size):
    made = PhotoPipeline(job(photo, tmp_path, settings=settings), tmp_path)
    asked = made.compose_settings(head(150))
    assert asked.size == size
    assert asked.progressive


def test_a_photos_mouth_is_never_blurred_along_a_way(photo, tmp_path):
    asked = job(photo, tmp_path, settings=DubSettings(shutter=0.5))
    assert PhotoPipeline(asked, tmp_path).compose_settings(head(150)).shutter == 0


def test_a_photo_shows_its_tongue(photo, tmp_path):
    made, usual = PhotoPipeline(job(photo, tmp_path), tmp_path).model, load_face_model()
    assert np.abs(made.mean - usual.mean).max() > 0.02


def test_images_that_are_read_as_a_clip_are_dubbed_as_one(clip, tmp_path):
    """`--fps` and one of their files: a photo by its name, and a clip by the time it is read."""
    made, usual = (make(job(clip, tmp_path), tmp_path) for make in (PhotoPipeline, DubPipeline))
    assert made.compose_settings(head(150)) == usual.compose_settings(head(150))
    assert np.array_equal(made.model.mean, load_face_model().mean)


def test_a_hand_before_a_photos_mouth_stays_and_lends_nothing(photo, tmp_path):
    """The mouth is at about (163, 176); a photo has no other frames that show it bare."""
    own = cv2.imread(str(photo))[..., ::-1].copy()
    points = hand((172, 200), 34)
    paths = tmp_path / "bare.png", tmp_path / "held.png"
    for path, picture in zip(paths, (own, before(own, points)), strict=True):
        cv2.imwrite(str(path), picture[..., ::-1])
    bare, held = (job(p, tmp_path, settings=DubSettings(quality="lossless")) for p in paths)
    free = dub(bare, tmp_path / "bare", make=PhotoPipeline)
    assert free.occluders == []
    said = []
    result = dub(held, tmp_path / "held", said.append, make=PhotoPipeline)
    assert Message("warning", HELD_PHOTO) in said
    assert result.occluders == [(0, 11)]
    inner = cv2.erode(shape(points, own.shape[:2]).astype(np.uint8), np.ones((5, 5))) > 0
    given = before(own, points)
    for made in read_frames(probe(result.output)):
        changed = np.abs(made.astype(int) - given).max(-1) > 12
        assert changed.sum() > 100  # the mouth beside it speaks
        assert changed[inner].mean() < 0.1


@pytest.mark.parametrize("name", ["palm_detection", "hand_landmarks"])
def test_a_network_of_hands_that_is_damaged_is_told_before_the_work(
    photo, tmp_path, monkeypatch, name
):
    def locate(asked):
        if asked == name:
            raise ModelError(f"'{asked}' is damaged.", "Reinstall GSmooth.")
        return own(asked)

    own = registry.locate
    monkeypatch.setattr(registry, "locate", locate)
    given = job(photo, tmp_path)
    with pytest.raises(ModelError, match=name):
        PhotoPipeline(given, tmp_path).check()
    without = dataclasses.replace(given, settings=DubSettings(occluders=False))
    PhotoPipeline(without, tmp_path).check()


@pytest.mark.parametrize("moves", [None, AnimateSettings()])
def test_one_frame_of_a_photo_lends_to_all(photo, clip, tmp_path, moves):
    """All show one photo, and the mean of several is a blur."""
    asked = job(photo, tmp_path, animate=moves)
    made = pipeline_of(asked)(asked, tmp_path)
    assert made.compose_settings(scene.still()).references.bank == 1
    other = job(clip, tmp_path)
    assert PhotoPipeline(other, tmp_path).compose_settings(scene.still()).references.bank > 1
