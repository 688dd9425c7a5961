"""What goes in comes out: an independent reader (PyAV) compares streams, tags and packets."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from gsmooth_core.media import Sound, assemble, container_for, probe, read_audio, read_frames
from gsmooth_core.media.encoding.encode import SegmentWriter, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.joining import containers
from gsmooth_core.media.joining.carry import Carried, plan, tags_fit
from gsmooth_core.media.joining.containers import holds
from gsmooth_core.media.joining.timecode import later
from gsmooth_core.media.reading.description import describe
from tests.media import made

COUNT = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("carry")


@pytest.fixture(scope="module")
def film(folder):
    """25 a second, three languages, subtitles, chapters, time code, title: everything in one."""
    video = made.write_video(folder / "plain.mp4", made.numbered_frames(COUNT), 25)
    (folder / "sub.srt").write_text(
        "1\n00:00:00,120 --> 00:00:00,480\nHello\n\n2\n00:00:00,600 --> 00:00:00,720\nThere\n"
    )
    (folder / "meta.txt").write_text(
        ";FFMETADATA1\ntitle=My film\nartist=Me\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=800\ntitle=Two\n"
    )
    sines = [
        word
        for tone in (300, 500, 700)
        for word in ("-f", "lavfi", "-t", "0.8", "-i", f"sine=frequency={tone}:sample_rate=48000")
    ]
    made.ffmpeg(
        *("-i", video, *sines, "-i", folder / "sub.srt", "-i", folder / "meta.txt"),
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:a", "-map", "4:s"),
        *("-map_metadata", "5", "-map_chapters", "5", "-c:v", "copy", "-c:a", "aac"),
        *("-c:s", "mov_text", "-timecode", "01:00:59:20"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"),
        *("-metadata:s:a:2", "language=spa", "-metadata", "creation_time=2024-05-06T07:08:09Z"),
        folder / "film.mov",
    )
    return folder / "film.mov"


def written(film, output, sound=None, carried=None, start=0, count=COUNT, wish=None):
    clip, wish = probe(film), wish or Wish(preset="ultrafast")
    path = segment_path(output.parent, 0, output)
    with SegmentWriter(path, clip, output, wish=wish) as writer:
        for frame in read_frames(clip, start, count):
            writer.write(frame)
    return assemble([path], output, clip, count, sound, carried)


def packets(path, kind, place=0):
    with av.open(str(path)) as file:
        stream = getattr(file.streams, kind)[place]
        return [
            (float(p.pts * p.time_base), bytes(p))
            for p in file.demux(stream)
            if p.size and p.pts >= 0
        ]


@pytest.fixture(scope="module")
def speech(folder):
    return made.write_wav(folder / "speech.wav", made.speechlike(0.8), 16000)


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_everything_beside_the_picture_comes_along(film, speech, tmp_path, suffix):
    output = tmp_path / f"out{suffix}"
    written(film, output, Sound(speech), Carried(film, fps=Fraction(25), replaced=0))
    with av.open(str(output)) as file:
        sounds, tags = file.streams.audio, {k.lower(): v for k, v in file.metadata.items()}
        assert [s.metadata.get("language", "und") for s in sounds] == ["eng", "fra", "spa"]
        assert [bool(s.disposition & av.stream.Disposition.default) for s in sounds] == [
            True, False, False,
        ]  # fmt: skip
        assert [c["metadata"]["title"] for c in file.chapters()] == ["One", "Two"]
        assert (tags["title"], tags["artist"]) == ("My film", "Me")
        if suffix != ".mkv":
            assert tags["creation_time"].startswith("2024-05-06T07:08:09")
    assert describe(output).timecode == "01:00:59:20"
    for place in (1, 2):
        old, new = packets(film, "audio", place), packets(output, "audio", place)
        assert [data for _, data in new] == [data for _, data in old][: len(new)]
        assert len(old) - len(new) <= 1
        assert np.allclose([t for t, _ in new], [t for t, _ in old][: len(new)], atol=1.1e-3)


@pytest.fixture(scope="module", params=[".mp4", ".mkv"])
def covered(film, folder, request):
    """The film with a cover; in Matroska beside another attached file."""
    cover, suffix = folder / "art.png", request.param
    made.ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, cover)
    path = folder / f"covered{suffix}"
    if suffix == ".mkv":
        (folder / "note.txt").write_text("a note")
        more = [word for name in ("note.txt", "art.png") for word in ("-attach", folder / name)]
        kinds = ("-metadata:s:t:0", "mimetype=text/plain", "-metadata:s:t:1", "mimetype=image/png")
        made.ffmpeg("-i", film, "-map", "0:v", "-map", "0:a:0", "-c", "copy", *more, *kinds, path)
    else:
        maps = ("-i", film, "-i", cover, "-map", "0:v", "-map", "0:a:0", "-map", 1)
        made.ffmpeg(*maps, "-c", "copy", "-disposition:v:1", "attached_pic", path)
    return path


def art(path):
    """The bytes of a film's cover."""
    with av.open(str(path)) as file:
        return next(bytes(p) for p in file.demux(file.streams.video[1]) if p.size)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cover_stays_one_and_moves_no_time(covered, tmp_path, suffix):
    """Also where pictures are decoded before they are shown: Matroska has no time for a cover."""
    output, medium = tmp_path / f"out{suffix}", Wish(preset="medium")
    written(covered, output, None, Carried(covered, fps=Fraction(25)), wish=medium)
    with av.open(str(output)) as file:
        picture, cover = file.streams.video
        assert picture.disposition == av.stream.Disposition.default
        assert cover.disposition == av.stream.Disposition.attached_pic
        assert (picture.start_time, file.start_time) == (0, 0)
        attached = [s.metadata["filename"] for s in file.streams if s.type == "attachment"]
        both = (covered.suffix, suffix) == (".mkv", ".mkv")
        assert attached == (["note.txt"] if both else [])
        if suffix == ".mkv":
            assert cover.metadata["mimetype"] == "image/png"
    assert art(output) == art(covered)


@pytest.fixture(scope="module")
def late(film, folder):
    """The film in Matroska, its second track named, with the picture 64 ms behind the file's."""
    named = ("-metadata:s:a:1", "title=Music", "-metadata:s:a:1", "BPS=64000")
    shifted = ("-itsoffset", 0.064, "-i", film, "-i", film)
    maps = ("-map", "0:v", "-map", "1:a:0", "-map", "1:a:1", "-map_chapters", "1")
    made.ffmpeg(*shifted, *maps, "-c", "copy", *named, folder / "late.mkv")
    return folder / "late.mkv"


@pytest.mark.parametrize(
    ("said", "language", "title"),
    [("", "fra", "Music"), ("fra", "fra", "Music"), ("deu", "deu", None)],
)
def test_a_new_sound_is_called_as_the_one_it_replaces(
    late, speech, tmp_path, said, language, title
):
    """But for one whose own file says that it is in another language."""
    spoken = tmp_path / "spoken.mka"
    tagged = ("-metadata:s:a:0", f"language={said}", "-metadata:s:a:0", "title=Its own")
    made.ffmpeg("-i", speech, "-c", "copy", *tagged, spoken)
    carried = Carried(late, fps=Fraction(25), replaced=1)
    written(late, tmp_path / "out.mkv", Sound(spoken), carried)
    with av.open(str(tmp_path / "out.mkv")) as file:
        (kept, new) = (stream.metadata for stream in file.streams.audio)
    assert (kept["language"], new["language"]) == ("eng", language)
    assert new.get("title") == title
    assert "BPS" not in new


@pytest.mark.parametrize(
    ("coding", "suffix", "new"),
    [
        ("pcm_s24le", ".mkv", "pcm_s24le"),
        ("flac", ".mkv", "flac"),
        ("flac", ".mov", "aac"),  # which cannot hold it
        ("alac", ".mov", "alac"),
        ("ac3", ".mkv", "aac"),  # which has lost already
    ],
)
def test_where_a_sound_lost_nothing_the_new_one_does_not(
    film, speech, tmp_path, coding, suffix, new
):
    source, output = tmp_path / "source.mkv", tmp_path / f"out{suffix}"
    made.ffmpeg("-i", film, "-map", "0:v", "-map", "0:a:0", "-c:v", "copy", "-c:a", coding, source)
    written(source, output, Sound(speech), Carried(source, fps=Fraction(25), replaced=0))
    assert describe(output).sounds[0].coding == new


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_each_channel_of_a_surround_gets_what_one_of_a_pair_gets(film, tmp_path, suffix):
    rates = {}
    for channels in (2, 6):
        noise = tmp_path / f"noise{channels}.wav"
        lavfi = "|".join(f"random({n})-.5" for n in range(channels))
        layout = {2: "stereo", 6: "5.1"}[channels]
        made.ffmpeg("-f", "lavfi", "-t", 0.8, "-i", f"aevalsrc={lavfi}:c={layout}:s=48000", noise)
        output = tmp_path / f"out{channels}{suffix}"
        written(film, output, Sound(noise), Carried(film, fps=Fraction(25), replaced=0))
        rates[channels] = sum(len(data) for _, data in packets(output, "audio")) * 8 / 0.8
    assert rates[6] / rates[2] == pytest.approx(3, rel=0.35)


def test_a_file_without_sound_has_no_tags_to_give(film, speech, folder):
    carried = Carried(film, fps=Fraction(25), replaced=0)
    assert tags_fit(carried, speech, 0)
    assert not tags_fit(carried, folder / "plain.mp4", 0)
    assert not tags_fit(carried, speech, 1)


def chapters(path):
    with av.open(str(path)) as file:
        return [float(chapter["start"] * chapter["time_base"]) for chapter in file.chapters()]


def first_shown(path):
    with av.open(str(path)) as file:
        return next(float(frame.time) for frame in file.decode(video=0))


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_chapters_stay_with_their_pictures(late, speech, tmp_path, suffix):
    """An output begins with its first picture; what lies on the file's clock moves with it."""
    begin = first_shown(late)
    assert begin == pytest.approx(0.064, abs=1e-3)
    output, carried = tmp_path / f"out{suffix}", Carried(late, fps=Fraction(25), replaced=0)
    written(late, output, Sound(speech), carried)
    assert first_shown(output) == 0
    assert chapters(output) == pytest.approx([0.0, chapters(late)[1] - begin], abs=1.1e-3)


def subtitles(path):
    with av.open(str(path)) as file:
        found = [
            (round(float(p.pts * p.time_base), 2), round(float(p.duration * p.time_base), 2), p)
            for p in file.demux(file.streams.subtitles[0])
            if p.size
        ]
        return [
            (start, length, word)
            for start, length, packet in found
            for word in ("Hello", "There")
            if word.encode() in bytes(packet)
        ]


@pytest.mark.parametrize("suffix", [".mov", ".mkv", ".webm"])
def test_subtitles_keep_their_times(film, speech, tmp_path, suffix):
    output = written(
        film, tmp_path / f"out{suffix}", Sound(speech), Carried(film, fps=Fraction(25), replaced=0)
    )
    assert subtitles(output) == [(0.12, 0.36, "Hello"), (0.6, 0.12, "There")]


def test_a_part_takes_its_part_of_everything(film, speech, tmp_path):
    output, carried = tmp_path / "out.mov", Carried(film, 8, Fraction(25), 0)
    written(film, output, Sound(speech), carried, start=8, count=10)
    assert subtitles(output) == [(0.0, 0.16, "Hello"), (0.28, 0.12, "There")]
    assert describe(output).timecode == "01:01:00:03"
    with av.open(str(output)) as file:
        chapters = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in file.chapters()
        ]
    # The first ended at .4, the second began there: .08 of the first are left.
    assert np.allclose(np.array(chapters, float), [(0, 0.08), (0.08, 0.4)], atol=2e-3)
    heard = read_audio(output, 48000, track=1)
    truth = read_audio(film, 48000, 0.32, 0.4, track=1)
    assert np.abs(heard[2400:16000] - truth[2400:16000]).max() < 1e-3


def test_own_sound_that_is_kept_is_copied(film, tmp_path):
    output = written(film, tmp_path / "out.mp4", None, Carried(film, fps=Fraction(25)))
    assert len(describe(output).sounds) == 3
    for place in range(3):
        old, new = packets(film, "audio", place), packets(output, "audio", place)
        assert [data for _, data in old][: len(new)] == [data for _, data in new]


def test_what_a_container_cannot_hold_is_told(film):
    carried = Carried(film, fps=Fraction(25), replaced=0)
    webm = plan(carried, container_for(film.with_suffix(".webm")).muxer)
    assert [loss.what for loss in webm.losses] == ["sound", "sound", "timecode"]
    assert [taken.coding for taken in webm.sounds] == ["sound", "sound"]
    images = plan(carried, "image2")
    assert not images.sounds
    assert {loss.what for loss in images.losses} == {"sound", "subtitles", "chapters", "timecode"}
    assert not plan(carried, "mov").losses
    other = plan(Carried(film, fps=Fraction(25), replaced=0, in_step=False), "mov")
    assert {loss.what for loss in other.losses} == {"sound", "subtitles", "chapters"}


def test_a_stream_that_the_container_refuses_is_told_beforehand(film, monkeypatch):
    """As if the list of what containers hold were wrong about subtitles."""
    wrong = replace(holds("webm"), subtitles=frozenset({"mov_text"}))
    monkeypatch.setitem(containers._HOLDS, "webm", wrong)
    planned = plan(Carried(film, fps=Fraction(25), replaced=0), "webm")
    assert planned.others == ()
    assert "subtitles" in [loss.what for loss in planned.losses]
    assert len(planned.sounds) == 2


def test_a_sound_of_another_coding_is_coded_anew_in_step(film, speech, tmp_path):
    output = tmp_path / "out.webm"
    written(film, output, Sound(speech), Carried(film, fps=Fraction(25), replaced=0))
    heard, truth = read_audio(output, 48000, track=2), read_audio(film, 48000, track=2)
    middle = slice(8000, 24000)
    shifts = range(-480, 481, 4)
    errors = [np.abs(np.roll(heard, k)[middle] - truth[middle]).mean() for k in shifts]
    period = 48000 / 700  # of the tone
    late = list(shifts)[int(np.argmin(errors))] % period
    assert min(late, period - late) < 6


@pytest.mark.parametrize(
    ("code", "frames", "fps", "expected"),
    [
        ("01:00:00:00", 0, 25, "01:00:00:00"),
        ("00:59:59:24", 1, 25, "01:00:00:00"),
        ("23:59:59:23", 1, 24, "00:00:00:00"),
        ("00:00:59;29", 1, Fraction(30000, 1001), "00:01:00;02"),
        ("00:09:59;29", 1, Fraction(30000, 1001), "00:10:00;00"),
        ("00:00:00;00", 17982, Fraction(30000, 1001), "00:10:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("00:00:59:29", 1, Fraction(30000, 1001), "00:01:00:00"),
    ],
)
def test_time_codes_count_as_smpte_says(code, frames, fps, expected):
    assert later(code, frames, Fraction(fps)) == expected


def test_speech_is_found_in_its_channel(tmp_path):
    spoken = made.speechlike(1.0, 48000)
    opposite = np.stack([spoken, -spoken], 1)
    heard = read_audio(made.write_wav(tmp_path / "opposite.wav", opposite, 48000), 48000)
    assert np.abs(heard - spoken).max() < 1e-3
    alone = np.stack([spoken, np.zeros_like(spoken)], 1)  # one silent channel is no fault
    half = read_audio(made.write_wav(tmp_path / "alone.wav", alone, 48000), 48000)
    assert np.corrcoef(half, spoken)[0, 1] > 0.999
    noise = np.random.default_rng(0).normal(0, 0.05, (len(spoken), 6)).astype(np.float32)
    noise[:, 2] = spoken
    made.ffmpeg(
        *("-f", "f32le", "-ar", 48000, "-ac", 6, "-channel_layout", "5.1", "-i", "pipe:0"),
        *("-c:a", "pcm_f32le", tmp_path / "round.wav"),
        stdin=noise.astype("<f4").tobytes(),
    )
    centre = read_audio(tmp_path / "round.wav", 48000)
    assert np.abs(centre - spoken).max() < 1e-3
