"""The evaluation: the choice of clips, the refusal of leaks, and one run to its page."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep.manner_file import Taught
from gsmooth_core.dub import DubPipeline
from gsmooth_core.errors import InputError, LeakError, NoFaceError
from gsmooth_core.evaluation.metrics.fidelity import BEST_PSNR
from gsmooth_core.job.job import Job, load_job
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.workplace import workplace
from gsmooth_core.types import Clip
from tests.evaluation.report.test_page import Reader
from tests.portrait import scene
from tests.training.evaluate.footage import FRAMES, footage
from training.evaluate import rows
from training.evaluate import run as ev
from training.evaluate.clip import ClipPicture, ClipResult, LeftOut, RowResult, _lend_track
from training.evaluate.clips import chosen_clips
from training.evaluate.rows import DUBS, ROWS, Plan, job_of, own_job


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return footage(tmp_path_factory.mktemp("footage"))


@pytest.fixture
def plan(folder):
    return Plan(folder / "speech" / "other.wav", samples=2, poisoned=1)


# -- which clips -----------------------------------------------------------------------------


def manifest(folder, rows):
    (folder / "clips").mkdir()
    head = ("file", "fps", "sync_offset", "sync_C", "null_C95", "speaker")
    lines = ["\t".join(head), *("\t".join(map(str, row)) for row in rows)]
    (folder / "clips" / "manifest.tsv").write_text("\n".join(lines))
    for row in rows:
        (folder / "clips" / row[0]).write_bytes(b"x")


def test_people_that_models_learned_from_are_left_out(tmp_path):
    manifest(tmp_path, [
        ("styletalk_reagan_clip1.mp4", 30, -1, 0.98, 0.48, "x"),  # a validation speaker
        ("styletalk_Obama_clip1.mp4", 30, 3, 1.0, 0.71, "x"),  # a training speaker
        ("ar__00159.mp4", 25, 1, 1.0, 0.5, "x"),  # one of the readers
        ("nobody_knows.mp4", 25, 4, 0.3, 0.5, "somebody"),
        ("notes.txt", 25, 0, 1, 0, "x"),
    ])  # fmt: skip
    clips = {c.stem: c for c in chosen_clips(tmp_path)}
    assert set(clips) == {"styletalk_reagan_clip1", "nobody_knows"}
    unknown = clips["nobody_knows"]
    assert (unknown.speaker, unknown.offset, unknown.trusted) == ("somebody", 4, False)
    assert clips["styletalk_reagan_clip1"].speaker == "reagan"
    assert clips["styletalk_reagan_clip1"].trusted


def test_a_footages_own_split_keeps_its_people_out_as_well(tmp_path):
    names = ("anna.mp4", "bo.mp4", "cy.mp4", "styletalk_Obama_clip1.mp4")
    manifest(tmp_path, [(name, 30, 3, 1.0, 0.71, "x") for name in names])
    split = """
[speakers.anna]
part = "train"
clips = ["anna"]
[speakers.bob]
part = "validation"
clips = ["bo"]
"""
    (tmp_path / "split.toml").write_text(split)
    bo, cy = chosen_clips(tmp_path)
    assert (bo.stem, bo.speaker, bo.offset) == ("bo", "bob", 3)
    assert (cy.stem, cy.speaker) == ("cy", "x")


def test_a_named_clip_is_taken_whoever_it_shows(tmp_path):
    manifest(tmp_path, [("styletalk_Obama_clip1.mp4", 30, 3, 1.0, 0.71, "x")])
    (clip,) = chosen_clips(tmp_path, ["styletalk_Obama_clip1.mp4"])
    assert clip.speaker == "obama"
    for wrong in (["other.mp4"], []):
        with pytest.raises(InputError):
            chosen_clips(tmp_path, wrong)


def test_a_folder_of_clips_alone_will_do(folder, tmp_path):
    (clip,) = chosen_clips(folder / "clips")
    assert (clip.stem, clip.speaker, clip.offset) == ("photo", "photo", 0)
    with pytest.raises(InputError):
        chosen_clips(tmp_path / "nowhere")


def test_sound_is_moved_to_where_the_lips_are(folder, plan, tmp_path):
    (clip,) = chosen_clips(folder)
    job = own_job(replace(clip, offset=5.0), plan, tmp_path / "o.mp4", 20)
    assert job.audio_start == 0.2
    assert job.settings.reference_gap == plan.gap == 0.5


def test_a_clips_own_speech_teaches_no_dub_that_is_judged_by_it(folder, plan, tmp_path):
    (clip,) = chosen_clips(folder)
    face = scene.still()
    for dub in DUBS:
        job = job_of(dub, clip, plan, tmp_path, tmp_path / "track.safetensors", face)
        assert job.settings.style == (dub == "other")


def test_a_folder_that_gets_a_track_is_a_jobs(tmp_path):
    base, job = tmp_path / "track", Job(tmp_path / "a.mp4", tmp_path / "b.mp4")
    base.mkdir()
    for name in ("track.safetensors", JobFile.JOURNAL):
        (base / name).write_text(name)
    _lend_track(base, tmp_path / "own", job)
    with workplace(tmp_path / "own", job.output):  # or somebody else's files would lie there
        assert (tmp_path / "own" / JobFile.JOURNAL).read_text() == JobFile.JOURNAL
    assert load_job(tmp_path / "own") == job


def test_what_teaches_lies_behind_what_is_judged(plan, tmp_path, monkeypatch):
    asked, saved = [], []
    filmed = Clip(tmp_path / "c.mp4", 64, 48, Fraction(25), 300, has_audio=True)
    track = SimpleNamespace(track=lambda face: face)
    monkeypatch.setattr(rows, "probe", lambda path: filmed)
    monkeypatch.setattr(rows, "Source", lambda job: asked.append(job))
    monkeypatch.setattr(rows, "Followed", lambda *_: track)
    monkeypatch.setattr(rows, "own_speech", lambda *_: Taught("", "a manner"))
    monkeypatch.setattr(rows, "save_style", lambda path, *_: saved.append(path))
    job = Job(filmed.path, tmp_path / "o.mp4", audio=filmed.path, frame_count=125)
    path = tmp_path / "style.safetensors"
    assert rows.style_of_rest(job, 0.48, path) == path
    assert asked[0].start_frame == 125 + 12
    assert asked[0].frame_count is None
    assert saved == [path]
    monkeypatch.setattr(rows, "own_speech", lambda *_: Taught("why not"))
    assert rows.style_of_rest(job, 0.48, path) is None
    whole = replace(job, frame_count=None)
    assert rows.style_of_rest(whole, 0.48, path) is None


# -- leaks -----------------------------------------------------------------------------------


@dataclass
class Copied:
    frame: np.ndarray


class Copier:
    """Gives back the frame that it should have made."""

    def translate(self, index, frame):
        return Copied(frame)


class LeakingRun(DubPipeline):
    def translator(self, track, target, frames):
        return Copier()


class Sneak:
    """Opens the clip itself instead of taking what it is given."""

    def __init__(self, run):
        self.run = run

    def translate(self, index, frame):
        with closing(self.run.source.frames()) as frames:
            return Copied(frames(index))


class SneakingRun(DubPipeline):
    def translator(self, track, target, frames):
        return Sneak(self)


@pytest.mark.parametrize("way", [LeakingRun, SneakingRun])
def test_a_leaking_generator_is_refused_and_no_figure_is_written(folder, plan, tmp_path, way):
    plan = replace(plan, frames=30)
    with pytest.raises(LeakError, match="looks at what it should make"):
        ev.evaluate(chosen_clips(folder), plan, tmp_path, make=way)
    assert not list(tmp_path.rglob("result.json"))
    assert not list(tmp_path.glob("evaluation.*"))


# -- means and page --------------------------------------------------------------------------


def result(clip, lmd, offset):
    figures = {"lmd": lmd, "offset": offset, "sync": 0.5, "psnr": None}
    curves = {n: [0.1] * 5 for n in ("lmd", "aperture", "true_aperture", "wanted_aperture")}
    rows = {row.name: RowResult(figures, curves, {}) for row in ROWS}
    shown = [ClipPicture("pictures/strip.jpg")]
    return ClipResult(
        clip, "a", 5, "25/1", (10, 10), 0.0, True, 0, [2], 1.0, rows, shown, "k", {"taft": clip * 3}
    )


def test_each_clip_counts_once_and_offsets_do_not_cancel_out():
    results = [result("a", 1.0, -2.0), result("b", 3.0, 2.0), result("c", None, 0.0)]
    means = ev.means(results)["own"]
    assert means["lmd"] == 2.0
    assert means["offset"] == pytest.approx(4 / 3)
    assert means["psnr"] is None
    assert ev.in_sync(results)["own"] == pytest.approx(1 / 3)


def test_models_are_named_each_once():
    results = [result(clip, 1.0, 0.0) for clip in ("a", "b", "a")]
    assert ev.models_of(results) == {"taft": "aaa / bbb"}


def test_a_result_survives_its_file():
    before = result("a", 1.0, 2.0)
    from dataclasses import asdict

    assert ClipResult.from_json(json.loads(json.dumps(asdict(before)))) == before


class FacelessRun(DubPipeline):
    def track(self):
        raise NoFaceError("No frame shows a face.", "Choose another.")


def test_a_clip_that_cannot_be_dubbed_is_left_out_and_named(folder, plan, tmp_path):
    (clip,) = chosen_clips(folder)
    (left,) = ev.judged_clips([clip], plan, tmp_path, 1, FacelessRun)
    assert left == LeftOut("photo.mp4", "No frame shows a face.")
    strip = tmp_path / "clips" / "a" / "pictures" / "strip.jpg"
    strip.parent.mkdir(parents=True)
    strip.write_bytes(b"a picture")
    found = ev.written([result("a", 1.0, 0.0), left], plan, tmp_path)
    assert [r.clip for r in found.clips] == ["a"]
    assert "No frame shows a face." in (tmp_path / "evaluation.html").read_text()
    with pytest.raises(InputError, match=r"photo\.mp4: No frame"):
        ev.written([left], plan, tmp_path)


def test_a_missing_speech_is_named(folder):
    options = ev.parse(["--footage", str(folder), "--output", "x", "--speech", "none.wav"])
    with pytest.raises(InputError, match=r"none\.wav"):
        ev.plan_of(options)


def test_bad_input_ends_with_its_status(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(
        sys, "argv", ["evaluate", "--footage", str(tmp_path / "no"), "--output", str(tmp_path)]
    )
    assert ev.main() == InputError.exit_code
    assert "There is no folder" in caplog.text


# -- all of it -------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_command_evaluates_and_writes_the_page(folder, tmp_path, monkeypatch):
    speech = folder / "speech" / "other.wav"
    arguments = ["--footage", folder, "--output", tmp_path, "--speech", speech, "--processes", 1]
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments), "--samples", "2"])
    assert ev.main() == 0
    found = json.loads((tmp_path / "evaluation.json").read_text())
    untouched, own = found["means"]["original"], found["means"]["own"]
    assert untouched["lmd"] == 0
    assert untouched["psnr"] == untouched["mouth_psnr"] == BEST_PSNR
    assert untouched["ssim"] == pytest.approx(1, abs=1e-9)
    assert own["lmd"] > 0
    assert own["psnr"] < BEST_PSNR
    assert found["means"]["other"]["lmd"] is None
    assert found["clips"][0]["frames"] == FRAMES
    assert len(found["clips"][0]["poisoned"]) == 2
    page = (tmp_path / "evaluation.html").read_text()
    reader = Reader(page)
    assert reader.open == []
    assert sum("LMD" in text for text in reader.text) > 3
    made = {p: p.stat().st_mtime_ns for d in DUBS for p in tmp_path.rglob(f"{d}.mp4")}
    assert len(made) == len(DUBS)
    assert ev.main() == 0  # again: nothing is made anew
    assert {p: p.stat().st_mtime_ns for p in made} == made
