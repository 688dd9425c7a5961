"""Clips in which a person speaks, beside the one that is dubbed: what they teach of the speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gsmooth_core.a2ep import SpeechModel, style_of
from gsmooth_core.a2ep.manner_choice import Mouths
from gsmooth_core.a2ep.manner_file import Taught
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.checks import teacher
from gsmooth_core.job.events import Cancelled, Message, OnEvent
from gsmooth_core.job.followed import Followed
from gsmooth_core.job.job import Job
from gsmooth_core.job.own_speech import Listened, listen, taught_by
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.types import FaceTrack

MOST = 60.0  # seconds of a clip that are looked at


@dataclass(frozen=True)
class Listeners:
    """Who looks and listens, and how it goes.

    Attributes:
        face_model: that is fitted to the faces.
        a2ep: the model that listens.
        settings: tracker and device.
        on_event: told about progress.
        cancelled: asked after every frame.
    """

    face_model: MorphableModel
    a2ep: SpeechModel
    settings: DubSettings
    on_event: OnEvent
    cancelled: Cancelled

    def hear(self, video: Path) -> Listened:
        """What the largest face of a clip has to teach, within its first minute.

        Raises:
            InputError: it is a photo.
            MediaError: it cannot be read.
            NoFaceError: nobody is seen.
        """
        clip = teacher(video)
        count = min(clip.frame_count, max(1, int(MOST * clip.fps)))
        source = Source(Job(video, video, frame_count=count, settings=self.settings))
        followed = Followed(source, self.face_model, self.on_event, self.cancelled)
        return listen(source, followed.track(DubSettings.face), self.a2ep)

    def teach(self, videos: Sequence[Path], source: Source, track: FaceTrack) -> Taught:
        """What the dubbed clip and others of the same person teach together.

        Args:
            videos: the others.
            source: the clip, or a photo, which teaches nothing itself.
            track: the person's track in it: there the mouth lies where it lies.
        """
        own = [] if source.clip.still else [listen(source, track, self.a2ep)]
        others = [self.hear(video) for video in videos]
        style = style_of(track, self.a2ep) if others else None
        if style:
            others = [clip.settled(style, Mouths.of(self.a2ep)) for clip in others]
        taught = taught_by([*own, *others], self.a2ep)
        return replace(taught, heard=own[0].heard) if own else taught


def told(taught: Taught, on_event: OnEvent) -> None:
    """Say what was learned, and which clips taught nothing."""
    on_event(Message("info", taught.said))
    for why in taught.refused:
        on_event(Message("warning", f"Nothing was learned from {why}"))
