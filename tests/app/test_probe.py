"""`gsmooth probe`: what is seen in a file, in words and as JSON."""

import json
import os

import pytest

from gsmooth_core.app import cli
from gsmooth_core.app.probe import look
from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.media.pictures.images import write_image
from tests.media import made


def test_a_video_is_told_in_words_and_values(tmp_path, capsys):
    options = ("-c:v", "libx265", "-pix_fmt", "yuv422p10le", "-x265-params", "log-level=none")
    tags = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
    frames = made.numbered_frames(6)
    clip = made.write_video(tmp_path / "clip.mov", frames, 25, *options, vf=tags, tone=0.24)
    assert cli.main(["probe", str(clip)]) == 0
    text = capsys.readouterr().out
    for words in ("96 x 64", "6 frames", "HEVC", "10 bits", "colour 422", "HDR", "Sound track 1"):
        assert words in text
    assert cli.main(["probe", str(clip), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    video = said["video"]
    assert (video["depth"], video["chroma"], video["hdr"], video["frames"]) == (10, "422", True, 6)
    assert said["audio"][0]["sample_rate"] == 44100


def test_sounds_and_pictures_are_told_too(tmp_path):
    sound = made.write_wav(tmp_path / "a.wav", made.speechlike(0.5), 16000)
    assert look(sound)["video"] is None
    assert look(sound)["text"].startswith("No picture.")
    write_image(tmp_path / "a.png", made.numbered_frames(1)[0])
    assert look(tmp_path / "a.png")["video"]["still"]
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    with pytest.raises(MediaError):
        look(tmp_path / "junk.mp4")


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "empty"])
def test_what_is_no_file_is_refused_with_words(tmp_path, caplog, kind):
    path = tmp_path / "take.mp4"
    make = {
        "missing": lambda: None,
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),  # nobody writes into it: to open it is to wait
        "empty": path.touch,
    }
    make[kind]()
    error = InputError if kind == "folder" else MediaError
    with pytest.raises(error):
        look(path)
    assert cli.main(["probe", str(path)]) == error.exit_code
    assert "Traceback" not in caplog.text


def test_numbered_images_are_told_as_what_they_are(tmp_path, capsys):
    for number in (8, 9, 10):
        write_image(tmp_path / f"shot_{number}.png", made.numbered_frames(1)[0])
    for asked in ([str(tmp_path)], [str(tmp_path / "shot_9.png"), "--fps", "25"]):
        assert cli.main(["probe", *asked, "--json"]) == 0
        said = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
        video = said["video"]
        assert (said["container"], video["coding"], video["frames"]) == ("images", "png", 3)
        assert (said["file"], video["seconds"]) == (asked[0], 0.12)
        assert "3 frames, 0.12 s" in said["text"]
    assert look(tmp_path / "shot_9.png")["video"]["still"]
    (tmp_path / "shot_9.png").unlink()
    assert cli.main(["probe", str(tmp_path)]) != 0
    assert "missing" in capsys.readouterr().err
