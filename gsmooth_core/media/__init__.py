"""Video, sound and images in and out, exact to the frame, through ffmpeg alone."""

from gsmooth_core.media.assemble import assemble
from gsmooth_core.media.audio import has_audio, read_audio, require_speech
from gsmooth_core.media.decode import read_frames
from gsmooth_core.media.encode import SegmentWriter, container_for, segment_path
from gsmooth_core.media.mux import Sound
from gsmooth_core.media.probe import probe

__all__ = [
    "SegmentWriter",
    "Sound",
    "assemble",
    "container_for",
    "has_audio",
    "probe",
    "read_audio",
    "read_frames",
    "require_speech",
    "segment_path",
]
