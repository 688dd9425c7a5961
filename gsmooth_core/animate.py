"""The way of the data from a photo: it is animated first, and dubbed as a clip is.

photo -> track -> part from the background -> move (turns, shifts, blinks, brows) -> exact track
-> everything as in `dub`
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.face.landmarks import LIPS
from gsmooth_core.job.animated import AnimatedSource
from gsmooth_core.job.events import Message, progress
from gsmooth_core.job.followed import Followed
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.job import Job
from gsmooth_core.job.length import repeat_track
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.settings import AnimateSettings, DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.job.stage import Stage, result_of
from gsmooth_core.media import probe
from gsmooth_core.motion.blink import RATE, blinks, still
from gsmooth_core.motion.brows import with_brows
from gsmooth_core.motion.edited import edited_motion
from gsmooth_core.motion.energy import phrase_ends, speech_energy
from gsmooth_core.motion.head import HeadMotion
from gsmooth_core.motion.library import motion_library
from gsmooth_core.motion.reference import from_track
from gsmooth_core.motion.stitch import MotionSettings, stitched
from gsmooth_core.photo import PhotoPipeline
from gsmooth_core.portrait.animate import Animation, animated_track
from gsmooth_core.portrait.drawing import refuse_drawing
from gsmooth_core.portrait.eyes import BALL, Eyes
from gsmooth_core.portrait.hair import HairPictures
from gsmooth_core.portrait.headroom import lifted
from gsmooth_core.portrait.layers import layers_of
from gsmooth_core.portrait.lids import Lids
from gsmooth_core.portrait.matte import find_matte
from gsmooth_core.portrait.sheet import sheet_of
from gsmooth_core.portrait.sway import SwayPictures
from gsmooth_core.storage.arrays import load_expression, load_track, save_track
from gsmooth_core.tracking.photometry.poses import refine_poses
from gsmooth_core.types import Expression, FaceTrack, Float, Image

_LARGE = 1000  # pixels
_POSES = 4  # another number where poses of a movement are found in another way than before
_MOVES = 1  # and where a photo moves otherwise by the same settings


class AnimatePipeline(PhotoPipeline):
    """A dub of a photo that moves.

    Its tracking stage finds the face of the photo, decides how the head is to move, and gives
    the track that follows from both: known, not measured.
    """

    source_type = AnimatedSource
    source: AnimatedSource

    @property
    def settings(self) -> AnimateSettings:
        """How the photo moves."""
        return self.job.animate or AnimateSettings()

    def check(self) -> None:
        """Refuse what would fail later, as a dub does; and a movement that cannot be followed.

        Raises:
            InputError: the movement is a photo, or no track; or there is no such style.
            MediaError: it is no video, or not there.
        """
        super().check()
        width, height = self.source.size
        if (width, height) != (self.source.clip.width, self.source.clip.height):
            self.emit(Message("warning", f"The photo is animated at {width} x {height} pixels."))
        name = self.settings.motion
        if name == "auto":
            _check_style(self.settings.style)
            return
        if is_track(name):
            load_track(Path(name))
        elif probe(Path(name)).still:
            text = f"'{Path(name).name}' is a photo: nothing moves in it."
            raise InputError(text, "Give --motion a video or a track.")

    def track(self) -> FaceTrack:
        """Animate the photo; from here on the source shows it in motion.

        Raises:
            NoFaceError: there is no face, or one of a few lines.
        """
        face = self._face()
        photo, sheet = self.source.photo(), sheet_of(face, self.model)
        matte = find_matte(photo)
        refuse_drawing(photo, matte, sheet.face)
        motion = self.edited(face, lifted(self.motion(), sheet, matte))
        wanted = self.settings.blink or motion.blink.any()
        lids = self._lids(photo, face) if wanted else None
        if lids is None:
            motion = replace(motion, blink=np.zeros_like(motion.blink))
        ball = BALL * face.focal / -float(face.translation[0, 2])  # pixels
        eyes = Eyes(photo, face.landmarks[0], ball, lids)
        layers = layers_of(photo, matte, sheet.face, sheet.wide)
        self._warn(face, sheet.wide)
        self.source.animation = Animation(photo, sheet, motion, eyes, layers)

        def animated() -> FaceTrack:
            return animated_track(face, sheet, motion)

        name, inputs = JobFile.TRACK, {**self.inputs.track(), "moves": _MOVES}
        return result_of(
            Stage("track", name, inputs, animated, save_track, load_track), self.journal
        )

    def _warn(self, face: FaceTrack, wide: float) -> None:
        """Tell what a photo makes slow or hides; its head is `wide` pixels wide."""
        if wide > _LARGE:
            text = f"The head is {wide:.0f} pixels wide: each frame takes seconds."
            self.emit(Message("warning", f"{text} Half of --size takes a quarter of the time."))
        lips = face.landmarks[0, list(LIPS)]
        if (lips < 0).any() or (lips > (face.width, face.height)).any():
            text = "The photo ends in the mouth: what lies beyond stays unseen."
            self.emit(Message("warning", f"{text} Take one that shows the chin."))

    def edited(self, face: FaceTrack, motion: HeadMotion) -> HeadMotion:
        """A movement, as the user's curves have it where they do."""
        given = self._given()
        return edited_motion(load_expression(given), face, motion) if given else motion

    def motion(self) -> HeadMotion:
        """How the head moves and the eyes blink while the speech lasts."""
        chosen, count, fps = self.settings, self.source.count, self.source.shown.fps
        energy, rate = self._energy(), RATE * chosen.blink
        blink = blinks(count, fps, chosen.seed, rate, phrase_ends(energy, fps))
        head = 0.0 if chosen.mode == "still" else chosen.head
        if head and chosen.motion != "auto":
            return from_track(self._reference(), count, fps, blink, head, chosen.brows)
        style = None if chosen.style < 0 else chosen.style
        how = MotionSettings(chosen.seed, style, head, rate, chosen.brows)
        moved = stitched(energy, fps, how)
        return moved if head else replace(still(count, fps, blink), brow=moved.brow)

    def target(self, track: FaceTrack) -> Expression:
        """What every frame is to show: brows move with the head, where no curves say otherwise."""
        brow = self.source.animation.motion.brow if self.source.animation else None
        if brow is None:
            return super().target(track)
        raised = with_brows(track.curves, brow)
        return super().target(replace(track, expression=raised.values))

    def _energy(self) -> Float:
        if self.job.audio is None:  # curves were given: nobody is heard
            return np.zeros(self.source.count, np.float32)
        return speech_energy(self.source.speech(), self.source.count, self.source.shown.fps)

    def _face(self) -> FaceTrack:
        """One frame: the face of the photo, or of the part of it that is animated."""
        whose, centre = self.job.settings.face, None
        if self.settings.mode == "crop":
            landmarks = self.followed.track(whose).landmarks[0]
            centre = landmarks.mean(0) - self.source.crop_to(landmarks)
            self.followed.forget()

        def found() -> FaceTrack:
            faces = [self.followed.track(whose)] if centre is None else self._everybody()
            return repeat_track(min(faces, key=lambda face: _apart(face, centre)), 1)

        stage = Stage("photo", JobFile.PHOTO, self.inputs.track(), found, save_track, load_track)
        return result_of(stage, self.journal)

    def _everybody(self) -> list[FaceTrack]:
        """All faces of the photo: a crop numbers them otherwise than the whole."""
        faces = [self.followed.track("1")]
        with suppress(InputError):  # there is no further one
            while True:
                faces.append(self.followed.track(str(len(faces) + 1)))
        return faces

    def _lids(self, photo: Image, face: FaceTrack) -> Lids | None:
        lids = Lids(photo, face.landmarks[0])
        if lids.ok:
            return lids
        self.emit(Message("warning", f"The eyes stay open: {lids.reason.rstrip('.')}."))
        return None

    def _reference(self) -> FaceTrack:
        """The track whose movement is followed: given, or of the video that is named."""
        name = self.settings.motion
        if is_track(name):
            return load_track(Path(name))
        job = Job(Path(name), self.job.output, settings=DubSettings())
        source = Source(job)

        def followed() -> FaceTrack:
            track = Followed(source, self.model, self.emit, self.cancelled).track(job.settings.face)
            below = SwayPictures(track, self.folder)
            beside = HairPictures(track, self.model, self.folder)
            frames = beside.watching(below.watching(self._watched(source)))
            refined = refine_poses(track, self.model, frames, self.folder)
            return replace(refined, sway=below.sway(refined), hair=beside.hair(refined))

        tracked = StageInputs(source, self.folder, None, self.adapt_settings).track()
        inputs, file = {**tracked, "poses": _POSES}, JobFile.REFERENCE
        stage = Stage("reference", file, inputs, followed, save_track, load_track)
        return result_of(stage, self.journal)

    def _watched(self, source: Source) -> Iterator[Image]:
        """All frames of the movement once more."""
        on_progress = progress("motion", source.count, self.emit, self.cancelled)
        for number, frame in enumerate(source.read(0, source.count)):
            on_progress(number + 1)
            yield frame


def _check_style(style: int) -> None:
    count = motion_library().clips
    if style >= count:
        raise InputError(f"There is no style {style}.", f"Styles go from 0 (calm) to {count - 1}.")


def is_track(name: str) -> bool:
    """Whether a movement is named by a track, and not by a video."""
    return Path(name).suffix.lower() == ".safetensors"


def _apart(face: FaceTrack, centre: Float | None) -> float:
    """Pixels from a face to where it is expected; 0 where that is anywhere."""
    if centre is None:
        return 0.0
    return float(np.linalg.norm(face.landmarks[0].mean(0) - centre))
