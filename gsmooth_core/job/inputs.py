"""What each stage of a job depends on. A change here makes anew exactly what follows from it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from gsmooth_core import __version__
from gsmooth_core.face.rasterizer import chosen_backend
from gsmooth_core.job.journal import fingerprint, stamp
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.blend import MaskSettings
from gsmooth_core.mafb.occlusion.captions import CaptionSettings
from gsmooth_core.mafb.occlusion.find import OcclusionSettings
from gsmooth_core.models import registry
from gsmooth_core.taft.adaptation.adapt import AdaptSettings
from gsmooth_core.tracking.people.people import SPEAKER

_LEARNING = 4  # another number where clips teach in another way than before
_TRACKING = 5  # likewise of what is seen of a clip
_LETTERS = 3  # likewise of what is taken for letters
_BEFORE = 1  # likewise of what is taken for something that passes before a face
_NOISE = 4  # likewise of what is kept of skin
_REHEARSAL = 10  # likewise of what is kept of frames that were tried
_PICTURES = 12  # likewise of what frames are made of what is known


class StageInputs:
    """The inputs of the stages, as values for `fingerprint`.

    Args:
        source: what the job reads.
        folder: the job's folder.
        occlusion: how occluders are found; None where the job does not look for them.
        adapt: how a clip teaches.
        captioning: how captions are found, likewise.
    """

    def __init__(
        self,
        source: Source,
        folder: Path,
        occlusion: OcclusionSettings | None,
        adapt: AdaptSettings,
        captioning: CaptionSettings | None = None,
    ) -> None:
        self._job, self._source, self._folder = source.job, source, folder
        self._occlusion, self._captioning, self._adapt = occlusion, captioning, adapt

    def track(self) -> dict[str, Any]:
        """Pictures, face model, landmark networks, looks, whose face, and if it is used R-Net."""
        settings = self._job.settings
        weights = {
            "face_model": registry.resolve(settings.face_model),
            "face_landmarker": registry.locate("face_landmarker"),
        }
        if settings.tracker == "rnet":
            weights["rnet"] = registry.locate("rnet")
        if settings.face == SPEAKER:
            weights["sync"] = registry.locate("sync")
        # The default is not named, so that tracks from before there was a choice stay good.
        whose = {} if settings.face == DubSettings.face else {"face": settings.face}
        looks = {"looks": settings.looks} if settings.tracker == "fit" else {}
        stamp = self._source.pictures_stamp()
        version = {"version": __version__, "tracking": _TRACKING}
        return {**version, **stamp, **weights, **whose, **looks}

    @property
    def count(self) -> int:
        """T, frames of the job."""
        return self._source.count

    def predict(self) -> dict[str, Any]:
        """Speech and A2EP."""
        weights = registry.resolve(self._job.settings.a2ep)
        return {"version": __version__, "a2ep": weights, **self._source.speech_stamp()}

    def manner(self) -> dict[str, Any]:
        """What the track depends on, the clip's own sound, and who listens to it."""
        weights = {
            "a2ep": registry.resolve(self._job.settings.a2ep),
            "sync": registry.locate("sync"),
        }
        track = self._source.clip.sound_track
        teachers = [stamp(path) for path in self._job.teach]
        learned = {"teach": teachers, "learning": _LEARNING}
        return {**self.track(), **weights, **learned, **({"sound_track": track} if track else {})}

    def captions(self) -> dict[str, Any]:
        """What the track depends on, and how captions are found."""
        return {**self.track(), "captions": self._captioned()}

    def occluders(self) -> dict[str, Any]:
        """What the track depends on, and how occluders are found."""
        return {**self.captions(), "occluders": self._occluded()}

    def adapt(self) -> dict[str, Any]:
        """What the look depends on, and how long and how the clip teaches."""
        return {**self._look(), **self._taught()}

    def grain(self) -> dict[str, Any]:
        """What the look of a face depends on, and which pictures are shown."""
        return {**self._look(), **self._source.length_stamp(), "noise": _NOISE}

    def sharpness(self) -> dict[str, Any]:
        """What grain depends on, and how the clip teaches the network whose pictures are judged."""
        taught = self._taught() if self._job.settings.adapt else {}
        shutter = self._job.settings.shutter
        return {**self.grain(), **taught, "rehearsal": _REHEARSAL, "shutter": shutter}

    def render(self) -> str:
        """Fingerprint of everything that all pictures depend on, whatever the face says."""
        settings = self._job.settings
        return fingerprint(
            **self._look(),
            **self._source.length_stamp(),
            **(self._taught() if settings.adapt else {}),
            grain=settings.grain,
            sharpness=settings.sharpness,
            shutter=settings.shutter,
            container=self._job.output.suffix.lower(),
            encoder=(settings.crf, settings.preset, settings.intra),
            coding=(settings.codec, settings.quality, settings.depth),
            **({"like": stamp(self._job.copy_look_of)} if self._job.copy_look_of else {}),
            chunk_frames=settings.chunk_frames,
            made=_PICTURES,
        )

    def _look(self) -> dict[str, Any]:
        """What the look of a face depends on, whatever it says."""
        settings = self._job.settings
        return {
            **self.track(),
            "occluders": self._occluded(),
            "captions": self._captioned(),
            "track": self._folder / JobFile.TRACK,
            "taft": "draft" if settings.draft else registry.resolve(settings.taft),
            "look": (settings.mask, settings.crop_size, settings.reference_gap),
            "morphology": asdict(MaskSettings()),  # noise is seen beside masks, too
            "rasterizer": chosen_backend(),
        }

    def _taught(self) -> dict[str, Any]:
        return {"adapt": asdict(self._adapt), "seconds": self._job.settings.adapt}

    def _occluded(self) -> dict[str, Any] | None:
        return {**asdict(self._occlusion), "before": _BEFORE} if self._occlusion else None

    def _captioned(self) -> dict[str, Any] | None:
        if self._captioning is None:
            return None
        return {**asdict(self._captioning), "letters": _LETTERS}
