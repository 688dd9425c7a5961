"""Bad video and sound: a named error in a person's words, or a clean pass; never a traceback."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import GSmoothError, MediaError, NoSpeechError
from gsmooth_core.media import ffmpeg, has_audio, probe, read_audio, read_frames, require_speech
from tests.media.made import (
    ffmpeg as make,
)
from tests.media.made import (
    number_in,
    numbered_frames,
    speechlike,
    write_video,
    write_wav,
)

Maker = Callable[[Path], Path]


def _bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _noise(path: Path) -> Path:
    return _bytes(path, np.random.default_rng(0).bytes(50_000))


def _zeros(path: Path) -> Path:
    return _bytes(path, bytes(50_000))


def _cut_off(path: Path) -> Path:
    """An mp4 whose index, at its end, is missing."""
    return _bytes(path, write_video(path, numbered_frames(50)).read_bytes()[:-1500])


def _sound_only(path: Path) -> Path:
    make("-f", "lavfi", "-t", 1, "-i", "sine", "-c:a", "aac", path)
    return path


def _sound_with_cover(path: Path) -> Path:
    cover = path.with_name("cover.png")
    make("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, cover)
    song = path.with_suffix(".mp3")
    make(
        *("-f", "lavfi", "-t", 1, "-i", "sine", "-i", cover, "-map", 0, "-map", 1),
        *("-c:v", "copy", "-disposition:v", "attached_pic", song),
    )
    return song


def _text(path: Path) -> Path:
    path = path.with_suffix(".txt")
    return _bytes(path, b"This is a letter, not a video.\n" * 200)


def _playlist(path: Path) -> Path:
    secret = write_video(path.with_name("secret.mp4"), numbered_frames(3))
    path = path.with_suffix(".ffconcat")
    return _bytes(path, f"ffconcat version 1.0\nfile {secret.name}\n".encode())


def _stream_list(path: Path) -> Path:
    path = path.with_suffix(".m3u8")
    lines = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    return _bytes(path, lines.encode())


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _long_name(path: Path) -> Path:
    return path.with_name("n" * 300 + ".mp4")


NO_VIDEO: dict[str, tuple[Maker, str]] = {
    "missing": (lambda path: path, "no file"),
    "name too long for any disk": (_long_name, "cannot be opened"),
    "0 bytes": (lambda path: _bytes(path, b""), "empty"),
    "1 byte": (lambda path: _bytes(path, b"x"), "no video"),
    "random bytes": (_noise, "no video"),
    "zeros": (_zeros, "no video"),
    "index cut off": (_cut_off, "incomplete"),
    "sound only": (_sound_only, "no picture"),
    "sound with a cover": (_sound_with_cover, "no picture"),
    "a text": (_text, "no video"),
    "a list of other files": (_playlist, "no video"),
    "a stream list": (_stream_list, "no video"),
    "a folder": (_folder, "is a folder"),
}


@pytest.mark.parametrize("kind", NO_VIDEO)
def test_what_is_no_video(tmp_path, kind):
    maker, words = NO_VIDEO[kind]
    path = maker(tmp_path / "input 'x'.mp4")
    with pytest.raises(MediaError, match=words) as caught:
        probe(path)
    assert path.name in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["missing", "0 bytes", "random bytes", "a text", "a folder"])
def test_what_is_no_sound(tmp_path, kind):
    path = NO_VIDEO[kind][0](tmp_path / "input.wav")
    for reader in (read_audio, has_audio):
        with pytest.raises(MediaError):
            reader(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_no_permission(tmp_path):
    path = write_video(tmp_path / "v.mp4", numbered_frames(2))
    path.chmod(0)
    with pytest.raises(MediaError, match="permission"):
        probe(path)


def test_no_permission_has_its_words(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", numbered_frames(2))

    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(MediaError, match="permission"):
        probe(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_video_with_its_index_gives_what_is_left(tmp_path, share):
    frames = np.random.default_rng(0).integers(0, 255, (40, 64, 96, 3), np.uint8)
    frames[:, :32] = numbered_frames(40)[:, :32]
    whole = write_video(tmp_path / "w.mp4", frames, 25, "-movflags", "+faststart", "-g", 8)
    data = whole.read_bytes()
    half = _bytes(tmp_path / "half.mp4", data[: int(share * len(data))])
    clip = probe(half)
    assert 0 < clip.frame_count < 40
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(clip.frame_count))


def test_damage_in_the_middle_is_survived_or_named(tmp_path):
    data = bytearray(write_video(tmp_path / "w.ts", numbered_frames(60), 25, "-g", 12).read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    clip = probe(_bytes(tmp_path / "d.ts", bytes(data)))
    try:
        assert len(list(read_frames(clip))) == clip.frame_count
    except MediaError as error:
        assert "breaks off" in error.message


def test_a_stream_that_begins_between_key_frames(tmp_path):
    whole = write_video(tmp_path / "w.ts", numbered_frames(60), 25, "-g", 20, "-bf", 0)
    data = whole.read_bytes()
    tail = _bytes(tmp_path / "tail.ts", data[len(data) // 2 // 188 * 188 :])
    clip = probe(tail)
    numbers = [number_in(frame) for frame in read_frames(clip)]
    assert len(numbers) == clip.frame_count
    assert numbers[-10:] == list(range(50, 60))


def test_a_file_that_is_replaced_during_the_run(tmp_path):
    path = write_video(tmp_path / "v.mp4", numbered_frames(20))
    clip = probe(path)
    write_video(path, numbered_frames(30, 128, 96))
    with pytest.raises(MediaError, match="replaced"):
        next(read_frames(clip))


def test_a_file_that_goes_away_during_the_run(tmp_path):
    path = write_video(tmp_path / "v.mp4", numbered_frames(20))
    clip = probe(path)
    path.unlink()
    with pytest.raises(MediaError, match="no file"):
        next(read_frames(clip))


@pytest.mark.parametrize(("start", "count"), [(-1, 2), (0, 21), (20, 1), (5, -1)])
def test_frames_outside_of_the_clip(tmp_path, start, count):
    clip = probe(write_video(tmp_path / "v.mp4", numbered_frames(20)))
    with pytest.raises(MediaError, match="20"):
        next(read_frames(clip, start, count))


def test_a_codec_that_is_missing(tmp_path):
    path = write_video(tmp_path / "v.mp4", numbered_frames(5))
    data = path.read_bytes().replace(b"avc1", b"xyz1").replace(b"avcC", b"xyzC")
    with pytest.raises(MediaError, match=r"cannot be decoded"):
        probe(_bytes(path, data))


def test_ffmpeg_is_missing(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", numbered_frames(2))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "no ffmpeg"))
    ffmpeg.executable.cache_clear()
    try:
        with pytest.raises(MediaError, match="ffmpeg") as caught:
            probe(path)
        assert "imageio-ffmpeg" in caught.value.hint
    finally:
        monkeypatch.undo()
        ffmpeg.executable.cache_clear()


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_ffmpeg_hangs(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.mp4", numbered_frames(20))
    clip = probe(path)
    hung = tmp_path / "hung"
    hung.write_text("#!/bin/sh\nexec sleep 60\n")
    hung.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "executable", lambda: str(hung))
    monkeypatch.setattr(ffmpeg, "STALL_SECONDS", 0.5)
    with pytest.raises(MediaError, match="hung"):
        next(read_frames(clip))
    with pytest.raises(MediaError, match="did not finish"):
        ffmpeg.run(ffmpeg.command("-version"), timeout=0.3)


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_ffmpeg_is_not_late_because_the_computer_slept(tmp_path, monkeypatch):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nsleep 1\necho done\n")
    slow.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "_TICK", 0.05)
    real, begin = time.monotonic, time.monotonic()

    def asleep() -> float:  # an hour, half a second after the beginning
        return real() + 3600 * (real() - begin > 0.5)

    monkeypatch.setattr(ffmpeg.time, "monotonic", asleep)
    with ffmpeg.Pipe([str(slow)], write=False) as pipe:
        assert b"".join(pipe.parts()) == b"done\n"
        assert not pipe.stalled
    assert asleep() > begin + 3600
    assert ffmpeg.run([str(slow)], timeout=30.0)[1] == "done\n"


def test_a_reader_that_is_left_ends_its_ffmpeg(tmp_path):
    clip = probe(write_video(tmp_path / "v.mp4", numbered_frames(200)))
    frames = read_frames(clip)
    next(frames)
    frames.close()
    assert not _children_named("ffmpeg")


def _children_named(name: str) -> list[str]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    numbers = path.read_text().split() if path.exists() else []
    names = (Path(f"/proc/{number}/comm") for number in numbers)
    return [text for file in names if file.exists() and name in (text := file.read_text())]


SOUNDS: dict[str, tuple[np.ndarray, str]] = {
    "silence": (np.zeros(16000), "silent"),
    "faint noise": (np.random.default_rng(0).normal(0, 1e-4, 16000), "silent"),
    "constant": (np.full(16000, 1e-5), "silent"),
    "0.05 s": (speechlike(0.05), r"0\.05 seconds"),
    "one sample": (np.array([0.5]), "seconds long"),
    "all NaN": (np.full(16000, np.nan), "silent"),
}


@pytest.mark.parametrize("kind", SOUNDS)
def test_nothing_to_say(tmp_path, kind):
    samples, words = SOUNDS[kind]
    path = write_wav(tmp_path / "s.wav", samples, 16000, "pcm_f32le")
    with pytest.raises(NoSpeechError, match=words) as caught:
        require_speech(read_audio(path), f"'{path.name}'")
    assert "s.wav" in caught.value.message
    assert caught.value.hint


def test_video_without_sound_as_speech(tmp_path):
    path = write_video(tmp_path / "mute.mp4", numbered_frames(3))
    with pytest.raises(NoSpeechError, match="has no sound"):
        read_audio(path)


def test_clipped_sound_passes(tmp_path):
    loud = np.clip(30 * speechlike(1.0), -1, 1)
    path = write_wav(tmp_path / "clipped.wav", loud, 16000)
    assert np.abs(require_speech(read_audio(path))).max() <= 1


def test_damaged_sound(tmp_path):
    wav = write_wav(tmp_path / "s.wav", speechlike(2.0, 44100), 44100)
    mp3 = tmp_path / "s.mp3"
    make("-i", wav, mp3)
    data = bytearray(mp3.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    audio = read_audio(_bytes(tmp_path / "broken.mp3", bytes(data)))
    assert len(audio) > 8000
    assert np.isfinite(audio).all()


@pytest.mark.parametrize("limit", [200, 3000])
def test_every_beginning_of_a_video_is_an_error_or_a_clip(tmp_path, limit):
    """Whatever is cut off: words, or a clip that can be read to its end."""
    data = write_video(tmp_path / "w.mkv", numbered_frames(10), 25, tone=0.4).read_bytes()
    for size in range(1, min(limit, len(data)), max(1, limit // 12)):
        path = _bytes(tmp_path / f"{size}.mkv", data[:size])
        try:
            clip = probe(path)
            assert len(list(read_frames(clip))) == clip.frame_count
        except GSmoothError as error:
            assert error.message


def test_no_face_leaves_no_file(tmp_path, capfd):
    from gsmooth_core.app import cli

    path = tmp_path / "empty room.mp4"
    make("-f", "lavfi", "-i", "color=gray:s=320x240:d=0.2", path)
    output = tmp_path / "t.safetensors"
    assert cli.main(["track", "--video", str(path), "--output", str(output)]) == 5
    assert "[no_face]" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == [path]
