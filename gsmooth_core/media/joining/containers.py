"""What containers can hold beside a picture, by ffmpeg's names of them and of codings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Holds:
    """What a container takes as it is.

    Attributes:
        sounds: codings of sound.
        subtitles: codings of subtitles.
        text: coding that subtitles of letters become where theirs is none of these; "" for none.
        chapters: whether it has chapters.
        timecode: whether it has a time code.
        attachments: whether it has attached files, fonts for example.
        covers: whether it has a cover picture.
        tags: whether it has a title and the like.
    """

    sounds: frozenset[str]
    subtitles: frozenset[str]
    text: str
    chapters: bool = True
    timecode: bool = True
    attachments: bool = False
    covers: bool = False
    tags: bool = True


TEXT = frozenset({"subrip", "ass", "ssa", "webvtt", "mov_text", "text"})
"""Codings of subtitles that are letters, not pictures."""

_PCM = frozenset(
    f"pcm_{kind}"
    for kind in ("u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f64le")
)
_COMMON = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
_NOTHING = Holds(frozenset(), frozenset(), "", chapters=False, timecode=False, tags=False)

_HOLDS = {
    "mp4": Holds(
        _COMMON | {"opus", "flac", "dts", "mp2"},
        frozenset({"mov_text", "dvd_subtitle"}),
        "mov_text",
        covers=True,
    ),
    "mov": Holds(
        _COMMON | _PCM | {"pcm_f32be", "pcm_s8", "mp2"}, frozenset({"mov_text"}), "mov_text"
    ),
    "matroska": Holds(
        _COMMON | _PCM | {"opus", "flac", "dts", "mp2", "vorbis", "truehd", "wavpack", "tta"},
        frozenset({"subrip", "ass", "ssa", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle"}),
        "subrip",
        attachments=True,
        covers=True,
    ),
    "webm": Holds(frozenset({"opus", "vorbis"}), frozenset({"webvtt"}), "webvtt", timecode=False),
}


def holds(muxer: str) -> Holds:
    """What a container holds beside a picture; image sequences hold nothing.

    Args:
        muxer: ffmpeg's name of it.
    """
    return _HOLDS.get(muxer, _NOTHING)
