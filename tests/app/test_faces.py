"""`gsmooth faces`: who is seen, when, how large, with a picture of each."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from gsmooth_core.app import actions
from gsmooth_core.app.cli import main
from gsmooth_core.errors import JobError
from gsmooth_core.job.job import Job
from gsmooth_core.media.pictures.images import write_image
from gsmooth_core.storage.arrays import load_track
from tests.evaluation.sync.test_check import RESULT
from tests.media import made
from tests.tracking.heads import drawn_head


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Her for 8 frames, him for 12."""
    her = cv2.resize(skimage.data.astronaut()[10:270, 95:355], (240, 240))
    frames = [her] * 8 + [drawn_head(1, 240)] * 12
    return made.write_video(tmp_path_factory.mktemp("faces") / "two.mp4", np.array(frames), 25)


def test_people_with_numbers_ranges_sizes_and_pictures(clip, tmp_path, capsys):
    assert main(["faces", "--video", str(clip), "--output", str(tmp_path / "p"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    first, second = result["people"]
    assert (first["number"], first["ranges"], first["frames"]) == (1, [[8, 19]], 12)
    assert (second["number"], second["ranges"], second["frames"]) == (2, [[0, 7]], 8)
    assert sum(person["largest"] for person in result["people"]) == 1
    assert result["shots"] == [[0, 7], [8, 19]]
    assert 80 < second["width"] < 160
    her, him = (cv2.imread(person["thumbnail"]) for person in (second, first))
    assert her.shape == him.shape == (150, 150, 3)
    wall = np.array([126, 101, 76])  # behind him, BGR
    assert np.abs(him[0, 0] - wall).max() < 12
    assert np.abs(her[0, 0] - wall).max() > 30


def test_people_of_a_job_are_those_of_its_frames_with_pictures_of_this_run(clip, tmp_path):
    job = Job(clip, tmp_path / "job" / "out.mp4", start_frame=6, frame_count=10)
    job.save(tmp_path / "job")
    pictures = tmp_path / "job" / "people"
    pictures.mkdir()
    for name in ("person_1.png", "person_7.png", "mine.png"):
        (pictures / name).write_bytes(b"old")
    result = actions.JOB_ACTIONS["faces"](job.output.parent, lambda _: None, lambda: False)
    assert [person["ranges"] for person in result["people"]] == [[(8, 15)], [(6, 7)]]
    assert sorted(path.name for path in pictures.iterdir()) == [
        "mine.png", "person_1.png", "person_2.png",
    ]  # fmt: skip
    assert cv2.imread(result["people"][0]["thumbnail"]).shape == (150, 150, 3)


def test_pictures_of_a_job_never_go_through_a_link(clip, tmp_path):
    job = Job(clip, tmp_path / "job" / "out.mp4")
    job.save(tmp_path / "job")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "person_1.png").write_bytes(b"theirs")
    (tmp_path / "job" / "people").symlink_to(elsewhere)
    with pytest.raises(JobError, match="link"):
        actions.faces(tmp_path / "job", lambda _: None, lambda: False)
    assert (elsewhere / "person_1.png").read_bytes() == b"theirs"


def test_in_words_and_without_pictures(clip, capsys):
    assert main(["faces", "--video", str(clip)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("1: 12 frames")]
    assert [line for line in lines if line.startswith("2: 8 frames") and "frames 0-7" in line]


def test_of_each_person_is_said_how_sure_it_is_that_the_sound_is_theirs(
    clip, tmp_path, capsys, monkeypatch
):
    def voices(people, *_):
        return [RESULT if p.number == 2 else None for p in people.people]

    def turns_of(people, *_):
        return {"2": people.seen[:, 1]}

    monkeypatch.setattr("gsmooth_core.app.faces.voices", voices)
    monkeypatch.setattr("gsmooth_core.app.faces.turns_of", turns_of)
    assert main(["faces", "--video", str(clip), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["people"]
    assert (first["speaker"], first["speaks"]) == (False, None)
    assert second["speaker"]
    assert second["speaks"] == {
        "ranges": [[0, 7]], "confidence": 0.42, "threshold": 0.1, "sure": True,
        "offset_frames": 3, "per_second": [0.4, None, 0.3, 0.5],
    }  # fmt: skip
    assert main(["faces", "--video", str(clip)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "the speaker" in next(line for line in lines if line.startswith("2:"))
    assert "sound" not in next(line for line in lines if line.startswith("1:"))


def test_without_sound_nobody_is_the_speaker(clip, capsys):
    assert main(["faces", "--video", str(clip), "--json"]) == 0
    people = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["people"]
    assert [(p["speaker"], p["speaks"]) for p in people] == [(False, None)] * 2


def test_nobody_is_an_error(tmp_path, capsys):
    grey = np.full((5, 120, 160, 3), 90, np.uint8)
    clip = made.write_video(tmp_path / "grey.mp4", grey, 25)
    assert main(["faces", "--video", str(clip)]) != 0
    assert "shows a face" in capsys.readouterr().err


def test_a_number_that_nobody_has_is_an_error(clip, tmp_path, capsys):
    target = tmp_path / "t.safetensors"
    options = ["--video", str(clip), "--output", str(target)]
    assert main(["track", *options, "--face", "3"]) != 0
    assert "There is no face 3: 2 people are seen." in capsys.readouterr().err
    assert not target.exists()
    assert main(["track", *options, "--face", "0"]) != 0


def test_a_part_is_counted_as_a_dub_of_the_same_part_counts_it(clip, capsys):
    words = ["faces", "--video", str(clip), "--start-frame", "6", "--frame-count", "6", "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert sorted(person["ranges"] for person in result["people"]) == [[[6, 7]], [[8, 11]]]
    assert result["shots"] == [[6, 7], [8, 11]]
    assert main(["faces", "--video", str(clip), "--start-frame", "6", "--frame-count", "99"]) == 3
    assert main(["faces", "--video", str(clip), "--frame-count", "0"]) == 3


@pytest.mark.parametrize("name", ["person_1.png", "person_7.png"])
def test_pictures_that_are_there_stay(clip, tmp_path, capsys, name):
    """They may be the user's, another video's, or the source itself."""
    (tmp_path / name).write_bytes(b"precious")
    assert main(["faces", "--video", str(clip), "--output", str(tmp_path)]) == 3
    assert "Choose an empty folder" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_in_place_of_the_folder_is_refused_before_the_work(clip, tmp_path, capsys):
    (tmp_path / "p").write_text("mine")
    assert main(["faces", "--video", str(clip), "--output", str(tmp_path / "p")]) == 3
    err = capsys.readouterr().err
    assert "is a file" in err
    assert "Following" not in err


def test_no_folder_is_left_where_nobody_is_seen(tmp_path):
    grey = made.write_video(tmp_path / "grey.mp4", np.full((5, 120, 160, 3), 90, np.uint8), 25)
    assert main(["faces", "--video", str(grey), "--output", str(tmp_path / "new")]) != 0
    assert not (tmp_path / "new").exists()


def test_people_of_numbered_images_are_listed_as_of_a_video(tmp_path, capsys):
    her = cv2.resize(skimage.data.astronaut()[10:270, 95:355], (240, 240))
    for number in range(7, 10):
        write_image(tmp_path / f"shot.{number:04d}.png", her)
    pattern, one = tmp_path / "shot.%04d.png", tmp_path / "shot.0008.png"
    for video in (["--video", str(pattern)], ["--video", str(one), "--fps", "24"]):
        assert main(["faces", *video, "--json"]) == 0
        *events, last = map(json.loads, capsys.readouterr().out.splitlines())
        (person,) = last["result"]["people"]
        assert (person["ranges"], last["result"]["frames"]) == ([[0, 2]], 3)
        assert any("3 images" in event.get("text", "") for event in events)
    assert last["result"]["fps"] == "24"
    assert main(["faces", "--video", str(one), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["result"]["frames"] == 1
    Job(pattern, tmp_path / "job" / "out.mp4", start_frame=1).save(tmp_path / "job")
    job = actions.JOB_ACTIONS["faces"](tmp_path / "job", lambda _: None, lambda: False)
    assert job["people"][0]["ranges"] == [(1, 2)]


@pytest.mark.slow
def test_the_face_of_numbered_images_is_followed_and_posed(tmp_path):
    her = cv2.resize(skimage.data.astronaut()[10:270, 95:355], (240, 240))
    for number in range(3):
        write_image(tmp_path / f"{number:02d}.png", her)
    track = tmp_path / "a.safetensors"
    assert main(["track", "--video", str(tmp_path), "--output", str(track)]) == 0
    assert len(load_track(track)) == 3
    mesh = ["mesh", "--video", str(tmp_path / "%02d.png"), "--output", str(tmp_path / "a.npz")]
    assert main(mesh) == 0
    with np.load(tmp_path / "a.npz") as posed:
        assert len(posed["vertices"]) == 3
