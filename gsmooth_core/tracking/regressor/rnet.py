"""Tracking with the paper's own regressor (R-Net of Deep3DFaceRecon), for users who have it.

Landmarks are followed as usual; every frame is aligned by five of them, cropped to 224 pixels,
and the network reads the coefficients of the Basel Face Model from the crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gsmooth_core.errors import ModelError, NoFaceError
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.models.checkpoints import plausible
from gsmooth_core.tracking.fitting.fit import Limits, fill, ramp, yaw
from gsmooth_core.tracking.fitting.projection import Camera, translation
from gsmooth_core.tracking.fitting.terms import landmark_sizes
from gsmooth_core.tracking.following.follow import FollowSettings, LandmarkTrack
from gsmooth_core.tracking.following.found import FollowedFace
from gsmooth_core.tracking.following.landmarks import cut
from gsmooth_core.tracking.people.people import People, Person, follow_people
from gsmooth_core.tracking.regressor import deep3d
from gsmooth_core.tracking.regressor.resnet import COEFFICIENTS, HEADS, RNet, load_rnet, rnet_source
from gsmooth_core.tracking.track import with_people
from gsmooth_core.types import Bool, Clip, FaceTrack, Float, Image

_SAMPLED_VERTICES = 200


@dataclass(frozen=True)
class Coefficients:
    """The 257 coefficients of T frames, taken apart.

    Attributes:
        identity: (T, 80) alpha.
        expression: (T, 64) beta.
        texture: (T, 80) delta.
        angles: (T, 3) radians about x, y, z.
        light: (T, 27) gamma.
        translation: (T, 3) decimetres.
    """

    identity: Float
    expression: Float
    texture: Float
    angles: Float
    light: Float
    translation: Float

    @classmethod
    def of(cls, values: Float) -> Coefficients:
        """Take (T, 257) apart."""
        parts = np.split(values, np.cumsum(HEADS)[:-1], axis=1)
        identity, expression, texture, angles, light = parts[:5]
        place = np.concatenate(parts[5:], 1)
        return cls(identity, expression, texture, angles, light, place)


class RNetTracker:
    """Tracks faces with an R-Net checkpoint.

    Args:
        checkpoint: the user's file.
        model: the Basel Face Model it belongs to (80 identity, 64 expression components).
        follow: how the face is chosen and followed.
        limits: what makes a frame unusable.
        device: where the network runs.

    Raises:
        ModelError: the checkpoint or the model does not fit.
    """

    def __init__(
        self,
        checkpoint: Path,
        model: MorphableModel,
        follow: FollowSettings | None = None,
        limits: Limits | None = None,
        device: str = "cpu",
    ) -> None:
        sizes = (len(model.identity_basis), len(model.expression_basis))
        if sizes != HEADS[:2]:
            raise ModelError(
                f"R-Net needs a face model with {HEADS[:2]} components, not {sizes}.",
                "Use the Basel Face Model (BFM_model_front.mat).",
            )
        self._model = model
        self._follow = follow or FollowSettings()
        self._limits = limits or Limits()
        self._device = device
        self._source = rnet_source(checkpoint)
        self._network: RNet = load_rnet(checkpoint).to(device)

    def follow(
        self,
        frames: Iterable[Image],
        on_progress: Callable[[int], None] | None = None,
        folder: Path | None = None,
    ) -> People:
        """Follow everybody; the frames are read once and none is kept.

        Args:
            frames: (H, W, 3) RGB each.
            on_progress: called with the number of frames done.
            folder: where what is found lies, see `Spool`.

        Raises:
            ModelError: the network makes values that no face has.
        """
        return follow_people(frames, self._regressed, self._follow, on_progress, folder)

    def fit(self, people: People, person: Person | None, clip: Clip) -> FaceTrack:
        """The track of one of the people that `follow` found in `clip`; alpha is the mean.

        Raises:
            NoFaceError: no frame shows a face.
        """
        landmarks, rows = people.track(person)
        present = landmarks.presence > 0
        if rows is None or not present.any():
            raise NoFaceError(
                "No face was found in any frame of the clip.",
                "Use a clip in which a face is seen from the front.",
            )
        values, matrices = rows[:, :COEFFICIENTS], rows[:, COEFFICIENTS:].reshape(-1, 2, 3)
        track = self._assemble(values, matrices, present, landmarks, clip)
        return with_people(track, people, person)

    def _regressed(self, frame: Image, face: FollowedFace) -> Float:
        """The 257 coefficients of a face, and the 2 x 3 map of the crop that they are of."""
        matrix = deep3d.crop_matrix(deep3d.five_points(face.points))
        coefficients = self.regress(cut(frame, matrix, deep3d.SIDE))
        return np.concatenate([coefficients, matrix.ravel()])

    @torch.inference_mode()
    def regress(self, crop: Image) -> Float:
        """(257,) coefficients of an aligned crop (224, 224, 3).

        Raises:
            ModelError: the network makes values that are no numbers, or absurd.
        """
        image = torch.from_numpy(crop).to(self._device).permute(2, 0, 1)[None].float() / 255
        made = plausible(self._source, self._network(image)[0])
        return np.asarray(made.cpu().numpy(), np.float32)

    def _assemble(
        self,
        values: Float,
        matrices: Float,
        present: Bool,
        landmarks: LandmarkTrack,
        clip: Clip,
    ) -> FaceTrack:
        coefficients = Coefficients.of(values[present])
        identity = coefficients.identity.mean(0)
        scales = matrices[present, 0, 0]
        camera = Camera(float(deep3d.FOCAL * np.median(scales)), clip.width, clip.height)
        turn, shift = deep3d.crop_pose(coefficients.angles, coefficients.translation)
        every = max(len(self._model.mean) // _SAMPLED_VERTICES, 1)
        sample = self._model.template(identity)[::every]
        shapes = np.broadcast_to(sample, (len(turn), *sample.shape))
        pose = deep3d.frame_pose(turn, shift, matrices[present], camera, shapes)
        x = self._over_all_frames(present, np.concatenate([pose, coefficients.expression], 1))
        confidence = np.zeros(len(present), np.float32)
        confidence[present] = (
            ramp(landmarks.presence[present], self._limits.presence)
            * ramp(yaw(pose), self._limits.yaw)
            * ramp(landmark_sizes(landmarks.points)[present], self._limits.size)
        )
        light = deep3d.light(coefficients.light)
        lights = self._over_all_frames(present, light.reshape(len(light), -1)).reshape(-1, 9, 3)
        return FaceTrack(
            width=clip.width,
            height=clip.height,
            fps=clip.fps,
            model=self._model.name,
            focal=camera.focal,
            identity=identity,
            expression_names=self._model.expression_names,
            expression=x[:, 6:],
            rotation=x[:, :3],
            translation=translation(x),
            light=lights,
            confidence=confidence,
            landmarks=landmarks.flat(),
        )

    @staticmethod
    def _over_all_frames(present: Bool, rows: Float) -> Float:
        """Rows of the present frames, with the others between them, (T, P)."""
        full = np.zeros((len(present), rows.shape[1]))
        full[present] = rows
        return fill(full, present).astype(np.float32)
