"""Folders that are shared, somebody's own, full or closed: nobody's work is lost in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks import places
from tests.attacks.places import (
    FRAMES,
    REFUSED,
    ROOT,
    Sources,
    arguments,
    check_images,
    check_video,
    contents,
    double,
    dub,
    made_in,
    start,
    wait_for_frames,
)
from tests.media.made import speechlike, write_wav

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and signals")


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Sources:
    return places.make_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """Where the output and the job's folder go, and nothing else."""
    places.use_sandbox(tmp_path, monkeypatch)
    return tmp_path / "place"


# -- two at a time ---------------------------------------------------------------------------


def other_spellings(place: Path) -> list[Path]:
    """Ways to write the path of the output."""
    (place.parent / "door").symlink_to(place)
    dots = place / ".." / place.name / "o.mp4"
    return [place / "o.mp4", dots, place.parent / "door" / "o.mp4"]


def test_a_second_on_an_output_is_refused_and_the_first_ends_well(sources, place, capfd):
    output, folder = place / "o.mp4", place / "o.mp4.gsmooth"
    with start(double(*arguments(sources, output)), 0.15) as first:
        wait_for_frames(folder, 5)
        before = contents(folder)
        for spelling in other_spellings(place):
            assert dub(sources, spelling) == REFUSED
            assert "in use by another process" in capfd.readouterr().err
            assert before.keys() <= contents(folder).keys()
        assert contents(folder)["job.json"] == before["job.json"]
        assert {"job.json", "journal.jsonl", "segment_00000.mp4"} <= before.keys()
        first.communicate(timeout=30)
    assert first.returncode == 0
    check_video(output)
    assert list(place.iterdir()) == [output]


WRONG = [
    ("--audio", "none.wav", 3),
    ("--strength", "9", 3),
    ("--start-frame", "99999999999", 3),
    ("--video", "none.mp4", REFUSED),  # the output's lock comes before the look at the picture
]


def test_a_second_that_is_wrong_takes_nothing_from_the_first(sources, place):
    """It comes while nothing is finished, when a folder may look as if nobody needs it."""
    output, folder = place / "o.mp4", place / "o.mp4.gsmooth"
    with start(double(*arguments(sources, output)), 0.2) as first:
        wait_for_frames(folder, 1)
        for option, value, status in WRONG:
            assert dub(sources, output, option, value) == status
            assert contents(folder).keys() >= {"job.json", "lock"}
        assert "journal.jsonl" not in contents(folder)
        first.communicate(timeout=30)
    assert first.returncode == 0
    check_video(output)
    assert list(place.iterdir()) == [output]


def test_two_outputs_cannot_share_a_folder_at_a_time(sources, place, capfd):
    one, two = place / "one.mp4", place / "two.mp4"
    with start(double(*arguments(sources, one, "--job", place / "job"))) as first:
        wait_for_frames(place / "job", 5)
        assert dub(sources, two, "--job", place / "job") == REFUSED
        assert "is in use" in capfd.readouterr().err
        first.communicate(timeout=30)
    assert first.returncode == 0
    assert set(place.iterdir()) == {one, place / "job"}


BARRIER = (
    "import sys; from tests import doubles; doubles.install()\n"
    "from gsmooth_core.app import actions, cli; print(flush=True); sys.stdin.readline()\n"
    "sys.exit(cli.main(sys.argv[1:]))"
)
"""A command line that has everything at hand and begins when it is told to."""


def test_ten_that_start_at_once_do_the_work_once(sources, place):
    """Those that come while one works are refused; one that comes later finds all finished."""
    output = place / "o.mp4"
    words = [sys.executable, "-c", BARRIER, *arguments(sources, output, "--keep-job")]
    runs = [start(words, 0.15) for _ in range(10)]
    assert [run.stdout.readline() for run in runs] == ["\n"] * 10
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    ends = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]
    assert {status for _, status in ends} == {0, REFUSED}, ends
    assert all("in use" in err for err, status in ends if status == REFUSED)
    assert made_in(place / "o.mp4.gsmooth") == list(range(FRAMES))
    check_video(output)
    assert set(place.iterdir()) == {output, place / "o.mp4.gsmooth"}


def test_killed_between_two_others(sources, place, tmp_path, monkeypatch):
    """The output is the first's until another one has ended."""
    output, folder = place / "o.mp4", place / "o.mp4.gsmooth"
    assert dub(sources, output) == 0
    first = output.read_bytes()
    other = sources | {"--audio": write_wav(tmp_path / "low.wav", 0.5 * speechlike(1.0), 16000)}
    with start(double(*arguments(other, output))) as second:
        wait_for_frames(folder, 6)
        second.kill()
    assert second.returncode == -9
    assert output.read_bytes() == first
    monkeypatch.setenv("DOUBLE_BREAKS_AT", "9")
    assert dub(other, output) == 70
    assert output.read_bytes() == first
    monkeypatch.delenv("DOUBLE_BREAKS_AT")
    made = made_in(folder)
    assert made[-1] == 8
    assert made.count(3) == 1  # its segment was whole when the second was killed
    assert made.count(5) == 2
    assert dub(other, output) == 0
    check_video(output)
    assert output.read_bytes() != first
    assert list(place.iterdir()) == [output]


# -- folders of the user's -------------------------------------------------------------------

NOTES = {
    "notes.txt": b"do not lose\n",
    "lock.txt": b"1234\n",
    "segment_1.mp4": b"mine\n",
    "Report.html": b"mine too\n",
    "takes/one.txt": b"",
    "takes/deep/two.txt": b"\0\xff",
}
ENDS = {
    "good": ([], {}, 0),
    "kept": (["--keep-job"], {}, 0),
    "broken": ([], {"DOUBLE_BREAKS_AT": "5"}, 70),
    "broken at once": ([], {"DOUBLE_BREAKS_AT": "0"}, 70),
    "no sound": (["--audio", "none.wav"], {}, 3),
    "bad setting": (["--strength", "9"], {}, 3),
}


def folder_of(place: Path, how: str) -> tuple[Path, list[object]]:
    """The job's folder, and the options that lead there."""
    if how == "named":
        return place / "job", ["--job", place / "job"]
    return place / "o.mp4.gsmooth", []


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("how", ["default", "named", "marked"])
def test_notes_survive_every_end(sources, place, monkeypatch, how, end):
    """In the folder of the default name, in one that is named, in one with GSmooth's mark."""
    more, variables, status = ENDS[end]
    folder, named = folder_of(place, how)
    places.write(folder, NOTES | ({"temporary": b"planted"} if how == "marked" else {}))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert dub(sources, place / "o.mp4", *named, *more) == status
    left = contents(folder)
    assert {name: left.get(name) for name in NOTES} == NOTES
    if how == "marked" and end in ("good", "broken at once"):
        assert left == NOTES  # what GSmooth made there went


@pytest.mark.parametrize("name", ["holiday.partial.txt", "segment_00000/holiday.jpg"])
def test_names_that_look_like_gsmooths_are_left_in_a_marked_folder(sources, place, name):
    places.write(place / "o.mp4.gsmooth", {"temporary": b"planted", name: b"mine"})
    assert dub(sources, place / "o.mp4") == 0
    assert contents(place / "o.mp4.gsmooth") == {name: b"mine"}


def test_a_folder_that_was_kept_stays_and_is_used(sources, place):
    output, folder = place / "o.mp4", place / "o.mp4.gsmooth"
    assert dub(sources, output, "--keep-job") == 0
    names = contents(folder).keys()
    for _ in range(2):
        output.unlink()
        assert dub(sources, output) == 0
        check_video(output)
        assert made_in(folder) == list(range(FRAMES))
        assert contents(folder).keys() == names


def test_a_folder_that_was_kept_survives_runs_that_fail(sources, place, monkeypatch):
    output, folder = place / "o.mp4", place / "o.mp4.gsmooth"
    assert dub(sources, output, "--keep-job") == 0
    before = contents(folder)
    assert dub(sources, output, "--audio", "none.wav") == 3
    assert contents(folder) == before
    (folder / "journal.jsonl").unlink()  # now there is nothing in it to go on from
    monkeypatch.setenv("DOUBLE_BREAKS_AT", "0")
    assert dub(sources, output) == 70
    assert contents(folder).keys() >= before.keys() - {"journal.jsonl"}
    check_video(output)


@pytest.mark.parametrize("end", ENDS)
def test_an_empty_folder_that_is_named_stays(sources, place, monkeypatch, end):
    more, variables, status = ENDS[end]
    folder, named = folder_of(place, "named")
    folder.mkdir()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert dub(sources, place / "o.mp4", *named, *more) == status
    assert folder.is_dir()


@pytest.mark.parametrize("named", [True, False])
def test_a_folder_begun_for_one_output_stays_once_it_is_wanted(sources, place, monkeypatch, named):
    output, folder = place / "o.mp4", place / "o.mp4.gsmooth"
    monkeypatch.setenv("DOUBLE_BREAKS_AT", "5")
    assert dub(sources, output) == 70
    assert dub(sources, output, *(["--job", folder] if named else ["--keep-job"])) == 70
    monkeypatch.delenv("DOUBLE_BREAKS_AT")
    assert dub(sources, output) == 0
    assert "job.json" in contents(folder)


def test_what_is_beside_an_output_under_a_name_that_says_partial(sources, place):
    mine = {"frames.partial/mine.txt": b"mine", "o.partial.mp4": b"mine"}
    places.write(place, mine)
    for name in ("frames", "o.mp4"):
        dub(sources, place / name)
        assert {n: contents(place).get(n) for n in mine} == mine


@pytest.mark.parametrize("name", ["frames", "frames/segment_00001", "frames/segment_00001.mp4"])
def test_an_output_among_the_jobs_own_files_is_refused_before_the_work(sources, place, name):
    assert dub(sources, place / name, "--job", place / "frames") in (3, REFUSED)
    assert not [path for path in contents(place) if "segment" in path]


# -- disks that are full or closed -----------------------------------------------------------

FULL = """
place=$1; size=$2; shift 2
mount -t tmpfs -o size="$size" none "$place" || exit 99
"$@" 2>"$place.err"; echo $? >"$place.status"; cp -r "$place" "$place.first"
mount -o remount,size=8m "$place"
"$@" 2>>"$place.err"; status=$?; cp -r "$place" "$place.second"; exit $status
"""
"""A command on a small disk, and again when there is room; copies of what lay there each time."""


def can_mount() -> bool:
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return bool(shutil.which("unshare")) and not subprocess.run(probe, check=False).returncode


@pytest.mark.skipif(not can_mount(), reason="may not mount a small disk")
@pytest.mark.parametrize(
    ("output", "size"),
    [
        *(("o.mp4", size) for size in ("4k", "8k", "12k", "20k", "28k", "40k")),
        *(("frames", size) for size in ("16k", "64k")),
    ],
)
def test_a_full_disk_has_its_words_and_leaves_nothing_half(sources, place, output, size):
    """Wherever it gets full: at the first file, in a segment, in the journal, at the output."""
    words = double(*arguments(sources, place / output))
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", FULL, "sh", str(place), size, *words],
        cwd=ROOT, check=False, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = place.with_name("place.first"), place.with_name("place.second")
    assert place.with_name("place.status").read_text() == "4\n"
    assert "The disk is full" in place.with_name("place.err").read_text()
    assert {path.name for path in first.iterdir()} <= {f"{output}.gsmooth"} | {"frames"}
    assert "frames/00000.png" not in contents(first)
    half = [name for name in contents(first) if "partial" in name and "made" not in name]
    assert not half  # but for the double's own list
    (check_video if output == "o.mp4" else check_images)(second / output)
    assert [path.name for path in second.iterdir()] == [output]


def without_power() -> tuple[str, ...]:
    """A prefix that takes from root what lets it write everywhere."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    less = "-dac_override,-dac_read_search"
    return ("setpriv", f"--bounding-set={less}", f"--inh-caps={less}")


@pytest.mark.parametrize("closed", ["job", "o.mp4.gsmooth", "."])
def test_a_folder_that_may_not_be_written_is_named_and_stays(sources, place, closed):
    """The one of the job, by its name or by default, and that of the output."""
    folder = place / closed
    places.write(folder, {"notes.txt": b"mine"})
    named = ["--job", folder] if closed == "job" else []
    words = double(*arguments(sources, place / "o.mp4", *named), before=without_power())
    folder.chmod(0o500)
    try:
        with start(words) as run:
            _, errors = run.communicate(timeout=30)
    finally:
        folder.chmod(0o700)
    assert run.returncode == 4, errors
    assert "may not be written" in errors
    assert "Traceback" not in errors
    assert contents(folder) == {"notes.txt": b"mine"}
    assert not (place / "o.mp4").exists()
