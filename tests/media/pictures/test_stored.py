"""Pictures as they are stored: every sample the same there and back, RGB as swscale has it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.media import assemble, probe, read_frames
from gsmooth_core.media.encoding.coding import coding_of
from gsmooth_core.media.encoding.encode import SegmentWriter, kept_by, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.losses import picture_losses
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.pictures.pixels import Pixels, _reduced
from gsmooth_core.media.pictures.planes import Layout, Planes, layout_of
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.media.reading import description
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made

WIDTH, HEIGHT, COUNT = 96, 64, 3


def noisy(path, pixel_format, *options, vf="null"):
    """A smooth colourful picture with a ramp that uses every code of a stretch, COUNT frames."""
    rows = np.linspace(0, 1, HEIGHT)[:, None]
    columns = np.linspace(0, 1, WIDTH)[None]
    rgb = np.stack(
        np.broadcast_arrays(0.2 + 0.5 * columns, 0.25 + 0.4 * rows, 0.6 - 0.3 * columns), -1
    )
    data = np.rint(np.repeat(rgb[None], COUNT, 0) * 65535).astype("<u2")
    alpha = np.broadcast_to(np.rint(columns * 65535), (COUNT, HEIGHT, WIDTH)).astype("<u2")
    data = np.concatenate([data, alpha[..., None]], -1)
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgba64le", "-video_size", f"{WIDTH}x{HEIGHT}"),
        *("-framerate", 25, "-i", "pipe:0", "-vf", vf, "-pix_fmt", pixel_format, *options, path),
        stdin=data.tobytes(),
    )
    return path


FFV1 = ("-c:v", "ffv1")
HEVC = ("-c:v", "libx265", "-crf", 4, "-x265-params", "log-level=none")
PRORES = ("-c:v", "prores_ks", "-vendor", "apl0")
SOURCES = {
    "hevc10": ("a.mov", "yuv420p10le", HEVC),
    "hevc12": ("a.mov", "yuv422p12le", HEVC),
    "prores": ("a.mov", "yuv422p10le", PRORES),
    "prores4444": ("a.mov", "yuva444p10le", PRORES),
    "animation": ("a.mov", "argb", ("-c:v", "qtrle")),
    "ffv1": ("a.mkv", "yuva420p10le", FFV1),
    "ffv1rgb": ("a.mkv", "gbrap16le", FFV1),
    "h264": ("a.mkv", "yuv422p10le", ("-c:v", "libx264", "-crf", 2)),
    "eight": ("a.mkv", "yuv420p", FFV1),
    "mjpeg": ("a.mov", "yuvj422p", ("-c:v", "mjpeg", "-q:v", 1, "-strict", "unofficial")),
    "vp9alpha": ("a.webm", "yuva420p", ("-c:v", "libvpx-vp9", "-crf", 4, "-auto-alt-ref", 0)),
}


def again(source, output, **wish):
    """The source, decoded as it is stored, encoded and joined."""
    clip = probe(source)
    path = segment_path(output.parent, 0, output)
    with SegmentWriter(
        path, clip, output, wish=Wish(preset="ultrafast", **wish), stored=True
    ) as to:
        for planes in read_planes(clip):
            to.write(planes)
    return assemble([path], output, clip, clip.frame_count)


@pytest.mark.parametrize("name", SOURCES)
def test_planes_are_what_an_independent_decoder_gives(name, tmp_path):
    file, pixel_format, options = SOURCES[name]
    source = noisy(tmp_path / file, pixel_format, *options)
    planes = list(read_planes(probe(source)))
    assert len(planes) == COUNT
    if name == "vp9alpha":  # the library's own decoder leaves transparency out
        alpha = planes[0].planes[-1][32, ::8].astype(int)
        assert np.abs(alpha - np.linspace(0, 255, WIDTH)[::8]).max() <= 4
        return
    with av.open(str(source)) as opened:
        for mine, frame in zip(planes, opened.decode(video=0), strict=True):
            if frame.format.name.replace("yuvj", "yuv") != mine.layout.name:
                frame = frame.reformat(format=mine.layout.name)
            for plane, its in zip(mine.planes, frame.planes, strict=True):
                row = np.frombuffer(its, np.uint8).reshape(its.height, its.line_size)
                wanted = row[:, : its.width * mine.layout.dtype.itemsize].copy()
                assert np.array_equal(plane, wanted.view(mine.layout.dtype))


@pytest.mark.parametrize("name", SOURCES)
def test_the_codec_is_the_sources_and_samples_come_back(name, tmp_path):
    file, pixel_format, options = SOURCES[name]
    source = noisy(tmp_path / file, pixel_format, *options)
    output = again(source, tmp_path / ("b" + source.suffix))
    old, new = probe_source(source), probe_source(output)
    assert new.coding == old.coding
    assert (new.picture.depth, new.picture.alpha) == (old.picture.depth, old.picture.alpha)
    told = [loss.what for loss in picture_losses(old.picture, kept_by(output, old))]
    assert told == (["depth"] if name == "prores4444" else [])  # read with 12 bits, written with 10
    full = (1 << min(old.picture.depth, 16)) - 1
    for mine, its in zip(read_planes(probe(source)), read_planes(probe(output)), strict=True):
        for one, other in zip(mine.planes, its.planes, strict=True):
            error = ((one.astype(float) - other.astype(float)) ** 2).mean()
            assert 10 * np.log10(full**2 / max(error, 1e-9)) > 45
        if old.coding in ("ffv1", "qtrle"):
            assert mine.difference(its, np.zeros((HEIGHT, WIDTH), bool)) == 0


@pytest.mark.parametrize(
    ("pixel_format", "tags"),
    [
        ("yuv420p10le", "range=limited:colorspace=bt709"),
        ("yuv422p10le", "range=full:colorspace=smpte170m"),
        ("yuv444p12le", "range=limited:colorspace=bt2020nc"),
        ("gbrp12le", "range=full"),
        ("gray10le", "range=limited"),
    ],
)
def test_rgb_is_what_swscale_makes_of_it(pixel_format, tags, tmp_path):
    matrix = tags.partition("colorspace=")[2] or "bt709"
    span = "pc" if "full" in tags else "tv"
    convert = f"scale=out_color_matrix={matrix}:out_range={span}:flags=accurate_rnd+full_chroma_int"
    vf = (
        "null"
        if pixel_format.startswith("gbr")
        else f"{convert},format={pixel_format},setparams={tags}"
    )
    source = noisy(tmp_path / "a.mkv", pixel_format, *FFV1, vf=vf)
    pixels = Pixels(probe_source(source).picture)
    planes, frame = next(read_planes(probe(source))), next(read_frames(probe(source)))
    mine = pixels.rgb(planes, (0, 0, WIDTH, HEIGHT)) * 255
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(mine[inner] - frame[inner]).max() < 1.6
    part = pixels.rgb(planes, (10, 8, 50, 40)) * 255
    assert np.abs(part - mine[8:40, 10:50]).max() < 1e-3


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p10le", "yuva444p12le", "gbrp10le"])
def test_what_is_written_is_read_and_nothing_else_changes(pixel_format, tmp_path):
    source = noisy(tmp_path / "a.mkv", pixel_format, *FFV1)
    pixels, old = Pixels(probe_source(source).picture), next(read_planes(probe(source)))
    new, box = old.copy(), (8, 8, 48, 40)
    changed = np.zeros((32, 40), bool)
    changed[5:27, 7:33] = True
    pixels.write(new, box, pixels.rgb(old, box) * 0.5 + 0.2, changed)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[8:40, 8:48] = changed
    assert new.difference(old, mask) == 0
    assert new.difference(old, mask & (np.arange(WIDTH) < 20)) > 30  # what lies outside is seen
    assert new.layout.alpha is False or np.array_equal(new.planes[-1], old.planes[-1])
    wanted = (pixels.rgb(old, box) * 0.5 + 0.2)[9:23, 11:29]
    assert np.abs(pixels.rgb(new, box)[9:23, 11:29] - wanted).max() < 0.006
    same = old.copy()
    pixels.write(same, box, pixels.rgb(old, box), np.ones((32, 40), bool))
    assert same.difference(old, np.zeros((HEIGHT, WIDTH), bool)) <= 2


def test_a_ramp_keeps_its_codes(tmp_path):
    """Sixty-four neighbouring codes of ten bits: eight bits would leave sixteen."""
    ramp = np.broadcast_to(np.repeat(np.arange(400, 464), 2), (64, 128)).astype("<u2")
    grey = np.full((2, 64, 64), 512, "<u2")
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "yuv422p10le", "-video_size", "128x64", "-framerate", 25),
        *("-i", "pipe:0", *PRORES, "-profile:v", 3, tmp_path / "a.mov"),
        stdin=ramp.tobytes() + grey.tobytes(),
    )
    output = again(tmp_path / "a.mov", tmp_path / "b.mov")
    with av.open(str(output)) as file:
        frame = next(file.decode(video=0))
        row = np.frombuffer(frame.planes[0], "<u2").reshape(64, -1)[32, :128]
    assert len(np.unique(row)) >= 60
    assert np.abs(row.astype(int) - ramp[0]).max() <= 1


def test_pictures_of_pq_are_toned_and_come_back():
    tone = Tone.of(
        Picture(4, 4, "yuv420p10le", transfer="smpte2084", mastering=(0.0,) * 9 + (1000.0,))
    )
    codes = np.linspace(0.02, 0.75, 500, dtype=np.float32)
    toned = tone.down(codes)
    assert (np.diff(toned) > 0).all()
    assert toned[0] < 0.1
    assert 0.95 < float(tone.down(np.array([0.7518], np.float32))[0]) < 1.05  # 1000 cd/m2
    assert 0.6 < float(tone.down(np.array([0.5807], np.float32))[0]) < 0.85  # paper's white
    assert np.abs(tone.up(toned) - codes).max() < 2e-5
    plain = Tone.of(Picture(4, 4, "yuv420p", transfer="bt709"))
    assert plain.down(codes) is codes
    assert plain.peak is None


HDR = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):"
    "max-cll=1000,400:hdr-opt=1:repeat-headers=1:log-level=none"
)


@pytest.mark.parametrize("codec", ["auto", "h264", "av1"])
def test_hdr_numbers_survive(codec, tmp_path):
    tags = "setparams=range=limited:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
    options = ("-c:v", "libx265", "-x265-params", HDR, "-tag:v", "hvc1")
    source = noisy(tmp_path / "a.mkv", "yuv420p10le", *options, vf=f"format=yuv420p10le,{tags}")
    old = probe_source(source).picture
    assert old.light_level == (1000, 400)
    new = probe_source(again(source, tmp_path / "b.mkv", codec=codec)).picture
    assert new.light_level == old.light_level
    assert np.allclose(new.mastering, old.mastering, rtol=2e-3, atol=1e-4)
    look = (new.transfer, new.primaries, new.matrix, new.full_range, new.pixel_format)
    assert look == ("smpte2084", "bt2020", "bt2020nc", False, "yuv420p10le")


def test_a_codec_that_the_output_cannot_hold_is_refused(tmp_path):
    source = probe_source(noisy(tmp_path / "a.mkv", "yuv420p10le", *FFV1))
    with pytest.raises(InputError, match="ProRes"):
        coding_of(source, "mp4", Wish(codec="prores"))
    assert coding_of(source, "mp4").codec == "hevc"
    assert coding_of(source, "mov", Wish(codec="prores")).kept.depth == 10
    eight = coding_of(source, "mp4", Wish(codec="h264", depth=8))
    assert (eight.pixel_format, eight.kept.depth) == ("yuv420p", 8)


def test_what_pictures_lose_is_told(tmp_path):
    source = probe_source(noisy(tmp_path / "a.mov", "yuva444p10le", *PRORES))
    told = {
        loss.what for loss in picture_losses(source.picture, kept_by(tmp_path / "b.mp4", source))
    }
    assert told == {"alpha"}
    told = {
        loss.what
        for loss in picture_losses(
            source.picture, kept_by(tmp_path / "b.mov", source, Wish(depth=8, codec="h264"))
        )
    }
    assert {"alpha", "depth"} <= told
    assert not picture_losses(source.picture, kept_by(tmp_path / "b", source))


@pytest.mark.parametrize(
    ("name", "depth", "alpha", "expected"),
    [
        ("yuv420p", 8, False, "yuv420p"),
        ("yuvj422p", 8, False, "yuv422p"),
        ("nv12", 8, False, "yuv420p"),
        ("yuv411p", 8, False, None),
        ("gray", 8, False, None),
        ("rgb24", 8, False, None),
        ("p010le", 10, False, "yuv420p10le"),
        ("rgb48be", 16, False, "gbrp16le"),
        ("argb", 8, True, "gbrap"),
        ("gbrpf32le", 32, False, "gbrpf32le"),
        ("x2rgb10le", 10, False, "gbrp10le"),
        ("yuv440p10le", 10, False, "yuv444p16le"),
    ],
)
def test_how_a_picture_travels(name, depth, alpha, expected):
    layout = layout_of(Picture(8, 8, name, depth=depth, alpha=alpha))
    assert (layout.name if layout else None) == expected


def test_a_sample_of_colour_is_under_the_mask_where_a_pixel_of_its_is():
    layout = Layout("yuv420p10le", depth=10, step=(2, 2))
    zero = Planes.read(layout, bytearray(layout.size(5, 7)), 5, 7)
    assert [p.shape for p in zero.planes] == [(5, 7), (3, 4), (3, 4)]
    mask = np.zeros((5, 7), bool)
    mask[4, 3] = True
    wanted = np.zeros((3, 4), bool)
    wanted[2, 1] = True
    assert np.array_equal(zero.under(mask, (3, 4)), wanted)


@pytest.mark.parametrize("step", [(2, 2), (2, 1), (4, 1), (1, 1)])
@pytest.mark.parametrize("size", [(6, 8), (5, 7), (5, 8), (6, 7), (1, 1)])
def test_all_samples_whose_pixels_the_mask_touches_are_under_it(step, size):
    (x, y), (height, width) = step, size
    planes = Planes(Layout("yuv", step=step), ())
    mask = np.random.default_rng(height * width).random(size) > 0.7
    shape = -(-height // y), -(-width // x)
    touched = [
        [
            mask[row * y : row * y + y, column * x : column * x + x].any()
            for column in range(shape[1])
        ]
        for row in range(shape[0])
    ]
    np.testing.assert_array_equal(planes.under(mask, shape), touched)


def test_png_frames_keep_sixteen_bits_and_transparency(tmp_path):
    source = noisy(tmp_path / "a.mov", "yuva444p10le", *PRORES)
    folder = again(source, tmp_path / "frames")
    with av.open(str(folder / "00000.png")) as file:
        frame = next(file.decode(video=0))
        assert frame.format.name == "rgba64be"
        rgba = frame.to_ndarray(format="rgba64le")
    alpha = rgba[32, :, 3] / 65535
    assert np.abs(alpha - np.linspace(0, 1, WIDTH)).max() < 0.01
    assert len(np.unique(rgba[32, :, 0])) > 60
    assert Fraction(1) == probe(source).sample_aspect


def test_numbers_that_no_display_has_are_left_out():
    said = {
        "width": 8, "height": 8, "rotation": 0, "pixel_format": "yuv420p10le", "depth": 10,
        "alpha": False, "alpha_beside": False, "beside": [], "sample_aspect": None,
        "interlaced": False, "range": 1, "matrix": 9, "primaries": 9, "transfer": 16,
        "own": [9, 9, 16],
    }  # fmt: skip
    good = [0.7, 0.3, 0.2, 0.7, 0.1, 0.1, 0.31, 0.33, 0.001, 1000.0]
    for mastering, level, kept in (
        (good, [1000, 400], (10, 2)),
        ([*good[:8], 1000.0, 0.001], [1 << 31, 0], (0, 0)),
        ([-5.0, *good[1:]], [0, 65535], (0, 2)),
        ([*good[:9], 1e30], [0, -1], (0, 0)),
        (None, None, (0, 0)),
    ):
        told = said | {"mastering": mastering, "light_level": level}
        picture = description._picture(Path("a.mov"), told)
        assert (len(picture.mastering), len(picture.light_level)) == kept


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p"])
def test_colour_of_noise_is_read_as_swscale_reads_it(tmp_path, pixel_format):
    """Nothing but the same cubic at the same places comes so near; at edges swscale differs."""
    path, (planes, pixels) = tmp_path / "a.mkv", _noise(tmp_path / "a.mkv", pixel_format)
    inner = np.s_[6 : HEIGHT - 6, 6 : WIDTH - 6]
    shown = next(read_frames(probe(path), 0, 1))[inner]
    found = np.clip(pixels.rgb(planes, (0, 0, WIDTH, HEIGHT))[inner], 0, 1) * 255
    assert np.abs(found - shown).max() < 0.7


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p"])
def test_around_a_box_is_all_that_its_samples_are_made_of(tmp_path, pixel_format):
    """Written back from the box that `around` gives, samples are those from the whole picture."""
    planes, pixels = _noise(tmp_path / "a.mkv", pixel_format)
    rgb = np.random.default_rng(2).random((HEIGHT, WIDTH, 3), np.float32)
    for x0, y0, x1, y1 in ((31, 21, 38, 30), (0, 0, 5, 3), (WIDTH - 3, HEIGHT - 1, WIDTH, HEIGHT)):
        changed = np.zeros((HEIGHT, WIDTH), bool)
        changed[y0:y1, x0:x1] = True
        full, part = planes.copy(), planes.copy()
        pixels.write(full, (0, 0, WIDTH, HEIGHT), rgb, changed)
        box = pixels.around((x0, y0, x1, y1), part)
        inner = np.s_[box[1] : box[3], box[0] : box[2]]
        pixels.write(part, box, rgb[inner], changed[inner])
        for one, other in zip(full.planes, part.planes, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_last_sample_of_an_odd_size_is_no_darker():
    np.testing.assert_allclose(_reduced(np.ones((5, 7), np.float32), (2, 2)), 1, atol=1e-5)


def _noise(path, pixel_format) -> tuple[Planes, Pixels]:
    """A picture of noise, dull enough that RGB has all of its colours."""
    dice, rows = np.random.default_rng(1), HEIGHT // 2 if pixel_format == "yuv420p" else HEIGHT
    luma = np.full(WIDTH * HEIGHT, 126, np.uint8)
    chroma = dice.integers(108, 149, 2 * rows * WIDTH // 2).astype(np.uint8)
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", pixel_format, "-video_size", f"{WIDTH}x{HEIGHT}"),
        *("-framerate", 25, "-i", "pipe:0", "-c:v", "ffv1", path),
        stdin=luma.tobytes() + chroma.tobytes(),
    )
    return next(read_planes(probe(path), 0, 1)), Pixels(probe_source(path).picture)
