"""Whatever Blender shows can be dubbed, and timeline frame t shows the dub of what was there.

The oracle: the clip's grey level counts its frames. Every frame of the timeline is rendered before
and after with a worker that gives back what it got, so the counters must be the same.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import pictures, strips  # noqa: E402
from tests.blender.conftest import FRAMES, ffmpeg, make_clip, shown_frame  # noqa: E402

V5 = bpy.app.version >= (5, 0)
LOOKED_AT = range(9, 54)


def effect(timeline, kind, channel, first, end, *used):
    words = {"length": end - first} if V5 else {"frame_end": end}
    names = ("input1", "input2") if bpy.app.version >= (4, 5) else ("seq1", "seq2")
    words |= dict(zip(names, used, strict=False))
    return timeline.strips.new_effect(kind.lower(), kind, channel, first, **words)


def sequencer():
    """A context for the sequencer's own operators."""
    strips.show_scene(bpy.context, bpy.context.scene)
    area = bpy.context.window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(area=area, region=region)


def plain(timeline):
    return timeline.movie(first=11)


def trimmed(timeline):
    movie = timeline.movie(first=5)
    strips.set_handles(movie, 11, 31)
    return movie


def extended(timeline):
    movie = timeline.movie(first=15)
    strips.set_handles(movie, 10, 60)
    return movie


def split_left(timeline):
    movie = timeline.movie(first=11)
    movie.split(frame=25, split_method="SOFT")
    return movie


def split_right(timeline):
    return timeline.movie(first=11).split(frame=25, split_method="SOFT")


def reverse(timeline):
    movie = timeline.movie(first=11)
    movie.use_reverse_frames = True
    return movie


def speed(timeline):
    movie = timeline.movie(first=11)
    fast = effect(timeline, "SPEED", 3, 11, 51, movie)
    fast.speed_control, fast.speed_factor = "MULTIPLY", 2.0
    return movie


def speed_selected(timeline):
    movie = speed(timeline)
    return next(strip for strip in timeline.strips if strip.type == "SPEED" and strip != movie)


def crossfade(timeline):
    movie = timeline.movie(first=11)
    other = timeline.movie(first=41, channel=4, name="other")
    effect(timeline, "CROSS", 6, 41, 51, movie, other)
    return movie


def blur(timeline):
    movie = timeline.movie(first=11)
    effect(timeline, "GAUSSIAN_BLUR", 3, 11, 51, movie)
    return movie


def sequence(timeline):
    names = [path.name for path in sorted(timeline.media.glob("still*.png"))]
    strip = timeline.strips.new_image("still", str(timeline.media / names[0]), 2, 11)
    for name in names[1:]:
        strip.elements.append(name)
    strips.set_handles(strip, 11, 11 + FRAMES)
    return strip


def still(timeline):
    return timeline.image(first=11, end=31)


def meta(timeline):
    movie = timeline.movie(first=16)
    music = timeline.sound(first=16, channel=7, name="music")
    for strip in timeline.strips:
        strip.select = strip in (movie, music)
    with sequencer():
        bpy.ops.sequencer.meta_make()
    made = next(strip for strip in timeline.strips if strip.type == "META")
    made.channel = 2
    return made


def scene_strip(timeline):
    scene = bpy.data.scenes.new("inner")
    scene.render.fps = timeline.scene.render.fps
    scene.frame_start, scene.frame_end = 1, FRAMES
    inner = strips.children(scene.sequence_editor_create())
    inner.new_movie("inner", str(timeline.media / "clip.mp4"), 1, 1)
    strip = timeline.strips.new_scene("inner", scene, 2, 11)
    strip.scene_input = "SEQUENCER"
    return strip


def movie_clip(timeline):
    clip = bpy.data.movieclips.load(str(timeline.media / "clip.mp4"))
    return timeline.strips.new_clip("clip", clip, 2, 11)


def retimed(timeline):
    movie = timeline.movie(first=11)
    if bpy.app.version < (5, 2):  # where scripts crash Blender when they add keys
        for strip in timeline.strips:
            strip.select = strip == movie
        timeline.scene.sequence_editor.active_strip = movie
        with sequencer():
            bpy.ops.sequencer.retiming_segment_speed_set(speed=60)
        return movie
    movie.retiming_keys.add(timeline_frame=20)
    movie.retiming_keys[-1].timeline_frame = 80
    return movie


def adjusted(timeline, file):
    words = {"move_strips": False} if V5 else {}
    with sequencer():
        bpy.ops.sequencer.movie_strip_add(
            filepath=str(timeline.media / file),
            sound=False,
            use_framerate=False,
            adjust_playback_rate=True,
            frame_start=11,
            channel=2,
            **words,
        )
    return next(strip for strip in timeline.strips if strip.type == "MOVIE")


def adjusted_50(timeline):
    return adjusted(timeline, "fast.mp4")


def adjusted_ntsc(timeline):
    return adjusted(timeline, "ntsc.mp4")


def unadjusted_50(timeline):
    return timeline.movie(first=11, file="fast.mp4")


def unadjusted_ntsc(timeline):
    return timeline.movie(first=11, file="ntsc.mp4")


def film_adjusted(timeline):
    """25 fps in a scene of 24: frames are shown for longer than they were taken."""
    timeline.scene.render.fps = 24
    return adjusted(timeline, "clip.mp4")


def nearly_alike(timeline):
    """23.976 fps in a scene of 24, where both ways of adding give the same length."""
    timeline.scene.render.fps = 24
    return adjusted(timeline, "film.mp4")


CASES = [
    plain,
    trimmed,
    extended,
    split_left,
    split_right,
    reverse,
    speed,
    speed_selected,
    crossfade,
    blur,
    sequence,
    still,
    meta,
    scene_strip,
    movie_clip,
    retimed,
    adjusted_50,
    adjusted_ntsc,
    unadjusted_50,
    unadjusted_ntsc,
    film_adjusted,
    nearly_alike,
]
READ_DIRECTLY = {plain, trimmed, extended, split_left, split_right, crossfade, blur, still} | {
    unadjusted_50,
    unadjusted_ntsc,
}


@pytest.fixture(scope="module")
def more_media(media):
    make_clip(media / "ntsc.mp4", "30000/1001")
    make_clip(media / "film.mp4", "24000/1001")
    command = [ffmpeg(), "-y", "-loglevel", "error", "-i", str(media / "clip.mp4")]
    numbered = str(media).replace("%", "%%") + "/still%03d.png"
    subprocess.run([*command, numbered], check=True)
    return media


def counters(scene):
    return [shown_frame(scene, at) for at in LOOKED_AT]


def selected(timeline, strip):
    speech = timeline.sound(first=5, channel=8)
    strips.set_handles(speech, 5, 55)
    for other in timeline.strips:
        other.select = other in (strip, speech)
    timeline.scene.sequence_editor.active_strip = strip


@pytest.mark.parametrize("case", CASES)
def test_timeline_shows_the_dub_of_what_was_there(timeline, scene, more_media, case):
    strip = case(timeline)
    whole = pictures.target(scene, strip)
    channel, handles = whole.channel, (strips.left(whole), strips.right(whole))
    selected(timeline, strip)
    before = counters(scene)
    assert len(set(before)) > 10 or case is still
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    new = strips.active_strip(scene)
    assert counters(scene) == before
    assert new.type == "MOVIE"
    assert (strips.left(new), strips.right(new)) == handles
    assert new.channel == channel
    job = job_folder.read(job_folder.resolve(new["gsmooth_job"]))
    assert (Path(job["video"]).suffix == ".avi") == (case not in READ_DIRECTLY)
    # Restored, everything is as it was.
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert counters(scene) == before


def picture(scene, frame):
    shown_frame(scene, frame)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = list(image.pixels)
    bpy.data.images.remove(image)
    return pixels


def test_look_of_a_rendered_strip_is_that_of_its_dub_once(timeline, scene, more_media):
    """Opacity, transform, crop, grading and their curves act on the dub, not twice."""
    strip = reverse(timeline)
    strip.transform.scale_x, strip.transform.offset_x, strip.crop.min_y = 0.5, 9, 6
    strip.use_flip_x, strip.color_multiply = True, 1.5
    strip.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 9
    for frame, value in ((11, 0.2), (51, 1.0)):
        strip.blend_type, strip.blend_alpha = "ALPHA_OVER", value
        strip.keyframe_insert("blend_alpha", frame=frame)
    selected(timeline, strip)
    frames = (11, 30, 50)
    before = [picture(scene, at) for at in frames]
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    for one, other in zip(before, [picture(scene, at) for at in frames], strict=True):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) < 4 / 255
        assert len(set(one)) > 2


def test_same_strip_is_the_same_job_again(timeline, scene, more_media):
    """What was rendered anew has the same name, so a stopped job goes on."""
    strip = reverse(timeline)
    folders = []
    for _ in range(2):
        selected(timeline, strip)
        assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
        folders.append(strips.active_strip(scene)["gsmooth_job"])
        assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert folders[0] == folders[1]
    rendered = job_folder.resolve(folders[0]).parent / "rendered"
    assert all("-" in path.name for path in rendered.iterdir())  # nothing half done is left


@pytest.mark.parametrize("patience", [60.0, 0.0])
def test_the_file_stays_as_it_is_when_the_render_is_stopped(
    timeline, scene, more_media, monkeypatch, patience
):
    """Its Blender stops by itself, or has to be killed."""
    from blender_addon.jobs import rendering
    from blender_addon.timeline import planning, selection
    from blender_addon.worker import task

    monkeypatch.setattr(task, "CANCEL_SECONDS", patience)
    strip = reverse(timeline)
    selected(timeline, strip)
    scenes = list(bpy.data.scenes)
    running = rendering.next_task("Dub", planning.make_plan(scene, selection.select(scene)))
    running.cancel()
    running.wait()
    assert running.failure.code == "cancelled"
    assert all("-" in path.name for path in rendering._folder().iterdir())
    assert (list(bpy.data.scenes), strip.mute, len(timeline.strips)) == (scenes, False, 2)


def test_face_mesh_of_a_rendered_strip(timeline, scene, more_media):
    strip = reverse(timeline)
    selected(timeline, strip)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active.type == "MESH"
