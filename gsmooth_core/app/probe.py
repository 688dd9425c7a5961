"""What GSmooth sees in a file, for a person and for a program: what `gsmooth probe` does."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core.media.encoding.losses import chroma_of
from gsmooth_core.media.joining.carry import data_streams
from gsmooth_core.media.reading.description import (
    Description,
    Picture,
    Stream,
    check_readable,
    describe,
)
from gsmooth_core.media.reading.probe import Source, probe_source
from gsmooth_core.media.reading.sequences import pack, sequence_of
from gsmooth_core.media.reading.still import is_still
from gsmooth_core.media.reading.timing import DEFAULT_FPS
from gsmooth_core.text import counted
from gsmooth_core.types import Clip

_NAMES = {"hevc": "HEVC", "h264": "H.264", "av1": "AV1", "vp9": "VP9", "prores": "ProRes"}


def look(path: Path, fps: Fraction | None = None) -> dict[str, Any]:
    """Describe a video, a sound, a picture or a sequence of images.

    Args:
        path: a file, a pattern or a folder of images.
        fps: images a second; with it a file means all images that are named alike.

    Returns:
        JSON values; `text` says the same in sentences. `video` is None for a sound.

    Raises:
        InputError: there are no such images, or there are gaps.
        MediaError: missing, empty, damaged, or nothing that can be read.
    """
    images = sequence_of(path, numbered=fps is not None)
    if images is None:
        return _look(path)
    rate = fps or DEFAULT_FPS
    with tempfile.TemporaryDirectory(prefix="gsmooth-") as folder:
        target = Path(folder) / f"sequence_{images.first}.mov"
        # The first ones show how all are stored; a shot's images may be too many to copy for that.
        pack(replace(images, count=min(images.count, 2)), target, rate, shown_as_video=False)
        found = _look(target)
    length = {"frames": images.count, "seconds": round(float(images.count / rate), 3)}
    found |= {"file": str(path), "container": "images", "video": found["video"] | length}
    return found | {"text": in_words(found)}


def _look(path: Path) -> dict[str, Any]:
    check_readable(path)
    file = None if is_still(path) else describe(path)
    shows = file is None or file.video is not None
    source = probe_source(path) if shows else None
    found: dict[str, Any] = {"file": str(path), "container": _container(file)}
    found["video"] = _video(source, file) if source else None
    for kind in ("audio", "subtitle"):
        streams = [s for s in file.streams if s.kind == kind] if file else []
        found[kind] = [_stream(number, s) for number, s in enumerate(streams, 1)]
    found["chapters"] = file.chapters if file else 0
    found["timecode"] = (file.timecode if file else "") or None
    found["data"] = data_streams(file) if file else 0
    found["attachments"] = sum(s.kind == "attachment" for s in file.streams) if file else 0
    return found | {"text": in_words(found)}


def _container(file: Description | None) -> str:
    return "image" if file is None else file.container


def _video(source: Source, file: Description | None) -> dict[str, Any]:
    clip, picture = source.clip, source.picture
    stream = file.video if file else None
    steady = source.timing is None or source.timing.constant
    return {
        **_size(clip),
        "coding": stream.coding if stream else "",
        "profile": stream.profile if stream else "",
        **_kind(picture),
        "fps": str(clip.fps),
        "frames": clip.frame_count,
        "seconds": round(clip.duration, 3),
        "missing_frames": clip.missing_frames,
        "steady": steady,
        "still": clip.still,
    }


def _size(clip: Clip) -> dict[str, Any]:
    return {"width": clip.width, "height": clip.height, "pixel_shape": str(clip.sample_aspect)}


def _kind(picture: Picture) -> dict[str, Any]:
    names = ("pixel_format", "depth", "alpha", "matrix", "primaries", "transfer")
    more = ("full_range", "interlaced", "hdr", "turned", "mastering", "light_level")
    values = {name: getattr(picture, name) for name in (*names, *more)}
    return values | {"chroma": chroma_of(picture)}


def _stream(number: int, stream: Stream) -> dict[str, Any]:
    names = ("coding", "language", "sample_rate", "channels", "layout", "default")
    values = {name: value for name, value in asdict(stream).items() if name in names}
    return {"track": number, **values}


def in_words(found: dict[str, Any]) -> str:
    """The same as lines for a person."""
    lines = _video_words(found["video"]) if found["video"] else ["No picture."]
    lines += [_sound_words(sound) for sound in found["audio"]] or ["No sound."]
    for subtitle in found["subtitle"]:
        lines.append(f"Subtitle track {subtitle['track']}: {_coded(subtitle)}")
    if found["chapters"]:
        lines.append(f"Chapters: {found['chapters']}")
    if found["timecode"]:
        lines.append(f"Time code of the first frame: {found['timecode']}")
    for kind in ("data", "attachments"):
        if found[kind]:
            lines.append(f"Other streams ({kind}): {found[kind]}")
    return "\n".join(lines)


def _video_words(video: dict[str, Any]) -> list[str]:
    fps = Fraction(video["fps"])
    shape = "" if video["pixel_shape"] == "1" else f", pixels {video['pixel_shape']} wide"
    frames = counted(video["frames"], "frame")
    lasts = f"{frames}, {video['seconds']:.2f} s at {float(fps):.6g} a second"
    length = "a still picture" if video["still"] else lasts
    lines = [f"Picture: {video['width']} x {video['height']}{shape}, {length}"]
    coding = _NAMES.get(video["coding"], video["coding"]) or "image"
    look = [f"{coding} {video['profile']}".strip(), f"{video['depth']} bits a sample"]
    look += ["grey" if video["chroma"] == "400" else f"colour {video['chroma']}"]
    look += [text for text, name in _FLAGS if video[name]]
    lines.append(f"Stored as: {', '.join(look)}")
    if video["transfer"] != "unknown" or video["matrix"] != "unknown":
        tags = [video[name] for name in ("primaries", "transfer", "matrix")]
        lines.append(f"Colour tags: {' / '.join(tags)}")
    if video["light_level"]:
        most, mean = video["light_level"]
        lines.append(f"HDR light level: at most {most} cd/m2, {mean} on average of a picture")
    if not video["steady"]:
        lines.append(f"The frame rate varies; it is read at {float(fps):.6g} a second.")
    if video["missing_frames"]:
        lines.append(
            f"Damaged or cut off: {counted(video['missing_frames'], 'frame')} cannot be read."
        )
    return lines


_FLAGS = (
    ("with transparency", "alpha"),
    ("full range", "full_range"),
    ("HDR", "hdr"),
    ("interlaced", "interlaced"),
    ("turned by a tag", "turned"),
)


def _sound_words(sound: dict[str, Any]) -> str:
    layout = sound["layout"] or f"{sound['channels']} channels"
    return f"Sound track {sound['track']}: {_coded(sound)}, {layout}, {sound['sample_rate']} Hz"


def _coded(stream: dict[str, Any]) -> str:
    language = stream["language"]
    return (stream["coding"] or "unknown") + (
        f" ({language})" if language not in ("", "und") else ""
    )
