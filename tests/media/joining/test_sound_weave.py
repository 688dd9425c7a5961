"""A speech laid into AAC: all packets around it are the source's, and no seam is heard."""

import av
import numpy as np
import pytest

from gsmooth_core.media import Sound, assemble, probe
from gsmooth_core.media.joining import sound_grid, sound_weave
from gsmooth_core.media.joining.carry import Carried
from gsmooth_core.media.joining.parameter_sets import Refused
from gsmooth_core.media.joining.sound_grid import Grid, Seams, grid_of, places, refusal, window_of
from gsmooth_core.media.sound.beds import Bed
from tests.media import made

SECONDS, BEGIN, UNTIL = 10, 4, 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("woven")


def _scene(rate):
    """(S, 2) two tones in soft noise, which swell: what a wrong seam would be heard in."""
    time = np.arange(SECONDS * rate) / rate
    noise = np.random.default_rng(5).normal(0, 0.004, (len(time), 2))
    tones = np.stack([np.sin(2 * np.pi * 331 * time), np.sin(2 * np.pi * 517 * time)], 1)
    return (0.2 * tones * (1.2 + np.sin(time))[:, None] + noise).astype(np.float32)


@pytest.fixture(scope="module", params=["mp4", "late.mkv"])
def film(request, folder):
    """Ten seconds with AAC; Matroska's stamps are rounded, and one's picture begins late."""
    sound = made.write_wav(folder / "scene.wav", _scene(44100), 44100)
    frames = np.zeros((25 * SECONDS, 48, 64, 3), np.uint8)
    plain = made.write_video(folder / "plain.mp4", frames, 25)
    path, late = folder / f"film.{request.param}", 0.08 if "late" in request.param else 0
    # Without noise that decoders make up, each in its own way.
    coded = (
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-b:a",
        "160k",
        "-aac_pns",
        0,
        "-metadata:s:a:0",
        "language=eng",
    )
    made.ffmpeg("-itsoffset", late, "-i", plain, "-i", sound, *coded, path)
    return path


@pytest.fixture(scope="module")
def speech(folder):
    return made.write_wav(folder / "speech.wav", made.speechlike(UNTIL - BEGIN), 16000)


def _dubbed(film, speech, folder, begin=BEGIN, until=UNTIL, told=lambda loss: None):
    clip, segment = probe(film), folder / "segment_00000.mp4"
    made.ffmpeg("-i", film, "-map", "0:v", "-c", "copy", "-an", segment)
    around = tuple((a, b) for a, b in ((0.0, begin), (until, float(SECONDS))) if a < b)
    beds = (Bed(film, 0.0, 0, around),)
    sound = Sound(speech, 0.0, until - begin, begin, 0, beds)
    output = folder / f"out{film.suffix}"
    carried = Carried(film, 0, clip.fps, 0)
    return assemble(
        [segment], output, clip, clip.frame_count, sound, carried, timed=True, on_loss=told
    )


def _packets(path):
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        picture = file.streams.video[0]
        begin = float((picture.start_time or 0) * picture.time_base)
        return [
            (float(p.pts * p.time_base) - begin, bytes(p)) for p in file.demux(stream) if p.size
        ]


def _heard(path):
    with av.open(str(path)) as file:
        return np.concatenate([f.to_ndarray() for f in file.decode(audio=0)], 1)


def _copied(old, new):
    """Time and time of before, of each of the packets that are the source's."""
    known = {data: at for at, data in old}
    return [(at, known[data]) for at, data in new if data in known]


def test_packets_around_the_speech_are_the_source_s_at_their_times(film, speech, tmp_path):
    losses = []
    output = _dubbed(film, speech, tmp_path, told=losses.append)
    old, new = _packets(film), _packets(output)
    same = _copied(old, new)
    assert losses == []
    made_new = [at for at, data in new if data not in {data for _, data in old}]
    assert BEGIN - 3.3 < min(made_new) < BEGIN < UNTIL < max(made_new) < UNTIL + 3.3
    assert len(same) > len(old) - len(made_new) - 8
    assert max(abs(a - b) for a, b in same) < 1.1e-3
    assert np.ptp([a - b for a, b in same]) < 1.1e-3  # none drifts
    with av.open(str(output)) as file:
        assert file.streams.audio[0].metadata["language"] == "eng"


def test_no_seam_is_heard(film, speech, tmp_path):
    """Up to the speech and behind it every sample is as before but for the noise of coding."""
    old, new = _heard(film), _heard(_dubbed(film, speech, tmp_path))
    # Packets before the first picture are left out, so decoders begin with a later one.
    later = [1024 * packets + k for packets in range(7) for k in range(-2, 3)]
    assert min(_error(old, new, samples) for samples in later) < 6e-3


def _error(old, new, shift):
    """Largest difference around the speech where `new` is `shift` samples sooner."""
    moved = np.roll(old, -shift, 1)
    before = slice(8192, round(44100 * (BEGIN - 0.1)))
    behind = slice(round(44100 * (UNTIL + 0.2)), round(44100 * (SECONDS - 0.5)))
    return max(np.abs(moved[:, part] - new[:, part]).max() for part in (before, behind))


@pytest.mark.parametrize(("begin", "until"), [(0, 2), (8, 10)])
def test_at_an_end_of_the_film_there_is_one_seam(film, speech, tmp_path, begin, until):
    old, new = _packets(film), _packets(_dubbed(film, speech, tmp_path, begin, until))
    same = _copied(old, new)
    assert len(same) > 0.4 * len(old)
    assert max(abs(a - b) for a, b in same) < 1.1e-3
    assert all(a > until for a, _ in same) if begin == 0 else all(a < begin for a, _ in same)


def test_where_no_packets_fit_all_is_coded_anew_and_that_is_told(
    film, speech, tmp_path, monkeypatch
):
    monkeypatch.setattr(sound_grid, "_fit", lambda *_windows: False)
    losses = []
    output = _dubbed(film, speech, tmp_path, told=losses.append)
    assert [loss.what for loss in losses] == ["sound"]
    assert len(_copied(_packets(film), _packets(output))) < 8
    assert [path.name for path in tmp_path.iterdir() if "stretch" in path.name] == []


def test_a_seam_that_would_be_heard_is_none(film, speech, tmp_path, monkeypatch):
    """As if our packets stood for those one later: all windows fit, and nothing else does."""
    right = sound_weave._Parts

    def wrong(path, track, ours, at):
        return right(path, track, ours, at + 1)

    monkeypatch.setattr(sound_weave, "_Parts", wrong)
    losses = []
    _dubbed(film, speech, tmp_path, told=losses.append)
    assert [loss.what for loss in losses] == ["sound"]


def test_windows_are_read_as_the_standard_has_them():
    long, start, short = (
        0b001_0000_1_0_00_1_0000,
        0b001_0000_1_0_01_0_0000,
        0b001_0000_1_0_10_0_0000,
    )
    heads = [(word << 16).to_bytes(4, "big") for word in (long, start, short)]
    assert [window_of(head) for head in heads] == [(0, 1), (1, 0), (2, 0)]
    one = (0b000_0000_10101010_0_11_1 << 13).to_bytes(4, "big")
    assert window_of(one) == (3, 1)
    apart, filled = 0b001_0000_0 << 24, 0b110_0000_0 << 24
    assert [window_of(word.to_bytes(4, "big")) for word in (apart, filled)] == [None, None]


L, S, E, P = (0, 1), (1, 0), (2, 0), (3, 1)  # long, the one before short ones, short, behind them


@pytest.mark.parametrize(
    ("theirs", "ours", "fit"),
    [
        ((L, L), (L, L), True),
        (((0, 0), L), (L, L), False),  # another shape
        ((S, E), (L, L), False),  # a short slope meets a long one
        ((S, E), (S, E), True),
        ((E, P), (S, E), True),  # short ones on both sides
        ((L, L), (E, P), False),
        ((L, None), (L, L), True),  # of the copied one behind the seam nothing is asked
        ((None, L), (L, L), False),
    ],
)
def test_slopes_must_be_alike_on_both_sides_of_a_seam(theirs, ours, fit):
    """In a track of long windows two packets of each side differ; the seam lies between them."""
    at, length, cut = 10, 60, 40
    track, coded = [L] * 100, [L] * length
    track[cut - 1 : cut + 1] = theirs
    coded[cut - 1 - at : cut + 1 - at] = ours
    begins, _ = places(Grid(48000, 0, tuple(track), b""), coded, at, Seams(cut, 90))
    assert (begins[:1] == [cut]) == fit
    track, coded = [L] * 100, [L] * length
    track[cut - 1 : cut + 1] = ours
    coded[cut - 1 - at : cut + 1 - at] = theirs
    _, ends = places(Grid(48000, 0, tuple(track), b""), coded, at, Seams(20, cut))
    assert (ends[:1] == [cut]) == fit


def test_what_cannot_stand_beside_ours_is_said_beforehand(film, speech):
    assert refusal(film, 0, "mp4", 44100) == ""
    assert refusal(film, 0, "matroska", 96000) == ""
    assert "AAC" in refusal(film, 0, "webm", 44100)
    assert "AAC" in refusal(speech, 0, "mp4", 44100)


def test_a_gap_is_no_grid(folder, film):
    path = folder / "gap.mkv"
    made.ffmpeg(
        *("-i", film, "-c", "copy", "-bsf:a", "noise=amount=0:drop=between(n\\,100\\,120)"), path
    )
    assert "gap" in refusal(path, 0, "mp4", 44100)
    with pytest.raises(Refused):
        grid_of(path, 0)
