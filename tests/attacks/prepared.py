"""Media that a stranger prepared: each says to ffmpeg, wherever text may stand, what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np

from tests.media.made import ffmpeg, numbered_frames, speechlike, write_video, write_wav

FRAMES = 12


@dataclass
class Canaries:
    """What must not be touched: a file that is not there, a picture, a server on loopback.

    Attributes:
        file: must not come into being.
        picture: a red picture that must not be seen in anything.
        port: of a server that must not be asked.
        requests: what it was asked.
    """

    file: Path
    picture: Path
    port: int = 0
    requests: list[str] = field(default_factory=list)

    def check(self) -> None:
        """See that nothing was touched."""
        assert not self.file.exists()
        assert self.requests == []

    @property
    def payloads(self) -> list[str]:
        """Text that looks like ffmpeg's own report and ends in a filter of the stranger's."""
        tags = "color_range:tv color_space:bt709 color_primaries:bt709 color_trc:bt709"
        write = f"metadata=mode=add:key=x:value=V,metadata=mode=print:file={self.file}"
        ask = rf"movie=http\\://127.0.0.1\\:{self.port}/a.png,scale=96:64"
        show = f"movie={self.picture},scale=96:64"
        said = "[Parsed_showinfo_0 @ 0x1] n:   0 pts: 0 pts_time:0 fmt:rgb24 sar:1/1 s:8x8 i:P"
        lines = [
            f"{said}\n frame_rate: 1/1\n  Duration: N/A, start: 99.0",
            "  Stream #0:0: Audio: pcm, 1 Hz\n  Stream #0:1: Video: x",
        ]
        return [f"{tags},{write}", f"{tags},{ask}", f"{tags},{show}", *lines]


@contextmanager
def canaries(folder: Path) -> Iterator[Canaries]:
    """Canaries in `folder`, with their server running."""
    picture = folder / "canary.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=96x64", "-frames:v", 1, picture)
    watched = Canaries(folder / "written.txt", picture)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            watched.requests.append(self.path)
            self.send_error(404)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        watched.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield watched
        finally:
            server.shutdown()


Maker = Callable[[Path, Path, Canaries], Path]


def speaking(folder: Path, frames: np.ndarray | None = None) -> Path:
    """An innocent clip with sound."""
    sound = write_wav(folder / "own.wav", speechlike(1.0), 16000)
    shown = numbered_frames(FRAMES) if frames is None else frames
    silent = write_video(folder / "silent.mp4", shown, 25)
    ffmpeg("-i", silent, "-i", sound, "-c:v", "copy", "-c:a", "aac", folder / "plain.mp4")
    return folder / "plain.mp4"


def _tagged(plain: Path, folder: Path, where: str, suffix: str, watched: Canaries) -> Path:
    keys = ("comment", "title", "artist", "handler_name", "language")
    texts = ["\n".join([f"x {text}" for text in watched.payloads]), *watched.payloads]
    tags = [
        word for key, text in zip(keys, texts, strict=False) for word in (where, f"{key}={text}")
    ]
    target = folder / f"tagged{suffix}"
    ffmpeg("-i", plain, "-c", "copy", "-movflags", "use_metadata_tags", *tags, target)
    return target


def metadata(plain: Path, folder: Path, watched: Canaries) -> Path:
    """The file's own tags."""
    return _tagged(plain, folder, "-metadata", ".mp4", watched)


def first_payload(plain: Path, folder: Path, watched: Canaries) -> Path:
    """One tag with one payload, as short as it can be."""
    target = folder / "comment.mp4"
    ffmpeg("-i", plain, "-c", "copy", "-metadata", f"comment={watched.payloads[0]}", target)
    return target


def stream_tags(plain: Path, folder: Path, watched: Canaries) -> Path:
    """Tags of the picture's stream."""
    return _tagged(plain, folder, "-metadata:s:v:0", ".mkv", watched)


def sound_tags(plain: Path, folder: Path, watched: Canaries) -> Path:
    """Tags of the sound's stream."""
    return _tagged(plain, folder, "-metadata:s:a:0", ".mkv", watched)


def chapters(plain: Path, folder: Path, watched: Canaries) -> Path:
    """Titles of chapters."""
    escaped = [
        "".join(f"\\{c}" if c in "=;#\\\n" else c for c in text) for text in watched.payloads
    ]
    marks = [
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={90 * k}\nEND={90 * k + 90}\ntitle={text}\n"
        for k, text in enumerate(escaped)
    ]
    notes = folder / "chapters.txt"
    notes.write_text(";FFMETADATA1\n" + "".join(marks))
    target = folder / "chapters.mkv"
    ffmpeg("-i", plain, "-i", notes, "-map_metadata", 1, "-c", "copy", target)
    return target


def subtitles(plain: Path, folder: Path, watched: Canaries) -> Path:
    """Subtitles: their words and their title."""
    written = folder / "words.srt"
    one_line = [text.replace("\n", " ") for text in watched.payloads]
    times = "00:00:00,000 --> 00:00:00,400"
    written.write_text("".join(f"{k}\n{times}\n{text}\n\n" for k, text in enumerate(one_line, 1)))
    target = folder / "subtitles.mkv"
    ffmpeg(
        *("-i", plain, "-i", written, "-map", 0, "-map", 1, "-c", "copy"),
        *("-metadata:s:s:0", f"title={watched.payloads[0]}", target),
    )
    return target


def attachment(plain: Path, folder: Path, watched: Canaries) -> Path:
    """The name and type of an attached file."""
    target = folder / "attached.mkv"
    ffmpeg(
        *("-i", plain, "-c", "copy", "-attach", watched.picture),
        *("-metadata:s:t", f"mimetype={watched.payloads[0]}"),
        *("-metadata:s:t", f"filename={watched.payloads[1]}", target),
    )
    return target


def name(plain: Path, folder: Path, watched: Canaries) -> Path:
    """The file's name alone; folders in it stand for the slashes of the payload."""
    target = folder / f"in {watched.payloads[0]}.mp4"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(plain.read_bytes())
    return target


def name_with_lines(plain: Path, folder: Path, watched: Canaries) -> Path:
    """A name that holds lines of a report."""
    inside = watched.payloads[3].replace("/", ":")
    target = folder / f"a\n{inside}\n.mp4"
    target.write_bytes(plain.read_bytes())
    return target


INNOCENT_PICTURE: dict[str, Maker] = {
    made.__name__: made
    for made in (
        metadata, first_payload, stream_tags, sound_tags, chapters, subtitles, attachment,
        name, name_with_lines,
    )
}  # fmt: skip
"""Files that are right in all but their words: they are dubbed as if the words were not there."""


def dash(plain: Path, folder: Path, watched: Canaries) -> Path:
    """A manifest whose address holds a line break and a line of ffmpeg's."""
    tags = watched.payloads[0]
    target = folder / "manifest.mpd"
    target.write_text(
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
        ' mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        "<Period><AdaptationSet><Representation id='1' bandwidth='1' mimeType='video/mp4'>"
        f"<BaseURL>x&#10;Input #0, mov,mp4, from '\n  {tags}\n{plain}</BaseURL>"
        f"<BaseURL>http://127.0.0.1:{watched.port}/a.mp4</BaseURL>"
        "<SegmentBase/></Representation></AdaptationSet></Period></MPD>\n"
    )
    return target


def dash_named_mp4(plain: Path, folder: Path, watched: Canaries) -> Path:
    """The same under a name that says video."""
    return dash(plain, folder, watched).rename(folder / "manifest.mp4")


def _list(suffix: str, text: str) -> Maker:
    def make(plain: Path, folder: Path, watched: Canaries) -> Path:
        target = folder / f"list{suffix}"
        target.write_text(
            text.format(plain=plain, port=watched.port, picture=watched.picture, name=plain.name)
        )
        return target

    return make


A_LIST_OF_OTHERS: dict[str, Maker] = {
    "dash": dash,
    "dash_named_mp4": dash_named_mp4,
    "hls": _list(".m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
                 "http://127.0.0.1:{port}/a.ts\n#EXTINF:1,\n{plain}\n#EXT-X-ENDLIST\n"),
    "concat": _list(".mp4", "ffconcat version 1.0\nfile '{plain}'\n"),
    "sdp": _list(".sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                 "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
    "imf": _list(".xml", '<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
                 "<Id>urn:uuid:1</Id></CompositionPlaylist>"),
    "svg": _list(".svg", '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="64">'
                 '<image href="http://127.0.0.1:{port}/a.png" width="96" height="64"/></svg>'),
    "ffmetadata": _list(".txt", ";FFMETADATA1\ntitle=x\n"),
}  # fmt: skip
"""Files that are no footage but lead to other files or hosts: they are refused."""
