"""Settings, job files, locks and journals: versioned, strict, and never half believed."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.errors import GSmoothError, InputError, JobError
from gsmooth_core.job import job as jobs
from gsmooth_core.job.job import Job, default_folder, load_job, read_rate
from gsmooth_core.job.journal import Journal, fingerprint, stamp
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.settings import AnimateSettings, DubSettings
from gsmooth_core.storage.files import atomic, beside, hash_file, partial_path
from gsmooth_core.storage.locks import locked, output_locked

# -- settings --------------------------------------------------------------------------------


def test_settings_survive_json():
    settings = DubSettings(strength=1.3, mask="face", crop_size=512, device="cuda:1")
    assert DubSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert DubSettings.from_json({}) == DubSettings()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"strenght": 1.0}, "Did you mean 'strength'"),
        ({"colour": 1}, "There is no setting 'colour'"),
        ({"strength": "much"}, "number from 0.0 to 2.0"),
        ({"strength": True}, "number"),
        ({"strength": float("nan")}, "number"),
        ({"strength": 2.5}, "0.0 to 2.0"),
        ({"crf": 14.5}, "whole number from 0 to 51"),
        ({"crf": -1}, "whole number"),
        ({"mask": "nose"}, "lower_face, face"),
        ({"crop_size": 300}, "auto, 256, 384, 512"),
        ({"crop_size": "256"}, "auto, 256, 384, 512"),
        ({"preset": None}, "veryslow"),
        ({"keep_source_audio": 1}, "true or false"),
        ({"device": "cuda:x"}, "cuda:N"),
        ({"device": 3}, "cuda:N"),
        ({"chunk_frames": 0}, "1 to 4096"),
    ],
)
def test_wrong_settings_are_named(values, words):
    with pytest.raises(InputError) as caught:
        DubSettings.from_json(values)
    assert words in str(caught.value)


def test_whole_numbers_are_fine_where_fractions_are_meant():
    assert DubSettings.from_json({"strength": 1}).strength == 1.0


# -- job files -------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(
    st.builds(
        Job,
        video=TEXT.map(Path),
        output=TEXT.map(Path),
        audio=st.none() | TEXT.map(Path),
        start_frame=st.integers(0, 10**6),
        frame_count=st.none() | st.integers(1, 10**6),
        fps=st.none() | st.fractions(1, 240, max_denominator=1001),
        audio_start=st.floats(-100, 100),
        audio_duration=st.none() | st.floats(0, 100),
        audio_delay=st.floats(0, 100),
    )
)
def test_jobs_survive_json(job):
    assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


def minimal(**values) -> dict:
    return {"kind": "gsmooth-job", "version": 1, "video": "a.mp4", "output": "b.mp4", **values}


def test_what_is_not_given_has_its_default():
    assert Job.from_json(minimal()) == Job(Path("a.mp4"), Path("b.mp4"))
    assert Job.from_json(minimal(fps="30000/1001")).fps == Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ([], JobError, "no GSmooth job"),
        ({"kind": "other"}, JobError, "no GSmooth job"),
        (minimal(version=2), JobError, "newer"),
        (minimal(version="1"), JobError, "newer"),
        (minimal(version=0), JobError, "too old"),
        (minimal(video=None), JobError, "no video"),
        (minimal(output=""), JobError, "no output"),
        (minimal(colour="red"), JobError, "'colour'"),
        (minimal(start_frame=-1), InputError, "start_frame"),
        (minimal(start_frame=1.5), InputError, "start_frame"),
        (minimal(start_frame=None), InputError, "start_frame"),
        (minimal(frame_count=0), InputError, "frame_count"),
        (minimal(fps="fast"), InputError, "fps"),
        (minimal(fps="25/0"), InputError, "fps"),
        (minimal(fps=0), InputError, "fps"),
        (minimal(audio_start="now"), InputError, "audio_start"),
        (minimal(audio_delay=-1), InputError, "audio_delay"),
        (minimal(audio_duration=float("nan")), InputError, "audio_duration"),
        (minimal(audio=5), InputError, "audio"),
        (minimal(video="a\0b"), InputError, "video"),
        (minimal(settings=[]), InputError, "settings"),
        (minimal(settings={"crf": 99}), InputError, "crf"),
    ],
)
def test_wrong_jobs_are_named(content, error, words):
    with pytest.raises(error, match=words):
        Job.from_json(content)


def test_old_versions_are_brought_up_to_date(monkeypatch):
    def rename_speech(values):
        values = dict(values)
        values["audio"] = values.pop("speech")
        return values

    monkeypatch.setitem(jobs.MIGRATIONS, 0, rename_speech)
    old = minimal(version=0, speech="s.wav")
    assert Job.from_json(old) == Job(Path("a.mp4"), Path("b.mp4"), audio=Path("s.wav"))
    assert old["version"] == 0


def test_saving_and_loading(tmp_path):
    job = Job(Path("a.mp4"), Path("Grüße \N{GRINNING FACE}.mp4"), fps=Fraction(30000, 1001))
    folder = tmp_path / "deep" / "job"
    assert job.save(folder) == folder / "job.json"
    assert load_job(folder) == job
    assert [path.name for path in folder.iterdir()] == ["job.json"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff"])
def test_damaged_job_files(tmp_path, text):
    (tmp_path / "job.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(JobError):
        load_job(tmp_path)


def test_no_job(tmp_path):
    with pytest.raises(JobError, match="no job"):
        load_job(tmp_path / "nowhere")


def test_default_folder_fits_any_name(tmp_path):
    assert default_folder(tmp_path / "o.mp4") == tmp_path / "o.mp4.gsmooth"
    default_folder(tmp_path / ("\N{GRINNING FACE}" * 60 + ".mp4")).mkdir()


# -- files -----------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), max_size=300))
def test_names_beside_fit_every_disk(name):
    path = Path("/f") / f"a{name}.mp4"
    for other in (partial_path(path), beside(path, ".gsmooth")):
        assert len(os.fsencode(other.name)) <= 255 or len(os.fsencode(path.name)) > 255
        assert other.parent == path.parent
        assert other != path


def test_atomic_writing_is_all_or_nothing(tmp_path):
    target = tmp_path / "file.txt"
    with atomic(target) as partial:
        partial.write_text("one")
        assert not target.exists()
    with pytest.raises(KeyError), atomic(target) as partial:
        partial.write_text("two")
        raise KeyError
    assert target.read_text() == "one"
    assert list(tmp_path.iterdir()) == [target]


def test_full_disk_has_its_words(tmp_path):
    with pytest.raises(GSmoothError, match="disk is full"), atomic(tmp_path / "f"):
        raise OSError(28, "No space left on device")


# -- locks -----------------------------------------------------------------------------------


def hold(folder: Path, output: Path, ready, leave) -> None:
    with output_locked(output), locked(folder):
        ready.set()
        leave.wait(30)


def test_a_job_and_an_output_belong_to_one_process(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Event(), context.Event()
    output = tmp_path / "o.mp4"
    other = context.Process(target=hold, args=(tmp_path / "job", output, ready, leave))
    other.start()
    assert ready.wait(30)
    try:
        with pytest.raises(JobError, match=rf"job folder .* in use .*{other.pid}"):
            locked(tmp_path / "job").__enter__()
        with pytest.raises(JobError, match=r"output .* in use"):
            output_locked(output).__enter__()
        with output_locked(tmp_path / "else.mp4"), locked(tmp_path / "second"):
            pass
    finally:
        leave.set()
        other.join(30)
    with output_locked(output), locked(tmp_path / "job"):
        pass


def test_the_lock_of_a_dead_process_is_free(tmp_path):
    script = (
        "import os, pathlib, sys; from gsmooth_core.storage.locks import locked\n"
        "lock = locked(pathlib.Path(sys.argv[1])); lock.__enter__(); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == 9
    assert (tmp_path / "lock.pid").is_file()
    with locked(tmp_path):
        assert (tmp_path / "lock.pid").read_text() == str(os.getpid())


# -- journal ---------------------------------------------------------------------------------


@pytest.fixture
def piece(tmp_path) -> Path:
    path = tmp_path / "piece.bin"
    path.write_bytes(b"work")
    return path


def test_finished_work_is_found_again(tmp_path, piece):
    inputs = fingerprint(video=[1, 2], settings={"crf": 14})
    Journal(tmp_path).record("segment", inputs, piece, 3, outside=0)
    again = Journal(tmp_path)
    assert again.finished("segment", inputs, piece, 3) == {"outside": 0, "path": piece}
    assert again.finished("segment", inputs, piece, 2) is None
    assert again.finished("track", inputs, piece, 3) is None


def test_other_inputs_or_a_changed_or_lost_file_do_not_count(tmp_path, piece):
    inputs = fingerprint(a=1)
    journal = Journal(tmp_path)
    journal.record("segment", inputs, piece)
    assert journal.finished("segment", fingerprint(a=2), piece) is None
    piece.write_bytes(b"WORK")
    assert journal.finished("segment", inputs, piece) is None
    piece.unlink()
    assert journal.finished("segment", inputs, piece) is None


def test_the_last_entry_counts(tmp_path, piece):
    journal = Journal(tmp_path)
    journal.record("segment", fingerprint(a=1), piece, note="old")
    piece.write_bytes(b"new work")
    journal.record("segment", fingerprint(a=1), piece, note="new")
    found = Journal(tmp_path).finished("segment", fingerprint(a=1), piece)
    assert found is not None
    assert found["note"] == "new"


@pytest.mark.parametrize("keep", range(1, 60, 7))
def test_a_torn_line_costs_only_itself(tmp_path, piece, keep):
    inputs = fingerprint(a=1)
    Journal(tmp_path).record("segment", inputs, piece, 0)
    path = tmp_path / JobFile.JOURNAL
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:keep])
    journal = Journal(tmp_path)
    assert journal.finished("segment", inputs, piece, 0)
    journal.record("segment", inputs, piece, 1)
    again = Journal(tmp_path)
    assert again.finished("segment", inputs, piece, 0)
    assert again.finished("segment", inputs, piece, 1)


def test_folders_are_pieces_too(tmp_path):
    frames = tmp_path / "segment_00000"
    frames.mkdir()
    (frames / "00000.png").write_bytes(b"a")
    journal = Journal(tmp_path)
    journal.record("segment", "i", frames)
    assert journal.finished("segment", "i", frames)
    (frames / "00000.png").rename(frames / "00001.png")
    assert journal.finished("segment", "i", frames) is None


def test_fingerprints_see_every_change(tmp_path, piece):
    base = {"fps": Fraction(25), "model": piece, "settings": {"a": 1, "b": 2}}
    assert fingerprint(**base) == fingerprint(**base | {"settings": {"b": 2, "a": 1}})
    prints = {fingerprint(**base), fingerprint(**base | {"fps": Fraction(24)})}
    piece.write_bytes(b"other weights")
    prints.add(fingerprint(**base))
    assert len(prints) == 3


def test_stamp_sees_a_replaced_file(tmp_path, piece):
    before = stamp(piece)
    assert before == stamp(piece)
    os.utime(piece, ns=(1, 1))
    assert stamp(piece) != before
    assert hash_file(piece) == hash_file(piece)


def test_a_line_that_was_changed_counts_for_nothing(tmp_path, piece):
    inputs = fingerprint(a=1)
    Journal(tmp_path).record("segment", inputs, piece, 0, outside=7)
    path = tmp_path / JobFile.JOURNAL
    path.write_text(path.read_text().replace('"outside": 7', '"outside": 0'))
    assert Journal(tmp_path).finished("segment", inputs, piece, 0) is None


@pytest.mark.parametrize("whole", [True, False])
def test_segments_that_were_exchanged_are_noticed(tmp_path, whole):
    """Files and their hashes change places; or a whole line lends its file to another piece."""
    inputs = fingerprint(a=1)
    one, two = tmp_path / "segment_00000.mp4", tmp_path / "segment_00001.mp4"
    one.write_bytes(b"one")
    two.write_bytes(b"two")
    journal = Journal(tmp_path)
    journal.record("segment", inputs, one, 0)
    journal.record("segment", inputs, two, 1)
    path = tmp_path / JobFile.JOURNAL
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    for name in ("sha256",) if not whole else ("file", "sha256", "seal"):
        entries[0][name], entries[1][name] = entries[1][name], entries[0][name]
    if not whole:
        one.write_bytes(b"two")
        two.write_bytes(b"one")
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    again = Journal(tmp_path)
    assert again.finished("segment", inputs, one, 0) is None
    assert again.finished("segment", inputs, two, 1) is None


def test_the_number_of_a_face_may_be_a_number():
    assert DubSettings.from_json({"face": 2}).face == "2"
    with pytest.raises(InputError):
        DubSettings.from_json({"face": 0})


def test_a_wrong_value_is_named_in_short():
    with pytest.raises(InputError) as refused:
        DubSettings.from_json({"a2ep": "x\n" * 5000})
    assert len(refused.value.message) < 300
    assert "\n" not in refused.value.message


def test_a_retired_setting_is_passed_over():
    assert DubSettings.from_json({"seed": 7, "strength": 1.5}) == DubSettings(strength=1.5)


@pytest.mark.parametrize("adapts", [False, True])
def test_adapting_was_a_switch_in_older_jobs(adapts):
    found = DubSettings.from_json({"adapt": adapts}).adapt
    assert (found > 0) == adapts


def test_a_photos_seed_is_none_of_the_retired_settings():
    moves = AnimateSettings(seed=7, head=0.5)
    assert AnimateSettings.from_json(moves.to_json()).seed == 7


@pytest.mark.parametrize(
    ("said", "meant"),
    [("23.976", "24000/1001"), (29.97, "30000/1001"), ("59.94", "60000/1001"), (25, "25"),
     ("24", "24"), ("23.98", "24000/1001"), ("2997/100", "2997/100"), ("12.5", "25/2"),
     ("30000/1001", "30000/1001")],
)  # fmt: skip
def test_a_rate_in_decimals_is_the_one_that_people_mean(said, meant) -> None:
    assert read_rate("fps", said) == Fraction(meant)
