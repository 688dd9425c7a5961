"""Files that an older GSmooth made go on in this one."""

from __future__ import annotations

import json

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import stacking, strips  # noqa: E402
from gsmooth_core.job.job import load_job  # noqa: E402


@pytest.fixture
def older(scene, timeline):
    """A dub as it was before originals were marked and adapting had a length; its original."""
    clip, speech = timeline.movie(), timeline.sound()
    for strip in timeline.strips:
        strip.select = True
    scene.sequence_editor.active_strip = clip
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    dub = strips.active_strip(scene)
    for strip in (clip, speech, dub):
        for mark in [name for name in strip.keys() if name not in ("gsmooth_job", "gsmooth_info")]:  # noqa: SIM118
            del strip[mark]
    path = job_folder.resolve(strips.dubbed_job(dub)) / "job.json"
    job = json.loads(path.read_text())
    job["settings"] |= {"adapt": False, "seed": 0}
    path.write_text(json.dumps(job))
    return dub, clip


def test_the_original_of_an_unmarked_dub_is_found_and_put_back(scene, older):
    dub, clip = older
    assert stacking.original(scene, dub) == clip
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert not clip.mute
    assert not any(strips.dubbed_job(strip) for strip in strips.open_strips(scene))


def test_the_original_is_the_one_that_fills_the_place_of_the_dub(scene, timeline, older):
    dub, clip = older
    takes = [timeline.movie(channel=channel) for channel in (7, 8)]
    for take in takes:
        take.mute = True
        strips.set_handles(take, strips.left(dub) + 3, strips.right(dub))
    assert stacking.original(scene, dub) == clip
    strips.set_handles(clip, strips.left(dub) + 5, strips.right(dub))
    assert stacking.original(scene, dub) in takes


def test_another_clip_is_no_original(scene, timeline, older):
    dub, clip = older
    clip.filepath = str(timeline.media / "fast.mp4")
    assert stacking.original(scene, dub) is None
    clip.filepath = str(timeline.media / "clip.mp4")
    clip.mute = False  # its own layer, by now
    assert stacking.original(scene, dub) is None
    assert stacking.original(scene, clip) is None


def test_a_job_folder_that_is_gone_has_no_original(scene, older):
    dub, _clip = older
    (job_folder.resolve(strips.dubbed_job(dub)) / "plan.json").unlink()
    assert stacking.original(scene, dub) is None


def test_an_older_job_is_read_by_the_worker(older):
    dub, _clip = older
    assert load_job(job_folder.resolve(strips.dubbed_job(dub))).settings.adapt == 0.0
