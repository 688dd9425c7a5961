"""New faces over pictures as they are stored: every sample beyond the mask stays what it is."""

import av
import numpy as np
import pytest

from gsmooth_core.mafb.crop import window
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.pictures.pixels import Pixels
from gsmooth_core.media.pictures.planes import Layout, Planes
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.taft.lending.masked import mask_frame
from gsmooth_core.taft.segment import FramesMade
from gsmooth_core.taft.several import SeveralFaces
from gsmooth_core.taft.stored import StoredFrames, StoredRun
from gsmooth_core.taft.translated import Translated
from tests.media import made

HEIGHT, WIDTH, COUNT, SIDE = 72, 96, 3, 48
KINDS = {
    "yuv420p": ("a.mkv", "yuv420p", "limited", "bt709"),
    "yuv422p": ("a.mkv", "yuv422p", "limited", "smpte170m"),
    "yuv444p": ("a.mkv", "yuv444p", "limited", "bt2020nc"),
    "mjpeg": ("a.mov", "yuvj420p", "full", "bt470bg"),
}


def small(shape, kind):
    return -(-shape[0] // (2 if "420" in kind else 1)), shape[1] // (1 if "444" in kind else 2)


def video(path, kind, span, matrix, luma, colour):
    """A file whose planes are (COUNT, H, W) `luma` and (COUNT, 2, h, w) `colour`."""
    data = b"".join(y.tobytes() + c.tobytes() for y, c in zip(luma, colour, strict=True))
    coding = ("-c:v", "mjpeg", "-q:v", 2) if "j" in kind else ("-c:v", "ffv1")
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", kind, "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", 25),
        *("-i", "pipe:0", "-vf", f"setparams=range={span}:colorspace={matrix}", *coding, path),
        stdin=data,
    )
    return path


def wild(path, kind, span, matrix):
    """Every code there is, beside every other: most of it are colours that RGB has not."""
    rng = np.random.default_rng(3)
    h, w = small((HEIGHT, WIDTH), kind)
    luma = rng.integers(0, 256, (COUNT, HEIGHT // 4, WIDTH // 4), np.uint8)
    colour = rng.integers(0, 256, (COUNT, 2, h // 4, w // 4), np.uint8)
    planes = luma.repeat(4, 1).repeat(4, 2), colour.repeat(4, 2).repeat(4, 3)
    return video(path, kind, span, matrix, *planes)


def smooth(path, kind, span, matrix):
    """Slopes of colours that RGB has."""
    h, w = small((HEIGHT, WIDTH), kind)
    luma = np.broadcast_to(np.linspace(90, 160, WIDTH), (COUNT, HEIGHT, WIDTH))
    across = np.broadcast_to(np.linspace(110, 140, w), (COUNT, h, w))
    down = np.broadcast_to(np.linspace(150, 118, h)[:, None], (COUNT, h, w))
    planes = np.rint(luma), np.rint(np.stack([across, down], 1))
    return video(path, kind, span, matrix, *(p.astype(np.uint8) for p in planes))


class Mouth:
    """A translator that lays a slope over a square of each frame, and sees the box around it."""

    def __init__(self, x=20, y=12):
        self.under = window(np.array([[1, 0, -x], [0, 1, -y]]), SIDE, (0, 0, WIDTH, HEIGHT))
        self.mask = np.zeros((SIDE, SIDE), bool)
        self.mask[15:33, 13:34] = True
        slope = np.linspace(0.35, 0.65, SIDE, dtype=np.float32)
        self.new = np.stack(np.broadcast_arrays(slope, slope[:, None], 0.5), -1).astype(np.float32)

    def looks_at(self, _index):
        return [self.under.box]

    def laid(self, frame):
        return mask_frame(frame, self.under, self.mask).laid(self.new, 4.0)

    def translate_all(self, frames):
        for _, frame in frames:
            lay = self.laid(frame)
            new, mask = lay.composite(frame)
            yield frame, Translated(new, mask, mask, (), (lay,))


class Kept:
    """Takes pictures as a `SegmentWriter` does."""

    def __init__(self):
        self.pictures = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def write(self, picture):
        self.pictures.append(picture)


def frames_of(source):
    picture = probe_source(source).picture
    return StoredFrames(Pixels(picture), Tone.of(picture))


def written(source, translator):
    """(planes of each frame as they go to the encoder, what the check said)."""
    kept, pictures = Kept(), enumerate(read_planes(probe(source)))
    run = StoredRun(pictures, frames_of(source), translator.looks_at)
    outside = FramesMade(run, translator).write(None, kept, lambda _: None)
    return kept.pictures, outside


def decoded(source):
    """Planes of each frame by an independent reader."""
    with av.open(str(source)) as file:
        for frame in file.decode(video=0):
            rows = [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size) for p in frame.planes]
            yield [row[:, : p.width] for row, p in zip(rows, frame.planes, strict=True)]


@pytest.mark.parametrize("name", KINDS)
def test_no_sample_beyond_the_mask_changes_though_rgb_has_not_its_colour(name, tmp_path):
    file, kind, span, matrix = KINDS[name]
    source = wild(tmp_path / file, kind, span, matrix)
    mouths = [Mouth(), Mouth(44, 20)]
    pictures, outside = written(source, SeveralFaces(mouths))
    assert (len(pictures), outside) == (COUNT, 0)
    masks = [mouth.laid(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).composite for mouth in mouths]
    mask = np.logical_or.reduce([f(np.zeros((HEIGHT, WIDTH, 3), np.uint8))[1] for f in masks])
    for picture, original in zip(pictures, decoded(source), strict=True):
        for plane, old in zip(picture.planes, original, strict=True):
            y, x = HEIGHT // plane.shape[0], WIDTH // plane.shape[1]
            under = mask.reshape(plane.shape[0], y, plane.shape[1], x).any((1, 3))
            np.testing.assert_array_equal(plane[~under], old[~under])
            assert (plane[under] != old[under]).mean() > 0.5


@pytest.mark.parametrize("name", KINDS)
def test_under_the_mask_is_what_the_way_through_rgb_makes(name, tmp_path):
    """Against swscale, there and back, of the whole picture."""
    file, kind, span, matrix = KINDS[name]
    source, mouth = smooth(tmp_path / file, kind, span, matrix), Mouth()
    pictures, outside = written(source, mouth)
    frame = next(read_frames(probe(source)))
    through, mask = mouth.laid(frame).composite(frame)
    wanted = scaled(through, kind, span, matrix, tmp_path / "through.raw")
    assert outside == 0
    for plane in pictures[0].planes:
        y, x = HEIGHT // plane.shape[0], WIDTH // plane.shape[1]
        under = mask.reshape(plane.shape[0], y, plane.shape[1], x).all((1, 3))
        there, wanted = np.split(wanted, [plane.size])
        apart = np.abs(plane[under].astype(int) - there.reshape(plane.shape)[under])
        assert apart.max() <= 1
        assert apart.mean() < 0.6  # swscale rounds full range otherwise


def scaled(rgb, kind, span, matrix, path):
    """Samples of a picture (H, W, 3), plane after plane, as swscale makes them."""
    out, known = "pc" if span == "full" else "tv", {"bt470bg": "bt601", "bt2020nc": "bt2020"}
    how = f"in_range=pc:out_range={out}:out_color_matrix={known.get(matrix, matrix)}"
    exact = "flags=bicubic+accurate_rnd+full_chroma_inp+full_chroma_int"
    made.ffmpeg(
        *(
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-video_size",
            f"{WIDTH}x{HEIGHT}",
            "-i",
            "pipe:0",
        ),
        *("-vf", f"scale={how}:{exact},format={kind}", "-f", "rawvideo", "-pix_fmt", kind, path),
        stdin=rgb.tobytes(),
    )
    return np.fromfile(path, np.uint8)


def test_what_a_translator_sees_is_the_frame_and_only_where_it_looks(tmp_path):
    source, mouth = smooth(tmp_path / "a.mkv", *KINDS["yuv420p"][1:]), Mouth()
    shown = frames_of(source).shown(next(read_planes(probe(source))), mouth.looks_at(0))
    frame = next(read_frames(probe(source)))
    part = mouth.under.part
    assert np.abs(part(shown).astype(int) - part(frame)).max() <= 1
    part(shown)[...] = 0
    assert not shown.any()


def test_a_change_outside_is_told_in_steps_of_a_sample():
    layout = Layout("yuv420p", step=(2, 2))
    old = Planes.read(layout, bytearray(layout.size(8, 8)), 8, 8)
    mask = np.zeros((8, 8), bool)
    mask[2:4, 2:4] = True
    for plane, place, told in ((0, (2, 2), 0), (0, (2, 4), 9), (1, (1, 1), 0), (2, (1, 2), 9)):
        new = old.copy()
        new.planes[plane][place] = 9
        assert new.difference(old, mask) == told


def test_a_colour_that_rgb_has_not_does_not_jump_at_the_rim():
    """What is laid over a frame may leave it as it is: then its own samples come back."""

    class Nothing:
        box = (8, 8, 40, 40)

        def over(self, part):
            return part, np.ones(part.shape[:2], bool)

    layout = Layout("yuv420p", step=(2, 2))
    old = Planes.read(layout, bytearray(layout.size(64, 64)), 64, 64)
    for plane, code in zip(old.planes, (180, 235, 110), strict=True):  # blue of 1.6
        plane[...] = code
    source = Picture(64, 64, "yuv420p", matrix="bt709")
    made_planes = StoredFrames(Pixels(source), Tone()).lay(old, (Nothing(),))[0]
    assert made_planes.difference(old, np.zeros((64, 64), bool)) == 0
    assert Pixels(source).rgb(old, (0, 0, 2, 2))[0, 0, 2] > 1.5
