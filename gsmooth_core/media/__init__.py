"""Video, sound and images in and out, exact to the frame, through ffmpeg alone."""

from gsmooth_core.media.encoding.encode import SegmentWriter, container_for, segment_path
from gsmooth_core.media.joining.assemble import assemble
from gsmooth_core.media.joining.mux import Sound
from gsmooth_core.media.pictures.decode import read_frames
from gsmooth_core.media.reading.probe import probe
from gsmooth_core.media.sound.audio import has_audio, read_audio, require_speech

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
