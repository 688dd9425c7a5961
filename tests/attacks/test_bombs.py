"""Small files that ask for hours and gigabytes get neither, and neither do ffmpeg's own processes.

Each group is read in a process of its own, whose memory, and that of the largest program that it
started, are counted at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.job.job import Job
from gsmooth_core.job.source import Source
from gsmooth_core.media import Sound, assemble, ffmpeg, probe, read_audio, read_frames, segment_path
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.reading.still import read_still
from gsmooth_core.media.sound.gaps import without_long_gaps
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import Expression
from tests.attacks import bombs
from tests.attacks.bombs import MOVING, SOUND, STANDING
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

ROOT = Path(__file__).parents[2]
HOUR = 3600.0
LONGEST = 300.0
"""Seconds for a whole group on a busy machine; each of its files asks for hours."""

READER = """
import json, resource, sys
from pathlib import Path
from gsmooth_core.errors import GSmoothError
from gsmooth_core.media import probe
from gsmooth_core.media import read_audio
from gsmooth_core.media import read_frames

def read(path, kind):
    if kind == "sound":
        return f"{len(read_audio(path))} samples"
    clip = probe(path)
    for _ in read_frames(clip, 0, min(clip.frame_count, 100)):
        pass
    return f"{clip.width}x{clip.height}, {clip.frame_count} frames"

def said(path, kind):
    try:
        return read(Path(path), kind)
    except GSmoothError as error:
        assert error.hint
        return str(error)

ended = {name: said(path, sys.argv[1]) for name, path in json.load(sys.stdin).items()}
# ru_maxrss of a process itself begins with what its parent had, so the memory's own mark is read.
own = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
most = [int(own.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
print(json.dumps([ended, [kilobytes >> 10 for kilobytes in most]]))
"""

TOO_LARGE = "far too large"
UNREADABLE = "no video, picture or sound that can be read"
MOVING_ENDS = {
    "last frame far, mkv": "shows one picture for 2777.8 hours",
    "last frame far, mp4": "shows one picture for 2777.8 hours",
    "last frame far, nut": "shows one picture for 2777.8 hours",
    "a day at 240 frames a second": "96x64, 19320010 frames",  # the last picture lasts 0.04 s
    "h264 that says it is wide": UNREADABLE,
    "900 streams": "96x64, 2 frames",
    "20,000 streams": UNREADABLE,
    "200 million pictures": UNREADABLE,
    "4 billion pictures": UNREADABLE,
    "moov of 8 EB": "is incomplete",
    "free of 4 GB": "is incomplete",
    "free of 16 EB": "is incomplete",
    "nested boxes": UNREADABLE,
    "nested tags": "96x64, 2 frames",
    "gif of 100,000 frames": "1x1, 100000 frames",
    "apng of 100,000 frames": "1x1, 1 frames",
    "gif, wide": UNREADABLE,
}
STANDING_ENDS = {
    "png, wide": "too large (30000 x 30000 pixels)",
    "jpeg, wide": TOO_LARGE,
    "bmp, wide": TOO_LARGE,
    "tiff, wide": TOO_LARGE,
    "webp, wide": TOO_LARGE,
    "jpeg of 20 GB": TOO_LARGE,
    "jpeg gone over 5,000 times": "damaged",
    "png whose data is a bomb": "damaged",
    "png whose profile is a bomb": "8x8, 1 frames",
    "png whose text is a bomb": "8x8, 1 frames",
}
TOO_LONG = "longer than 4 hours"
SOUND_ENDS = {
    "ten hours apart, opus in mkv": TOO_LONG,
    "ten hours apart, flac in mkv": TOO_LONG,
    "ten hours apart, aac in mp4": TOO_LONG,
    "1 Hz": "has 1 samples a second",
    "0 Hz": UNREADABLE,
    "4 GHz": UNREADABLE,
    "999,983 Hz": "has 999983 samples a second",
    "767,957 Hz": "334 samples",
    "4 GB stated": "16000 samples",
    "200 channels": "has 200 channels",
    "30,000 channels": "sound of 'wider.wav'",  # which PyAV 19 counts, and no decoder takes
    "ten silent hours": TOO_LONG,  # the last: a program counts what its parent holds as its own
}
needs_usage = pytest.mark.skipif(sys.platform != "linux", reason="memory is not told there")


def read_all(kind: str, makers: Mapping[str, bombs.Maker], folder: Path) -> dict[str, object]:
    """How each file ended, and the megabytes that were taken, here and by a program."""
    paths = {}
    for number, (name, maker) in enumerate(makers.items()):
        (folder / str(number)).mkdir()
        paths[name] = str(maker(folder / str(number)))
    done = subprocess.run(
        [sys.executable, "-c", READER, kind], input=json.dumps(paths), capture_output=True,
        text=True, cwd=ROOT, timeout=LONGEST, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ended, memory = json.loads(done.stdout)
    return {"ended": ended, "memory": memory}


@needs_usage
@pytest.mark.parametrize(
    ("kind", "makers", "ends", "megabytes"),
    [
        ("moving", MOVING, MOVING_ENDS, [900, 1500]),
        ("standing", STANDING, STANDING_ENDS, [500, 500]),
        # Four hours at 16 kHz are 922 MB, and are held once.
        ("sound", SOUND, SOUND_ENDS, [2000, 500]),
    ],
    ids=["moving", "standing", "sound"],
)
def test_bounded_work(tmp_path, kind, makers, ends, megabytes):
    found = read_all(kind, {name: makers[name] for name in ends}, tmp_path)
    for name, words in ends.items():
        assert words in found["ended"][name], name
    assert all(took < most for took, most in zip(found["memory"], megabytes, strict=True)), found


@needs_usage
@pytest.mark.slow
def test_as_many_pictures_as_an_index_can_hold(tmp_path):
    """A reader has the whole index in memory before it can tell how long that is."""
    makers = {name: MOVING[name] for name in ("4 million pictures", "80 million pictures")}
    found = read_all("moving", makers, tmp_path)
    assert found["ended"]["4 million pictures"] == "1x1, 75001 frames"
    assert "more than 5 million pictures" in found["ended"]["80 million pictures"]
    assert found["memory"][0] < 1000
    assert found["memory"][1] < 5000


@needs_usage
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_in_the_middle_lasts_as_long_as_it_should(tmp_path, channels):
    """The resampler alone takes 3 GB for 50 minutes of it, and loses count."""
    path = bombs.apart("libopus", ".mka", 5 / 6, channels)(tmp_path)
    assert "concat" in without_long_gaps(path)
    near, far = read_audio(tmp_path / "near.mka"), read_audio(path)
    assert len(far) == pytest.approx(3000 * 16000 + len(near), abs=20)
    heard = np.flatnonzero(np.abs(far) > 0.01) / 16000
    assert heard[0] < 0.1
    assert not ((heard > 0.2) & (heard < 3000)).any()
    tail = slice(len(near) // 2, len(near) - 400)
    shifted = far[3000 * 16000 :][: len(near)]
    errors = [np.abs(np.roll(shifted, lag)[tail] - near[tail]).max() for lag in range(-16, 17)]
    assert min(errors) < 0.01  # Matroska's clock counts milliseconds: 16 samples
    found = read_all("sound", {"apart": lambda _: path}, tmp_path)
    assert found["ended"]["apart"] == f"{len(far)} samples"
    assert found["memory"][1] < 500


def test_a_gap_in_the_sound_of_an_output(tmp_path):
    """The second piece is heard 400 s later, where the picture still is."""
    path = bombs.apart("libopus", ".mka", 1 / 9)(tmp_path)
    source = write_video(tmp_path / "v.mp4", numbered_frames(2), 1, "-r", 1)
    clip, output = probe(source), tmp_path / "o.mkv"
    segment = segment_path(tmp_path, 0, output)
    with SegmentWriter(segment, clip, output, wish=Wish(preset="ultrafast")) as writer:
        for number in range(410):
            writer.write(numbered_frames(1, first=number % 250)[0])
    assemble([segment], output, clip, 410, Sound(path, start=-2.0))
    heard = np.flatnonzero(np.abs(read_audio(output)) > 0.02) / 16000
    assert 2.0 < heard[0] < 2.1
    assert not ((heard > 2.2) & (heard < 402)).any()
    assert 402.3 < heard[-1] < 402.6


def test_many_gaps_are_no_sound(tmp_path, monkeypatch):
    monkeypatch.setattr("gsmooth_core.media.sound.gaps._MOST_CUTS", 0)
    with pytest.raises(MediaError, match="its clock is damaged"):
        read_audio(bombs.apart("aac", ".m4a", 1.0)(tmp_path))


def test_pictures_that_grow(tmp_path, monkeypatch):
    """A stream ends at the first picture that is larger than any that is read."""
    parts = [
        write_video(tmp_path / f"{width}.ts", numbered_frames(10, width, width), 25)
        for width in (96, 640)
    ]
    path = tmp_path / "grows.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for module in ("pictures.decode", "reading.packets"):
        limit = ("-max_pixels", str(200 * 200))
        monkeypatch.setattr(f"gsmooth_core.media.{module}.LIMIT", limit)
    clip = probe(path)
    assert [frame.shape for frame in read_frames(clip)] == [(96, 96, 3)] * clip.frame_count
    assert 9 <= clip.frame_count <= 10


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_every_honest_png_is_read(tmp_path, mode, interlace):
    """What keeps bombs out knows how much a picture of each kind is, unpacked."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "p.png"
    noise = np.random.default_rng(0).integers(0, 256, (301, 203), np.uint8)
    made = image.fromarray(noise).convert(mode if mode != "I;16" else "I").convert(mode)
    made.save(path, compress_level=0)
    if interlace:
        bombs.ffmpeg("-i", path, "-pred", "mixed", "-f", "image2", tmp_path / "i.png")
        path = tmp_path / "i.png"
    assert read_still(path).shape == (301, 203, 3)


# -- what is asked for -----------------------------------------------------------------------


def job(folder: Path, **values: object) -> Job:
    frame = write_video(folder / "p.png", numbered_frames(1), 1, "-c:v", "png", "-pix_fmt", "rgb24")
    content = {"kind": "gsmooth-job", "version": 1, "video": str(frame), "output": "o.mp4"}
    return Job.from_json(content | values)


@pytest.mark.parametrize("count", [24 * 3600 * 25 + 1, 10**12, 10**18])
def test_a_photo_shown_for_longer_than_a_day(tmp_path, count):
    with pytest.raises(InputError, match="frame") as caught:
        Source(job(tmp_path, frame_count=count))
    assert "day" in str(caught.value) or "whole number" in str(caught.value)


def test_curves_that_last_longer_than_a_day(tmp_path):
    values = np.zeros((10_000, 1), np.float32)  # ten seconds each: 28 hours
    save_expression(tmp_path / "c.json", Expression(("jawOpen",), values, Fraction(1, 10)))
    with pytest.raises(InputError, match="more than a day"):
        Source(job(tmp_path, expression=str(tmp_path / "c.json")))


@pytest.mark.parametrize("count", [-5, 0, 10**12, 10**18])
@pytest.mark.parametrize("command", ["track", "predict", "dub"])
def test_frames_that_nobody_means(tmp_path, capfd, command, count):
    video = write_video(tmp_path / "v.mp4", numbered_frames(5), 25, tone=0.2)
    target = tmp_path / ("o.mp4" if command == "dub" else "o.safetensors")
    given = {"track": ["--video"], "predict": ["--audio"], "dub": ["--video", "--audio"]}[command]
    words = [command, *(word for option in given for word in (option, str(video)))]
    assert cli.main([*words, "--output", str(target), f"--frame-count={count}"]) == 3
    assert "[bad_input]" in capfd.readouterr().err
    assert not target.exists()


# -- ffmpeg itself ---------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_what_ffmpeg_says_fills_no_memory_and_no_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "none")])
    monkeypatch.setattr("tempfile.tempdir", None)
    said = ["sh", "-c", "yes 'error: x' | head -c 50000000 >&2; echo last >&2; echo out"]
    status, out, errors = ffmpeg.run(said)
    assert (status, out, errors[-5:]) == (0, "out\n", "last\n")
    assert len(errors) <= 1 << 16


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_what_a_script_started_in_ffmpegs_stead_ends_with_it(tmp_path):
    mark = f"{HOUR:.0f}.{os.getpid()}7"
    begin = time.monotonic()
    with pytest.raises(MediaError, match="did not finish"):
        ffmpeg.run(["sh", "-c", f"sleep {mark}; true"], timeout=0.5)
    assert time.monotonic() - begin < LONGEST
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"sleep {mark}" not in listed.stdout.splitlines()


def test_a_sound_at_every_usual_rate(tmp_path):
    for rate in (2000, 8000, 44_100, 192_000):
        path = write_wav(tmp_path / f"{rate}.wav", speechlike(0.5, rate), rate)
        assert len(read_audio(path)) == pytest.approx(8000, abs=40)
