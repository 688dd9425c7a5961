"""What a job takes from its sources: which pictures, how long, and what is heard with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.errors import InputError, MediaError, NoSpeechError
from gsmooth_core.job.frames import FrameReader, OpenFrames
from gsmooth_core.job.job import MOST_SECONDS, Job
from gsmooth_core.job.journal import stamp
from gsmooth_core.job.length import is_plain, pictures_of, read_pictures
from gsmooth_core.job.tracks import own_track, speech_track
from gsmooth_core.media import Sound, probe, read_audio, read_frames, require_speech
from gsmooth_core.media.encoding.pace import paced
from gsmooth_core.media.pictures.decode import see_one_size, see_unchanged
from gsmooth_core.media.reading.description import check_readable, describe
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.media.sound.audio import SHORTEST_SPEECH
from gsmooth_core.media.sound.beds import Bed
from gsmooth_core.storage.arrays import load_expression
from gsmooth_core.text import counted
from gsmooth_core.types import Box, Float, FrameSource, Image, Int

_UNHEARD = 0.1  # seconds of speech after the last picture that are worth a word
_OTHERWISE = "Of one speech, the length 'hold', 'loop', 'ping-pong' or 'stretch' makes all heard."


class Source:
    """What one job reads: its pictures, its speech, and how long and fast they are shown.

    Args:
        job: the job.

    Attributes:
        clip: the source as it is.
        taken: N, pictures of the clip that are used.
        pictures: (T,) which of them each frame shows, see `length`.
        shown: the clip as the output shows it: the job's rate and number of frames.
        count: T, frames to make.

    Raises:
        GSmoothError: the sources cannot be used as the job says.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.clip = replace(probe(job.video), sound_track=own_track(job).index)
        if job.settings.timing == "keep" and not self.clip.still:
            self.clip = paced(self.clip)
        if job.settings.keep_rest and self.clip.still:
            text = f"'{job.video.name}' is one picture: it has no rest that could be kept."
            raise InputError(text, "Leave --keep-rest out.")
        self._audio_stamp = check_readable(job.audio) if job.audio else None
        self._fps = job.fps or self.clip.fps
        self.taken = self._still_count() if self.clip.still else self._clip_count()
        self.pictures = self._pictures()
        self.count = len(self.pictures)
        self.shown = replace(self.clip, fps=self._fps, frame_count=self.count)

    @cached_property
    def filmed(self) -> Source:
        """The same with each picture shown once, as it was filmed."""
        if self.plain:
            return self
        return Source(replace(self.job, settings=replace(self.job.settings, length="trim")))

    @property
    def length(self) -> int:
        """Frames of the output: those of the whole clip where its rest is kept."""
        return self.clip.frame_count if self.job.settings.keep_rest else self.count

    @property
    def first(self) -> int:
        """The clip's frame that is the output's first."""
        return 0 if self.job.settings.keep_rest else self.job.start_frame

    @cached_property
    def plain(self) -> bool:
        """Whether each picture that is used is shown once."""
        return is_plain(self.pictures) and self.count == self.taken

    def frames(self, box: Box | None = None) -> OpenFrames:
        """Pictures by their number (of N); of those of a clip only `box` need be known."""
        return FrameReader(self.clip, self.job.start_frame, box)

    def shows(self, pictures: FrameSource) -> FrameSource:
        """Frames by their number (of T), out of `pictures`."""
        return lambda frame: pictures(int(self.pictures[frame]))

    def read(self, start: int, count: int) -> Iterator[Image]:
        """Decode `count` frames from frame `start` (of T) on."""
        if self.plain:
            return read_frames(self.clip, self.job.start_frame + start, count)
        part = self.pictures[start : start + count]
        return read_pictures(self.clip, self.job.start_frame, part, read_frames)

    def speech(self) -> Float:
        """(S,) 16 kHz: what is heard while the picture is shown.

        Raises:
            NoSpeechError: nothing is heard.
            InputError: the job names no speech.
        """
        job, path = self.job, self._speech_path()
        seconds = float(self.count / self._fps)
        if seconds < SHORTEST_SPEECH:
            text = f"The picture is shown for {seconds:.2f} seconds only: too short for speech."
            raise NoSpeechError(text, "Dub more frames.")
        longest = max(job.audio_start, 0.0) + seconds
        audio = read_audio(path, SAMPLE_RATE, duration=longest, track=speech_track(job).index)
        past = job.audio_start * SAMPLE_RATE >= len(audio) or job.audio_delay >= seconds
        if past or job.audio_duration == 0:
            text = f"Nothing of '{path.name}' is heard while the picture is shown."
            raise NoSpeechError(text, "Check --audio-start, --audio-duration and --audio-delay.")
        part = heard(audio, job.audio_start, job.audio_duration, job.audio_delay, seconds)
        return require_speech(part, self._heard_part(seconds))

    def _heard_part(self, seconds: float) -> str:
        """What an error calls the speech, of which `seconds` of picture show a part."""
        job, name = self.job, f"'{self._speech_path().name}'"
        if not (job.audio_start or job.audio_duration or self.unheard_seconds()):
            return name
        first, length = max(job.audio_start, 0.0), seconds - job.audio_delay
        last = first + min(length, length if job.audio_duration is None else job.audio_duration)
        return f"The part of {name} that is heard ({first:.1f} to {last:.1f} s)"

    def length_in_words(self) -> str | None:
        """What a person should know about the lengths of speech and picture, or None."""
        settings, unheard = self.job.settings, self.unheard_seconds()
        if unheard > _UNHEARD:
            text = f"The speech is longer than the picture: its last {unheard:.1f} s are lost."
            return text if self.clip.still else f"{text} {_OTHERWISE}"
        if settings.keep_source_audio and self.clip.has_audio and not self.plain:
            return "The video's own sound is neither repeated nor stretched with its picture."
        return None

    def unheard_seconds(self) -> float:
        """How much of the speech comes after the last picture, as far as its file tells.

        Raises:
            MediaError: the speech cannot be read.
        """
        job, file = self.job, describe(self._speech_path())
        sound = file.sounds[speech_track(job).index] if file.sounds else None
        stated = (sound.seconds if sound else 0.0) or file.seconds
        left = stated - job.audio_start  # what is before the sound is silence
        used = left if job.audio_duration is None else min(left, job.audio_duration)
        return max(0.0, used + job.audio_delay - float(self.count / self._fps))

    def see_unchanged(self) -> None:
        """See that picture and sound are still the files that the job began with.

        Raises:
            MediaError: one of them was replaced, changed or removed.
        """
        see_unchanged(self.clip)
        if self.job.audio is not None and check_readable(self.job.audio) != self._audio_stamp:
            raise MediaError(
                f"'{self.job.audio.name}' was replaced during the work.", "Start the job again."
            )

    def sound(self) -> Sound | None:
        """The sound of the output: the new speech, or what the source had."""
        if not self.keeps_own_sound:
            job, track = self.job, speech_track(self.job).index
            path = self._speech_path()
            speech = Sound(path, job.audio_start, job.audio_duration, job.audio_delay, track)
            return self.laid(speech)
        if self.clip.has_audio:
            start = float(self.first / self.clip.fps)
            return Sound(self.job.video, start, track=self.clip.sound_track)
        return None

    def laid(self, speech: Sound) -> Sound:
        """A speech of the job's frames where the output has them, with what is heard beside it."""
        job, frame = self.job, self.job.start_frame - self.first
        ends = (frame, frame + self.count, self.length)
        begin, until, end = (float(at / self._fps) for at in ends)
        beds = []
        if self.length != self.count and self.clip.has_audio:
            around = tuple((a, b) for a, b in ((0.0, begin), (until, end)) if a < b)
            beds.append(Bed(job.video, 0.0, self.clip.sound_track, around))
        if job.mix is not None:
            within = None if self.length == self.count else ((begin, until),)
            beds.append(Bed(job.mix, float(self.first / self.clip.fps), 0, within))
        if self.length == self.count:
            return replace(speech, beds=tuple(beds))
        left = max(0.0, until - begin - speech.delay)
        heard = left if speech.duration is None else min(left, speech.duration)
        return replace(speech, delay=begin + speech.delay, duration=heard, beds=tuple(beds))

    @property
    def keeps_own_sound(self) -> bool:
        """Whether the output sounds as the source does."""
        return self.job.audio is None or self.job.settings.keep_source_audio

    @property
    def in_step(self) -> bool:
        """Whether what goes along with the source's time fits the output."""
        once = np.minimum(np.arange(self.count), self.taken - 1)  # the last one may be held
        shown = np.array_equal(self.pictures, once)
        return shown and self._fps == self.clip.fps and not self.clip.still

    def pictures_stamp(self) -> dict[str, Any]:
        """What identifies the pictures, for fingerprints."""
        stamped = stamp(self.job.video)
        start = self.job.start_frame
        return {"video": stamped, "start": start, "count": self.taken, "fps": self._fps}

    def length_stamp(self) -> dict[str, Any]:
        """What identifies which of the pictures are shown when."""
        return (
            {} if self.plain else {"pictures": hashlib.sha256(self.pictures.tobytes()).hexdigest()}
        )

    def speech_stamp(self) -> dict[str, Any]:
        """What identifies the heard speech, for fingerprints."""
        job = self.job
        part = (job.audio_start, job.audio_duration, job.audio_delay, self.count, self._fps)
        said = {"speech": stamp(self._speech_path()), "part": part}
        track = speech_track(job).index
        return said | ({"track": track} if track else {})

    def _speech_path(self) -> Path:
        if self.job.audio is None:
            raise InputError(
                "The job names no speech.", "Give it a file with sound, or expression curves."
            )
        return self.job.audio

    def _clip_count(self) -> int:
        job, clip = self.job, self.clip
        left = clip.frame_count - job.start_frame
        wanted = left if job.frame_count is None else job.frame_count
        if job.frame_count is None and job.settings.keep_rest and left > 0:
            wanted = min(left, self._spoken_count())
        if left < 1 or wanted > left:
            raise InputError(
                f"'{clip.path.name}' has {counted(clip.frame_count, 'frame')}, counted from 0; "
                f"frame {job.start_frame + max(wanted, 1) - 1} was asked for.",
                "Check the start frame and the frame count.",
            )
        see_one_size(probe_source(clip.path), job.start_frame, wanted)
        return wanted

    def _pictures(self) -> Int:
        """Which picture each frame shows; a still has as many as frames are asked for."""
        job, length = self.job, self.job.settings.length
        if self.clip.still or length == "trim" or not (job.audio or job.expression):
            return np.arange(self.taken, dtype=np.int32)
        return pictures_of(length, self.taken, self._in_a_day(self._spoken_count()))

    def _still_count(self) -> int:
        """A still picture is shown as long as the speech or the curves, unless the job says."""
        wanted = self.job.frame_count
        return self._in_a_day(self._spoken_count() if wanted is None else wanted)

    def _in_a_day(self, count: int) -> int:
        most = int(MOST_SECONDS * self._fps)
        if count > most:
            raise InputError(
                f"'{self.clip.path.name}' would be shown for {count} frames, more than a day.",
                f"{most} frames are the most; check the frame count and the curves.",
            )
        return count

    def _spoken_count(self) -> int:
        """Frames for which there is something to say: as long as the curves or the speech."""
        if self.job.expression:
            curves = load_expression(self.job.expression)
            return max(1, round(len(curves) / curves.fps * self._fps))
        spoken = self.job.speech.values() or [self._speech_path()]
        track = 0 if self.job.speech else speech_track(self.job).index
        longest = max(len(read_audio(path, SAMPLE_RATE, track=track)) for path in spoken)
        rest = longest / SAMPLE_RATE
        length = self.job.audio_duration
        left = rest - self.job.audio_start  # what is before the sound is silence
        used = left if length is None else min(left, length)
        return max(1, round((self.job.audio_delay + used) * self._fps))


def heard(
    audio: Float, start: float, duration: float | None, delay: float, seconds: float
) -> Float:
    """The sound as the picture hears it, as long as the picture.

    Args:
        audio: (S,) 16 kHz mono.
        start: second of the sound at which the used part begins; silence before the sound.
        duration: how much of it is used; None for all.
        delay: seconds of the picture before it is heard.
        seconds: length of the picture.

    Returns:
        (round(seconds * 16000),) with silence where nothing is heard; a view of `audio` where it
        is heard all the time.
    """
    count = round(seconds * SAMPLE_RATE)
    first = round(start * SAMPLE_RATE)
    last = len(audio) if duration is None else first + round(duration * SAMPLE_RATE)
    offset = round(delay * SAMPLE_RATE) - min(first, 0)
    part = audio[max(first, 0) : max(last, 0)][: max(count - offset, 0)]
    if len(part) == count and part.dtype == np.float32:
        return part  # no copy: an hour of sound is 230 MB
    result = np.zeros(count, np.float32)
    result[offset : offset + len(part)] = part
    return result
