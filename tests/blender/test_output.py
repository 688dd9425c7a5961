"""How a dub's file is coded: what the settings ask for is in the job, in a file that holds it."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.panels import result_panel, settings_panel, task_box  # noqa: E402
from blender_addon.review import notices  # noqa: E402
from blender_addon.settings.options import options_of  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from gsmooth_core.job.settings import CODECS, DubSettings  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


@pytest.fixture
def chosen(timeline, scene):
    movie, speech = timeline.movie(), timeline.sound()
    for strip in timeline.strips:
        strip.select = strip in (movie, speech)
    scene.sequence_editor.active_strip = movie
    return movie


def dub(scene):
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    strip = strips.active_strip(scene)
    folder = job_folder.resolve(strip["gsmooth_job"])
    return strip, json.loads((folder / "job.json").read_text())


@pytest.mark.parametrize("name", ["codec", "quality", "depth"])
def test_choices_are_the_cores(scene, name):
    known = next(field for field in fields(DubSettings) if field.name == name)
    items = scene.gsmooth.bl_rna.properties[name].enum_items
    assert tuple(i.identifier for i in items) == tuple(map(str, known.metadata["choices"]))
    assert all(item.name for item in items)


def test_core_takes_whatever_can_be_chosen(scene):
    settings = scene.gsmooth
    for name in ("codec", "quality", "depth", "audio_track", "source_audio_track"):
        for item in settings.bl_rna.properties[name].enum_items:
            setattr(settings, name, item.identifier)
            taken = DubSettings.from_json(options_of(scene).settings)
            assert str(getattr(taken, name)) == item.identifier
    crf = settings.bl_rna.properties["crf"]
    limits = next(f.metadata["limits"] for f in fields(DubSettings) if f.name == "crf")
    assert (crf.hard_min, crf.hard_max) == limits


@pytest.mark.parametrize(
    ("codec", "suffix"), [("hevc", ".mp4"), ("prores", ".mov"), ("dnxhr", ".mov"), ("ffv1", ".mkv")]
)
def test_the_file_is_of_a_kind_that_holds_the_codec(scene, chosen, codec, suffix):
    scene.gsmooth.codec, scene.gsmooth.depth = codec, "10"
    strip, job = dub(scene)
    assert Path(job["output"]).suffix == strips.source_path(strip).suffix == suffix
    assert (job["settings"]["codec"], job["settings"]["depth"]) == (codec, 10)


def test_a_clip_of_another_kind_keeps_it(scene, chosen, media):
    shutil.copy(media / "clip.mp4", media / "take.MOV")
    chosen.filepath = str(media / "take.MOV")
    assert Path(dub(scene)[1]["output"]).suffix == ".mov"


def test_another_file_is_the_model(scene, chosen, media, tmp_path):
    shutil.copy(media / "clip.mp4", tmp_path / "delivered.mkv")
    assert "copy_look_of" not in dub(scene)[1]
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    strips.find(scene, "speech").select = True
    scene.gsmooth.copy_look_of = str(tmp_path / "delivered.mkv")
    job = dub(scene)[1]
    assert job["copy_look_of"] == str(tmp_path / "delivered.mkv")
    assert Path(job["output"]).suffix == ".mkv"


def test_a_draft_is_coded_as_drafts_are(scene, chosen):
    scene.gsmooth.codec, scene.gsmooth.quality = "ffv1", "lossless"
    scene.frame_set(20)
    assert bpy.ops.gsmooth.preview() == {"FINISHED"}
    [strip] = [s for s in strips.open_strips(scene) if s.get("gsmooth_preview")]
    assert strips.source_path(strip).suffix == ".mp4"


def test_losses_stay_with_the_dub_and_in_the_panel(scene, chosen):
    strip, _job = dub(scene)
    assert notices.of_strip(strip) == ["10 bits a sample become 8."]
    for draw in (task_box.draw_task, lambda layout: result_panel.draw_file(layout, strip)):
        layout = Recorder()
        draw(layout)
        assert "10 bits a sample become 8." in " ".join(layout.labels)
    strip[notices.NOTED] = 5
    assert notices.of_strip(strip) == []


def arguments(codec, **wish):
    """What the core gives the encoder of a codec."""
    encoders = pytest.importorskip("gsmooth_core.media.encoding.encoders")
    picture = SimpleNamespace(mastering=(), light_level=())
    source = SimpleNamespace(profile="", bit_rate=10**6, picture=picture)
    return encoders.encoder_for(codec, "yuv420p", source, encoders.Wish(quality="crf", **wish))


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec != "auto"])
def test_a_quality_that_would_do_nothing_cannot_be_chosen(scene, codec):
    settings = scene.gsmooth
    settings.codec, settings.quality = codec, "crf"
    layout = Recorder()
    settings_panel.draw_output(layout, settings)
    ignored = arguments(codec, crf=10) == arguments(codec, crf=30)
    assert layout.disabled == (["quality", "crf"] if ignored else [])
    assert bool(layout.labels) == ignored  # it says why


def test_every_setting_has_its_row(scene):
    layout = Recorder()
    scene.gsmooth.quality = "crf"
    settings_panel.draw_output(layout, scene.gsmooth)
    shown = [*layout.props, *(name for _t, _i, names in settings_panel._GROUPS for name in names)]
    shown += settings_panel._SELDOM
    hidden = {"rna_type", "name", "person", "speaker", "marks"}
    hidden |= {"photo", "head", "blink", "brows", "seed", "movement"}
    assert sorted(shown) == sorted(set(scene.gsmooth.bl_rna.properties.keys()) - hidden)
