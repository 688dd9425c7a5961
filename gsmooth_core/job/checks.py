"""What can be refused before any work is done: nothing to say, no place to write to."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from gsmooth_core.errors import InputError
from gsmooth_core.face.rasterizer import chosen_backend
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.media import container_for, probe
from gsmooth_core.media.pictures.images import check_own_folder, image_target, replaces
from gsmooth_core.media.reading.sequences import sequence_of
from gsmooth_core.media.sound.audio import read_audio
from gsmooth_core.storage.files import cannot_write, check_file, make_folder, same_file, shown
from gsmooth_core.types import Clip

TEACH_HINT = "Give clips in which this person alone speaks, seen from the front, for some seconds."
"""Of clips that are to teach how a person speaks."""

_HEARD = 1.0  # seconds of a sound that tell whether it holds any


def check(job: Job) -> None:
    """Refuse a job that cannot end well before any work is done; make the output's folder.

    Raises:
        InputError: no speech and no curves, an output that would overwrite an input, a photo that
            is to teach how one speaks, or a rasteriser that is not here.
        MediaError: the output's place may not be written, or who is to teach is not seen.
        NoSpeechError: there is no sound in what is to be mixed in.
    """
    if job.audio is None and job.expression is None and not job.speech:
        raise InputError("There is nothing to say.", "Give a sound with speech, or curves.")
    if job.speech:
        _check_several(job)
    container_for(job.output)
    chosen_backend()
    _check_kept(job)
    if job.teach or job.speaks_like:
        _check_teachers(job)
    said = (
        job.audio,
        job.expression,
        *job.speech.values(),
        *job.teach,
        job.speaks_like,
        job.mix,
        job.copy_look_of,
    )
    given = [path for path in said if path is not None]
    for path in given:
        check_file(path)
    if job.mix is not None:
        read_audio(job.mix, duration=_HEARD)  # refuses what holds no sound
    _check_apart(job, given)
    for clip in job.teach:
        teacher(clip)
    check_output(job.output)


def _check_apart(job: Job, given: Sequence[Path]) -> None:
    """Nothing that the job reads lies where its output will."""
    images = None
    if job.animate is None:
        images = sequence_of(job.video, numbered=job.fps is not None)
    moves = [Path(job.animate.motion)] if job.animate and job.animate.motion != "auto" else []
    sources = [job.video, *given, *moves]
    lost = any(same_file(source, job.output) for source in sources)
    if not container_for(job.output).video:
        sources += [images.path(place) for place in range(images.count)] if images else []
        lost = lost or any(replaces(job.output, source) for source in sources)
    if lost:
        raise InputError(
            f"The output '{job.output.name}' would overwrite its own source.",
            "Choose another name for the output.",
        )


def _check_several(job: Job) -> None:
    """Speeches of several people leave nothing open that the settings of one speech would say."""
    if job.audio is not None or job.expression is not None:
        raise InputError(
            "The job has speeches of several people, and another one beside.",
            "Give each person's in --speech NUMBER=FILE, and no --audio or --expression.",
        )
    if (job.audio_start, job.audio_duration, job.audio_delay) != (0.0, None, 0.0):
        raise InputError(
            "Speeches of several people begin with the picture.",
            "Leave --audio-start, --audio-duration and --audio-delay out.",
        )
    if job.settings.length != DubSettings.length:
        raise InputError(
            "Several speeches are dubbed at the picture's own length.", "Leave --length out."
        )
    if job.settings.face != DubSettings.face:
        raise InputError(
            "Each of several speeches names its person.", "Leave --face out, or give one --audio."
        )


def _check_kept(job: Job) -> None:
    """What is kept of the source leaves no room for its contrary."""
    if job.mix is not None and job.settings.keep_source_audio:
        raise InputError(
            "The video's own sound is kept, and another one is to be mixed in.",
            "Leave --mix or --keep-source-audio out.",
        )
    if job.copy_look_of is not None and not container_for(job.output).video:
        raise InputError("Images are not coded as a video is.", "Leave --copy-look-of out.")
    if job.settings.keep_rest:
        _check_rest(job)
    if job.settings.timing == "keep":
        _check_timing(job)


def _check_rest(job: Job) -> None:
    """What is kept around the dubbed frames has its own time; that of images is what is said."""
    other = job.fps is not None and sequence_of(job.video, numbered=True) is None
    if job.animate is not None or job.settings.length != DubSettings.length or other:
        raise InputError(
            "The rest of a video is kept at its own time only.",
            "Leave --keep-rest out, or --length and --fps.",
        )


def _check_timing(job: Job) -> None:
    """What has a time for each picture has no place for other times."""
    settings = job.settings
    part = job.start_frame or job.frame_count is not None or settings.keep_rest
    other = settings.length != DubSettings.length or job.fps is not None
    if part or other or job.animate is not None or settings.face == "speaker":
        raise InputError(
            "Each picture keeps its time only where a whole video is dubbed as it is.",
            "Leave --timing out, or the parts, other lengths, rates and '--face speaker'.",
        )
    if not container_for(job.output).video:
        raise InputError("Images have no times to keep.", "Leave --timing out.")


def _check_teachers(job: Job) -> None:
    """Who teaches is one person, and somebody learns."""
    if job.speech or job.settings.face == "speaker":
        raise InputError(
            "A way of speaking is one person's, and several may be dubbed.",
            "Name the person: --face NUMBER, with one --audio.",
        )
    if not job.settings.style:
        raise InputError("There are clips to learn from, and learning is off.", "Leave one out.")
    if job.teach and job.speaks_like:
        raise InputError(
            "The way of speaking is given twice, as clips and as a file.",
            "Give either --teach or --speaks-like.",
        )


def teacher(video: Path) -> Clip:
    """A clip that is to teach how a person speaks.

    Raises:
        InputError: it is a photo.
        MediaError: it cannot be read, or has no picture.
    """
    clip = probe(video)
    if clip.still:
        raise InputError(f"'{video.name}' is a photo: nobody speaks in it.", TEACH_HINT)
    return clip


def check_output(output: Path) -> None:
    """See that `output` can be written, and make its folder.

    Raises:
        InputError: it is a folder where a file is to be.
        MediaError: its place may not be written.
    """
    images = not container_for(output).video
    _check_place(output, image_target(output)[0] if images else output.parent, images=images)


def check_target(path: Path) -> None:
    """See that a file can be put at `path` before any work goes into it, and make its folder.

    Raises:
        InputError: a folder, a pipe or a device is there.
        MediaError: its place may not be written.
    """
    _check_place(path, path.parent, images=False)


def _check_place(output: Path, folder: Path, *, images: bool) -> None:
    make_folder(folder)
    try:
        if output.is_dir() and not images:
            raise InputError(f"The output '{shown(output)}' is a folder.", "Choose a file name.")
        if output.exists() and not (output.is_file() or output.is_dir()):
            raise InputError(f"The output '{shown(output)}' is a device.", "Choose a file name.")
        if images:
            check_own_folder(output)
        with tempfile.TemporaryFile(dir=folder):  # whether anything can be written there
            return
    except (OSError, ValueError) as error:
        raise cannot_write(output, error) from error
