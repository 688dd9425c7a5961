"""Settings of the file that a dub is written to, and of the sound tracks that are heard."""

from typing import Any

from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..storage.job_folder import IN_MKV, IN_MOV

_MOST_TRACKS = 8
_NAMES = {
    "h264": "H.264",
    "hevc": "HEVC",
    "av1": "AV1",
    "vp9": "VP9",
    "prores": "ProRes",
    "dnxhr": "DNxHR",
    "mjpeg": "Motion JPEG",
    "qtrle": "QuickTime Animation",
    "ffv1": "FFV1",
}
_BITS = {
    8: "What most players show",
    10: "For grading, and for HDR",
    12: "For HEVC, AV1, VP9 and FFV1; few players show it",
}

FIXED = {
    "prores": "ProRes has the quality of its profile.",
    "dnxhr": "DNxHR has the quality of its profile.",
    "mjpeg": "Motion JPEG is written at its best quality.",
    "qtrle": "QuickTime Animation is always lossless.",
    "ffv1": "FFV1 is always lossless.",
}
"""Codecs of which no quality can be chosen, and why."""


def _about(codec: str) -> str:
    kind = ".mov" if codec in IN_MOV else ".mkv" if codec in IN_MKV else ".mp4"
    return f"Written as {kind}"


def _track(name: str, text: str) -> Any:
    numbers = (str(number) for number in range(1, _MOST_TRACKS + 1))
    tracks = [
        (number, f"Track {number}", "As players count the tracks of a file") for number in numbers
    ]
    found = ("auto", "With Speech", "The one in which somebody speaks")
    return EnumProperty(name=name, description=text, items=(found, *tracks), default="auto")


class OutputSettings:
    """The part of the settings that says how a dub is coded."""

    codec: EnumProperty(
        name="Codec",
        description="How the dubbed clip is coded",
        items=(
            ("auto", "Like the Clip", "As the clip is, in a file of its kind where that can be"),
            *((codec, name, _about(codec)) for codec, name in _NAMES.items()),
        ),
        default="auto",
    )
    quality: EnumProperty(
        name="Quality",
        description="How much of the picture the codec keeps",
        items=(
            ("auto", "High", "Held near the clip's size: 1.5 times it in H.264, up to 4 in others"),
            ("crf", "Constant", "The same for every clip, however large the file becomes"),
            ("lossless", "Lossless", "Every pixel as it was made; large files"),
        ),
        default="auto",
    )
    crf: IntProperty(
        name="Rate Factor (CRF)",
        description="Less is better, and larger: 14 can hardly be told from the source, 23 is what "
        "encoders take by default",
        default=14,
        min=0,
        max=51,
    )
    depth: EnumProperty(
        name="Bit Depth",
        description="Bits of a sample",
        items=(
            ("auto", "Like the Clip", "As many as the clip has"),
            *((str(bits), f"{bits} Bits", _BITS[bits]) for bits in (8, 10, 12)),
        ),
        default="auto",
    )
    copy_look_of: StringProperty(
        name="Like Another File",
        description="A video whose codec, profile, bits and data rate the dubbed clip gets; empty "
        "for the clip's own",
        subtype="FILE_PATH",
    )
    intra: BoolProperty(
        name="Quick Re-render",
        description="Let every frame of the clip stand alone: Re-render then makes only the frames "
        "whose curves were edited, and leaves all others bit by bit. The file is three to five "
        "times as large",
        default=True,
    )
    audio_track: _track(
        "Track of the Speech", "Which sound track of the speech's file says the new words"
    )
    source_audio_track: _track(
        "Track of the Clip", "Which of the clip's own sound tracks is its speech, to learn from"
    )
