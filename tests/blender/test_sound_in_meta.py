"""Sound in meta strips: the clip's own is silent under a dub, music goes on; Blender's own mix
is the judge. The clip's own sound is a tone of 1000 Hz, music one of 300 Hz."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.jobs import placing  # noqa: E402
from blender_addon.timeline import own_sound, planning, selection, strips  # noqa: E402
from tests.blender.conftest import shown_frame  # noqa: E402
from tests.blender.hearing import RATE, mix, tone, tones  # noqa: E402
from tests.blender.test_operator_matrix import sequencer  # noqa: E402

OWN, MUSIC = 1000, 300
FIRST, END = 1, 61
FRAME = RATE // 25


@pytest.fixture
def meta(timeline, scene, media, tmp_path):
    """A closed meta strip with a clip, its own sound and music; silent speech beside it."""
    tones(media / "own.wav", (OWN, 2.4))
    tones(tmp_path / "music.wav", (MUSIC, 2.4))
    tones(media / "silence.wav", (0, 2.4))
    movie = timeline.movie(first=11, channel=2)
    own = timeline.sound(first=1, channel=1, file="own.wav", name="own")
    own.sound = own.sound.copy()
    music = timeline.strips.new_sound("music", str(tmp_path / "music.wav"), 3, 1)
    for strip in timeline.strips:
        strip.select = strip in (movie, own, music)
    with sequencer():
        bpy.ops.sequencer.meta_make()
    meta = next(strip for strip in timeline.strips if strip.type == "META")
    timeline.sound(first=1, channel=6, file="silence.wav")
    return meta


@pytest.fixture
def as_own(monkeypatch, media):
    """Sound of the clip's own comes from its file; here it lies beside it."""
    from blender_addon.timeline import pictures

    real = pictures.files
    monkeypatch.setattr(pictures, "files", lambda strip: (*real(strip), str(media / "own.wav")))


def heard(scene, hertz):
    """Frames in which a tone is heard."""
    samples = mix(scene, FIRST, END)
    parts = (samples[i * FRAME : (i + 1) * FRAME] for i in range(END - FIRST))
    return [FIRST + i for i, part in enumerate(parts) if tone(part, hertz) > 2800]


def dub(scene, picture):
    for strip in strips.open_strips(scene):
        strip.select = strip == picture or strip.name == "speech"
    scene.sequence_editor.active_strip = picture
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


ALL = list(range(FIRST, END))


@pytest.mark.slow  # a module's own mixer can crash the process
def test_a_dubbed_meta_strip_keeps_its_music(scene, meta, as_own):
    assert shown_frame(scene, 30) == 19
    before, counter, blend = mix(scene, FIRST, END), shown_frame(scene, 30), meta.blend_type
    assert (heard(scene, OWN), heard(scene, MUSIC)) == (ALL, ALL)
    new = dub(scene, meta)
    assert (heard(scene, OWN), heard(scene, MUSIC)) == ([], ALL)
    assert shown_frame(scene, 30) == counter
    new.mute = True  # nothing of the old picture is left below or above
    assert shown_frame(scene, 30) < 0
    new.mute = False
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert mix(scene, FIRST, END) == before
    assert shown_frame(scene, 30) == counter
    assert not any(strip.mute for strip in strips.all_strips(scene))
    assert meta.blend_type == blend


def placed(scene, media, meta, replace=False):
    """As `dub`, with a file in place of what would be rendered and dubbed."""
    for strip in strips.open_strips(scene):
        strip.select = strip == meta or strip.name == "speech"
    plan = planning.make_plan(scene, selection.select(scene))
    [new] = placing.place(plan, media / "clip.mp4", media, "", replace)
    own_sound.mute(plan, new)
    return new


@pytest.mark.slow  # as above
def test_music_stays_where_the_old_strip_is_replaced(scene, media, meta, as_own):
    placed(scene, media, meta, replace=True)
    assert (heard(scene, OWN), heard(scene, MUSIC)) == ([], ALL)


@pytest.mark.slow  # as above
def test_a_second_dub_looks_and_sounds_like_the_first(scene, media, meta, as_own):
    meta.blend_type = "REPLACE"
    placed(scene, media, meta)
    counter = shown_frame(scene, 30)
    new = placed(scene, media, meta)
    assert (heard(scene, OWN), heard(scene, MUSIC)) == ([], ALL)
    assert (shown_frame(scene, 30), new.blend_type) == (counter, "REPLACE")
    scene.sequence_editor.active_strip = new
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert (heard(scene, OWN), heard(scene, MUSIC)) == (ALL, ALL)


@pytest.mark.slow  # a module's own mixer can crash the process
def test_own_sound_in_a_meta_strip_beside_is_silent_under_the_dub_alone(
    timeline, scene, meta, as_own
):
    """The meta strip's own picture is another one, and stays."""
    movie = timeline.movie(first=11, channel=8, name="take")
    strips.set_handles(movie, 21, 41)
    before, counter = mix(scene, FIRST, END), shown_frame(scene, 15)
    dub(scene, movie)
    assert heard(scene, MUSIC) == ALL
    silent = set(ALL) - set(heard(scene, OWN))
    silent = silent - {41} | {21}  # Blender's mixer is late by a part of a frame
    assert silent == set(range(21, 41))
    assert shown_frame(scene, 15) == counter
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert mix(scene, FIRST, END) == before


# -- a meta strip that is retimed ------------------------------------------------------------
# Blender plays sound in it slower or faster, but in the very scene frames of the sound strip.


@pytest.fixture(params=[60, 150])
def retimed(scene, meta, request):
    """The meta strip at another speed, in percent, and its pitch."""
    for strip in strips.open_strips(scene):
        strip.select = strip == meta
    scene.sequence_editor.active_strip = meta
    with sequencer():
        bpy.ops.sequencer.retiming_segment_speed_set(speed=request.param)
    return meta, (END - FIRST) / (strips.right(meta) - strips.left(meta))


@pytest.mark.slow  # as above
def test_own_sound_in_a_retimed_meta_strip_is_silent_under_the_dub_alone(
    timeline, scene, retimed, as_own
):
    meta, pitch = retimed
    movie = timeline.movie(first=11, channel=8, name="take")
    strips.set_handles(movie, 21, 36)
    all_heard = heard(scene, OWN * pitch)
    assert all_heard == heard(scene, MUSIC * pitch) == ALL[: strips.right(meta) - FIRST]
    before, counter = mix(scene, FIRST, END), shown_frame(scene, 15)
    dub(scene, movie)
    assert heard(scene, MUSIC * pitch) == all_heard
    silent = set(all_heard) - set(heard(scene, OWN * pitch))
    # Blender's mixer is late by a part of a frame, or more where sound is slower.
    assert set(range(23, 36)) <= silent <= set(range(21, 38))
    assert shown_frame(scene, 15) == counter
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert mix(scene, FIRST, END) == before


@pytest.mark.slow  # as above
def test_a_dubbed_retimed_meta_strip_keeps_its_music_alone(scene, media, retimed, as_own):
    meta, pitch = retimed
    before, counter = mix(scene, FIRST, END), shown_frame(scene, 30)
    new = placed(scene, media, meta)
    assert (strips.left(new), strips.right(new)) == (strips.left(meta), strips.right(meta))
    assert heard(scene, OWN * pitch) == []
    assert heard(scene, MUSIC * pitch) == ALL[: strips.right(meta) - FIRST]
    scene.sequence_editor.active_strip = new
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert (mix(scene, FIRST, END), shown_frame(scene, 30)) == (before, counter)
