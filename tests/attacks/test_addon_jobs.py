"""A stranger's job folder, as the add-on reads it: named errors, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.blender.conftest import media, scene, timeline  # noqa: F401 - fixtures

pytest.importorskip("bpy")

from blender_addon.errors import UserError
from blender_addon.jobs import placing
from blender_addon.storage import job_folder
from blender_addon.timeline import planning

pytestmark = pytest.mark.blender
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
DEEP = "[" * 200_000
PLAN = {
    "scene": "Scene", "picture": "clip", "speech": "", "source": "/a.mp4", "sound": "",
    "left": 1, "right": 41, "span": {"first": 1, "count": 40, "source": 0}, "to_end": True,
    "cut": {"delay": 0.0, "start": 0.5, "duration": 1}, "rate": "25/1",
}  # fmt: skip


def job_in(folder: Path, **changes: Any) -> Path:
    """A job folder as the add-on makes it, with other values."""
    folder.mkdir(exist_ok=True)
    job = {
        "kind": "gsmooth-job", "version": 1, "video": str(folder / "clip.mp4"), "audio": None,
        "output": str(folder / "clip_dubbed.mp4"), "start_frame": 0, "frame_count": None,
        "fps": "25/1", "expression": None, "settings": {},
    } | changes  # fmt: skip
    job = {name: value for name, value in job.items() if value != "left out"}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    (folder / "plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    return folder


def curves_into(folder: Path) -> dict[str, Any]:
    return job_folder.write_curves(folder, ["jawOpen"], [[0.5]], "25/1")


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(p): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


# -- job.json and plan.json ------------------------------------------------------------------


def test_good_job_and_plan_are_read(tmp_path):
    folder = job_in(tmp_path / "job")
    assert job_folder.read(folder)["output"] == str(folder / "clip_dubbed.mp4")
    assert planning.Plan.from_dict(job_folder.read_plan(folder)).cut.start == 0.5


@pytest.mark.parametrize("rate", ["25", "30000/1001", None])
def test_rates_as_the_core_writes_them(tmp_path, rate):
    assert job_folder.read(job_in(tmp_path / "job", fps=rate))["fps"] == rate


FIELDS = [
    *[(name, value) for name in ("video", "output") for value in ("left out", None)],
    *[
        (name, value)
        for name in ("video", "output", "audio")
        for value in ("", 5, True, ["/a.mp4"], {"a": 1}, "a\0b", "\ud800", "x" * 5000)
    ],
    *[
        ("fps", value)
        for value in (25, 25.0, "x", "", "0", "25/0", "-25/1", "1e9", "1e999999999", "NaN", "inf")
    ],
    *[("fps", value) for value in ("1/2", "241/1", "25/1\n", "٢٥/1", ["25/1"], True)],
    *[("start_frame", value) for value in ("left out", None, -1, 1.0, True, "0", 10**12, [0])],
    *[("frame_count", value) for value in (0, -1, 2.5, "40", False, 10**12)],
    *[("kind", value) for value in ("left out", None, "gsmooth-track", 1, ["gsmooth-job"])],
    *[("version", value) for value in ("left out", None, 0, 2, "1", True, 1.5)],
]


@pytest.mark.parametrize(("name", "value"), FIELDS, ids=lambda value: ascii(value)[:24])
def test_wrong_value_in_a_job_is_named(tmp_path, name, value):
    folder = job_in(tmp_path / "job", **{name: value})
    before = contents(folder)
    with pytest.raises(UserError, match=f"'{name}' of .*again"):
        job_folder.read(folder)
    with pytest.raises(UserError, match=f"'{name}'"):
        curves_into(folder)
    assert contents(folder) == before


PLANS = [
    *[(name, "left out") for name in PLAN if name != "cut"],
    *[(name, value) for name in ("scene", "picture", "rate") for value in (5, None, ["a"], "a\0b")],
    *[(name, value) for name in ("left", "right") for value in ("1", 1.5, True, None, 10**10)],
    *[("span", value) for value in (None, [], {}, {"first": 1, "count": 40}, "x")],
    ("span", {"first": "1", "count": 40, "source": 0}),
    *[("cut", value) for value in ([], "x", {}, {"delay": "0", "start": 0, "duration": 0})],
    *[("to_end", value) for value in (None, 1, "yes")],
    ("scene", "\ud800"),
]


@pytest.mark.parametrize(("name", "value"), PLANS, ids=lambda value: ascii(value)[:24])
def test_wrong_value_in_a_plan_is_named(tmp_path, name, value):
    folder = job_in(tmp_path / "job")
    plan = {key: v for key, v in (PLAN | {name: value}).items() if v != "left out"}
    (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(UserError, match=f"'{name}' of .*again"):
        job_folder.read_plan(folder)


def test_more_in_a_plan_does_no_harm(tmp_path):
    folder = job_in(tmp_path / "job")
    more = PLAN | {"more": 1, "span": PLAN["span"] | {"more": 1}}
    (folder / "plan.json").write_text(json.dumps(more))
    assert planning.Plan.from_dict(job_folder.read_plan(folder)).span.count == 40


TEXTS = {
    "empty": b"",
    "words": b"job",
    "not utf-8": b'{"kind": "\xff"}',
    "list": b"[]",
    "number": b"5",
    "null": b"null",
    "pairs": b'[["kind", "gsmooth-job"]]',
    "lists in lists": DEEP.encode(),
    "objects in objects": b'{"a":' * 100_000,
    "huge number": b'{"start_frame": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_no_object_is_refused(tmp_path, text):
    folder = job_in(tmp_path / "job")
    for name, read in (("job.json", job_folder.read), ("plan.json", job_folder.read_plan)):
        (folder / name).write_bytes(text)
        with pytest.raises(UserError, match="no usable job"):
            read(folder)


@needs_posix
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "huge", "dangling", "missing"])
def test_what_is_no_file_of_a_job_is_not_read(tmp_path, kind):
    folder = job_in(tmp_path / "job")
    for name, read in (("job.json", job_folder.read), ("plan.json", job_folder.read_plan)):
        path = folder / name
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "huge":
            path.touch()
            os.truncate(path, 1 << 30)
        elif kind != "missing":
            path.symlink_to("/dev/zero" if kind == "device" else "/no/such/file")
        with pytest.raises(UserError, match="no usable job"):
            read(folder)


@pytest.mark.parametrize("name", ["none", "a\0b", "x" * 300, "x/" * 3000, "file/in"])
def test_folder_that_is_none_is_refused(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="no usable job"):
        job_folder.read(tmp_path / name)
    with pytest.raises(UserError, match="no usable job"):
        curves_into(tmp_path / name)


# -- nothing is written elsewhere ------------------------------------------------------------


@needs_posix
def test_folder_that_is_a_link_is_not_used(tmp_path):
    folder = job_in(tmp_path / "job")
    before = contents(folder)
    (tmp_path / "link").symlink_to(folder)
    for use in (job_folder.read, job_folder.read_plan, curves_into):
        with pytest.raises(UserError, match="is a link"):
            use(tmp_path / "link")
    assert contents(folder) == before


@needs_posix
@pytest.mark.parametrize("there", [True, False])
def test_links_in_the_folder_are_replaced_and_not_followed(tmp_path, there):
    folder, victim = job_in(tmp_path / "job"), tmp_path / "victim.txt"
    if there:
        victim.write_text("mine")
    names = ["expression.json", "expression.json.partial", "job.json.partial", "plan.json.partial"]
    for name in names:
        (folder / name).symlink_to(victim)
    curves_into(folder)
    assert victim.exists() == there
    assert not there or victim.read_text() == "mine"
    assert json.loads((folder / "expression.json").read_text())["values"] == [[0.5]]
    assert not [path for path in folder.iterdir() if path.is_symlink() and "plan" not in path.name]


@needs_posix
def test_new_job_writes_through_no_link(tmp_path):
    clip, victim, parent = tmp_path / "clip.mp4", tmp_path / "victim.txt", tmp_path / "jobs"
    clip.write_bytes(b"clip")
    victim.write_text("mine")
    job = {"video": str(clip), "audio": None, "fps": "25/1"}
    folder = job_folder.make(parent, job, PLAN)
    for name in ("job.json", "plan.json", "expression.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(victim)
        (folder / f"{name}.partial").symlink_to(victim)
    assert job_folder.make(parent, job, PLAN) == folder
    assert victim.read_text() == "mine"
    assert not (folder / "job.json").is_symlink()
    assert not (folder / "expression.json").exists()
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link"):
        job_folder.make(parent, job, PLAN)


OUTPUTS = {
    "outside": "/etc/passwd",
    "above": "{folder}/../evil.mp4",
    "far above": "{folder}/../../../../../../evil.mp4",
    "parent itself": "{folder}/..",
    "folder itself": "{folder}",
    "dot": "{folder}/.",
    "root": "/",
    "two dots": "..",
    "dots": "....",
    "hidden": "{folder}/.bashrc",
    "nothing but a suffix": "{folder}/.mp4",
    "relative": "evil.mp4",
    "from windows": "C:\\Users\\me\\evil.mp4",
    "a drive": "C:",
    "program": "{folder}/run.sh",
    "the job itself": "{folder}/job.json",
    "curves": "{folder}/expression.json",
    "lock": "{folder}/lock",
    "no suffix": "{folder}/frames",
    "odd suffix": "{folder}/clip.mp4 ",
    "long": "{folder}/" + "x" * 240 + ".mp4",
    "long and wide": "{folder}/" + "ä" * 200 + ".mp4",
    "not utf-8": "{folder}/\udcff.mp4",
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_rerender_writes_into_the_jobs_own_folder(tmp_path, output):
    folder = tmp_path / "job"
    job_in(folder, output=output.format(folder=folder))
    for make in (job_folder.read, curves_into):
        path = Path(make(folder)["output"])
        assert path.parent == folder
        assert path.suffix == ".mp4"
        assert not path.name.startswith(".")
        assert len(os.fsencode(path.name)) < 240
        path.name.encode("utf-8")
        assert json.loads((folder / "job.json").read_text())["output"] == str(path)
    assert path.stem.endswith("_v2")
    assert not os.path.lexists(path)
    path.touch()  # the disk takes the name


@needs_posix
def test_new_version_takes_no_name_that_is_a_link(tmp_path):
    folder = job_in(tmp_path / "job")
    for number in (2, 3):
        target = tmp_path / f"victim{number}"
        (folder / f"clip_dubbed_v{number}.mp4").symlink_to(target)
    (tmp_path / "victim2").touch()
    assert Path(curves_into(folder)["output"]).name == "clip_dubbed_v4.mp4"


def test_plan_of_far_away_frames_places_a_strip_or_says_why(timeline, media, tmp_path):  # noqa: F811
    timeline.movie()
    for left, first in ((10**8, 10**8), (-(10**8), 10**8), (10**8, -(10**8))):
        span = {"first": first, "count": 10**8, "source": 0}
        plan = PLAN | {"left": left, "right": 10**8, "span": span}
        (job_in(tmp_path / "job") / "plan.json").write_text(json.dumps(plan))
        read = planning.Plan.from_dict(job_folder.read_plan(tmp_path / "job"))
        placing.place(read, media / "clip.mp4", tmp_path / "job", "", replace=False)


def test_version_is_counted_at_the_end_of_the_name_alone(tmp_path):
    folder = tmp_path / "job"
    job_in(folder, output=str(folder / "my_video_dubbed_v2.mp4"))
    assert Path(curves_into(folder)["output"]).name == "my_video_dubbed_v2.mp4"


@needs_posix
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write anywhere")
def test_folder_that_may_not_be_written_is_an_error_in_words(tmp_path):
    folder = job_in(tmp_path / "job")
    folder.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"):
        curves_into(folder)


def test_folder_in_the_place_of_a_file_is_an_error_in_words(tmp_path):
    folder = job_in(tmp_path / "job")
    (folder / "expression.json").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        curves_into(folder)
