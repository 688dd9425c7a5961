"""From a photo and curves to a person who moves and speaks, with the real models."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import cv2
import numpy as np
import pytest
import skimage.data

from gsmooth_core.animate import AnimatePipeline
from gsmooth_core.errors import GSmoothError, InputError
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.job.events import Event, Message, Progress
from gsmooth_core.job.job import Job
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.settings import AnimateSettings, DubSettings
from gsmooth_core.media import probe, read_frames
from gsmooth_core.motion.edited import BLINKS, PLACE, TURN
from gsmooth_core.motion.head import matrix_turns
from gsmooth_core.motion.library import motion_library
from gsmooth_core.run import pipeline_of, run_job
from gsmooth_core.storage.arrays import load_track, save_expression, save_track
from gsmooth_core.tracking import track_face
from gsmooth_core.tracking.photometry.poses import refine_poses
from gsmooth_core.types import Expression
from tests.media import made
from tests.portrait import scene
from tests.tracking.heads import Nodding, drawn_head, nodding

FRAMES = 14
YAW = 6 * np.sin(np.linspace(0, 2 * np.pi, FRAMES))
SETTINGS = DubSettings(preset="ultrafast", chunk_frames=6)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("animate")


@pytest.fixture(scope="module")
def photo(work):
    picture = skimage.data.astronaut()[:320, 60:380, ::-1]
    cv2.imwrite(str(work / "photo.png"), picture)
    return work / "photo.png"


@pytest.fixture(scope="module")
def curves(work):
    opening = 0.3 - 0.3 * np.cos(np.arange(FRAMES) * 2 * np.pi / FRAMES)
    values = opening[:, None].astype(np.float32)
    save_expression(work / "curves.json", Expression(("jawOpen",), values, Fraction(25)))
    return work / "curves.json"


@pytest.fixture(scope="module")
def turning(work):
    """The track of a head that turns from side to side."""
    still = scene.still()
    names = ("expression", "light", "confidence", "landmarks", "translation", "rotation")
    values = {name: np.repeat(getattr(still, name), FRAMES, 0) for name in names}
    values["rotation"][:, 1] += np.deg2rad(YAW)
    save_track(work / "turning.safetensors", dataclasses.replace(still, **values))
    return work / "turning.safetensors"


@pytest.fixture(scope="module")
def job(work, photo, curves, turning):
    moves = AnimateSettings(motion=str(turning), blink=0.0)
    return Job(photo, work / "out", expression=curves, settings=SETTINGS, animate=moves)


@pytest.fixture(scope="module")
def result(job, work):
    return run_job(job, work / "job")


@pytest.fixture(scope="module")
def frames(result, job):
    paths = sorted(job.output.glob("*.png"))
    return [cv2.imread(str(path))[..., ::-1] for path in paths]


def test_what_is_made_has_the_photos_size_and_the_curves_length(result, frames) -> None:
    assert (result.frames, result.size, result.fps) == (FRAMES, (320, 320), "25/1")
    assert len(frames) == FRAMES
    assert result.outside_mask_max_difference == 0
    assert result.untouched_frames == []


def test_the_head_turns_as_its_reference_and_its_track_says_so(frames, work) -> None:
    known = load_track(work / "job" / "track.safetensors")
    clip = dataclasses.replace(probe(work / "photo.png"), frame_count=FRAMES)
    found = track_face(iter(frames), clip, scene.face_model())
    yaw, seen = (np.rad2deg(t.rotation[:, 1] - t.rotation[:, 1].mean()) for t in (known, found))
    assert np.ptp(yaw) > 6
    assert np.corrcoef(yaw, seen)[0, 1] > 0.95
    # The tracker, which smooths over time, finds .8 of a turn even of the rendered mesh.
    assert np.polyfit(yaw, seen, 1)[0] > 0.4
    looks = np.rad2deg(refine_poses(found, scene.face_model(), iter(frames)).rotation[:, 1])
    assert np.corrcoef(yaw, looks)[0, 1] > 0.95
    assert np.polyfit(yaw, looks, 1)[0] > np.polyfit(yaw, seen, 1)[0] + 0.05
    apart = np.linalg.norm(known.landmarks - found.landmarks, axis=2)
    assert np.median(apart) < 2.5


def test_the_background_keeps_every_bit(frames, photo) -> None:
    source = cv2.imread(str(photo))[..., ::-1]
    for frame in frames:
        assert np.array_equal(frame[:, :12], source[:, :12])
        assert np.array_equal(frame[:, 290:], source[:, 290:])
        assert np.array_equal(frame[300:, 255:], source[300:, 255:])  # shoulders sway, a body rests
    assert (frames[3] != frames[10]).any(2).mean() > 0.05


def test_a_finished_job_makes_nothing_anew(result, job, work) -> None:
    before = (work / "job" / JobFile.JOURNAL).read_text()
    assert run_job(job, work / "job").frames == FRAMES
    assert (work / "job" / JobFile.JOURNAL).read_text() == before


def test_another_movement_makes_track_and_pictures_anew(result, job, work) -> None:
    calm = dataclasses.replace(job.animate, head=0.0, brows=0.0)
    other = dataclasses.replace(job, animate=calm, output=work / "calm")
    run_job(other, work / "job")
    track = load_track(work / "job" / "track.safetensors")
    assert np.ptp(track.rotation, axis=0).max() < 1e-6
    pictures = [cv2.imread(str(path)) for path in sorted((work / "calm").glob("*.png"))]
    assert len(pictures) == FRAMES
    assert all(np.array_equal(one[:100], pictures[0][:100]) for one in pictures)  # the forehead


def pipeline(job, folder, **changes):
    folder.mkdir()
    animate = dataclasses.replace(job.animate, **changes)
    return AnimatePipeline(dataclasses.replace(job, animate=animate), folder)


def test_a_crop_holds_the_head_alone_and_is_even(job, tmp_path) -> None:
    made_of = pipeline(job, tmp_path / "crop", mode="crop")
    track = made_of.track()
    shown = made_of.source.shown
    assert (track.width, track.height) == (shown.width, shown.height)
    assert shown.width < 320
    assert shown.width % 2 == shown.height % 2 == 0
    assert made_of.source.photo().shape == (shown.height, shown.width, 3)
    assert (track.landmarks[0] > 0).all()
    assert (track.landmarks[0] < (shown.width, shown.height)).all()


def test_a_still_head_blinks(job, tmp_path) -> None:
    long = dataclasses.replace(job, frame_count=200)
    made_of = pipeline(long, tmp_path / "still", mode="still", blink=1.0)
    motion = made_of.motion()
    assert not motion.turn.any()
    assert not motion.shift.any()
    assert motion.blink.max() == 1
    track = made_of.track()
    eye = track.expression_names.index("eyeBlinkLeft")
    assert np.ptp(track.expression[:, eye]) > 0.5
    assert np.ptp(track.rotation, axis=0).max() < 1e-6
    with made_of._opened() as shown:
        shut, opened = int(motion.blink.argmax()), int(motion.blink.argmin())
        pictures = {n: shown(n) for n in sorted((shut, opened))}
    changed = (pictures[shut] != pictures[opened]).any(2)
    assert 0.0005 < changed.mean() < 0.03


def test_seeds_move_otherwise_and_one_moves_again(job, tmp_path) -> None:
    long = dataclasses.replace(job, frame_count=100)
    found = [
        pipeline(long, tmp_path / f"s{n}", motion="auto", seed=seed).motion().turn
        for n, seed in enumerate((1, 1, 2))
    ]
    assert np.array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2], atol=1e-3)


def test_a_video_is_no_photo(job, tmp_path) -> None:
    clip = made.write_video(tmp_path / "clip.mp4", np.zeros((4, 64, 64, 3), np.uint8), 25)
    (tmp_path / "job").mkdir()
    with pytest.raises(InputError, match="no photo"):
        AnimatePipeline(dataclasses.replace(job, video=clip), tmp_path / "job")


def test_eyes_that_cannot_close_stay_open_and_that_is_said(job, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gsmooth_core.portrait.lids.Lids.reason", "They are hidden.")
    told: list[object] = []
    made_of = pipeline(job, tmp_path / "shut", blink=3.0)
    made_of.emit = told.append
    track = made_of.track()
    made_of.check()
    said = [event.text for event in told if isinstance(event, Message)]
    assert said == ["The eyes stay open: They are hidden."]
    eye = track.expression_names.index("eyeBlinkLeft")
    assert np.ptp(track.expression[:, eye]) < 1e-6


def test_the_job_file_says_how_a_photo_moves(job, work, tmp_path) -> None:
    again = Job.from_json(job.to_json())
    assert again == job
    assert pipeline_of(again) is AnimatePipeline
    plain = dataclasses.replace(job, animate=None)
    assert "animate" not in plain.to_json()
    assert not issubclass(pipeline_of(plain), AnimatePipeline)
    with pytest.raises(InputError, match="mode"):
        Job.from_json(job.to_json() | {"animate": {"mode": "dance"}})
    with pytest.raises(InputError, match="no setting 'heads'"):
        Job.from_json(job.to_json() | {"animate": {"heads": 1}})
    with pytest.raises(InputError, match="animate"):
        Job.from_json(job.to_json() | {"animate": 3})


def test_a_photo_is_animated_on_the_command_line(photo, curves, tmp_path, capsys) -> None:
    from gsmooth_core.app.cli import main

    words = ["animate", "--photo", str(photo), "--expression", str(curves), "--fps", "12.5"]
    more = ["--output", str(tmp_path / "out.mp4"), "--preset", "ultrafast", "--seed", "4"]
    assert main([*words, *more, "--mode", "crop", "--json"]) == 0
    clip = probe(tmp_path / "out.mp4")
    assert (clip.frame_count, clip.fps) == (FRAMES // 2, Fraction(25, 2))
    assert len(list(read_frames(clip, 0, 7))) == 7
    assert '"event": "result"' in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"out.mp4"}  # nothing is left behind


def test_the_chosen_one_of_two_is_cropped(photo, curves, tmp_path) -> None:
    her = cv2.imread(str(photo))[:240, 40:300]
    two = np.hstack([her, drawn_head(1, 240, 0.05)[..., ::-1]])
    cv2.imwrite(str(tmp_path / "two.png"), two)
    centres = []
    for face in ("1", "2"):
        settings = dataclasses.replace(SETTINGS, face=face)
        animate = AnimateSettings(mode="crop", motion="auto", blink=0.0)
        job = Job(
            tmp_path / "two.png", tmp_path / "o.mp4", expression=curves, settings=settings,
            animate=animate,
        )  # fmt: skip
        (tmp_path / face).mkdir()
        made_of = AnimatePipeline(job, tmp_path / face)
        track = made_of.track()
        centre = track.landmarks[0].mean(0)
        assert np.abs(centre - np.array([track.width, track.height]) / 2).max() < 0.2 * track.width
        centres.append(made_of.source._box[0])
    assert abs(centres[0] - centres[1]) > 100


def test_a_photo_is_no_movement_to_follow(job, photo, tmp_path) -> None:
    with pytest.raises(InputError, match="nothing moves"):
        pipeline(job, tmp_path / "job", motion=str(photo)).check()
    with pytest.raises(GSmoothError, match="nowhere"):
        pipeline(job, tmp_path / "job2", motion=str(tmp_path / "nowhere.safetensors")).check()


def test_shoulders_sway_as_a_track_says_beside_a_head_that_rests(job, turning, tmp_path) -> None:
    still = load_track(turning)
    away = np.zeros((FRAMES, 4), np.float32)
    away[:, 0] = 0.15 * np.sin(np.arange(FRAMES))
    rest = dataclasses.replace(still, rotation=np.repeat(still.rotation[:1], FRAMES, 0))
    stamps, frames = [], []
    for number, sway in enumerate((None, away, away / 2)):
        path = tmp_path / f"{number}.safetensors"
        save_track(path, dataclasses.replace(rest, sway=sway))
        made_of = pipeline(job, tmp_path / str(number), motion=str(path))
        made_of.track()
        stamps.append(str(made_of.source.pictures_stamp()))
        assert made_of.source.animation is not None
        largest = np.abs(away[:, 0]).argmax() if sway is None else np.abs(sway[:, 0]).argmax()
        frames.append(made_of.source.animation.frame(int(largest)))
    assert len(set(stamps)) == 3
    changed, face = (frames[0] != frames[1]).any(2), made_of.source.animation.sheet.face
    chin = int(np.nonzero(face)[0].max())
    assert not changed[face].any()
    assert changed[chin:].sum() > 5 * changed[:chin].sum()
    assert changed[chin:].mean() > 0.2


def test_hair_moves_as_a_track_says_beside_a_face_that_rests(job, turning, tmp_path) -> None:
    still = load_track(turning)
    away = np.zeros((FRAMES, 4), np.float32)
    away[:, 0] = 0.05 * np.sin(np.arange(FRAMES))
    rest = dataclasses.replace(still, rotation=np.repeat(still.rotation[:1], FRAMES, 0))
    stamps, frames = [], []
    for number, hair in enumerate((None, away)):
        path = tmp_path / f"{number}.safetensors"
        save_track(path, dataclasses.replace(rest, hair=hair))
        made_of = pipeline(job, tmp_path / str(number), motion=str(path))
        made_of.track()
        stamps.append(str(made_of.source.pictures_stamp()))
        frames.append(made_of.source.animation.frame(int(np.abs(away[:, 0]).argmax())))
    assert len(set(stamps)) == 2
    changed, face = (frames[0] != frames[1]).any(2), made_of.source.animation.sheet.face
    chin, inside = int(np.nonzero(face)[0].max()), np.ones((21, 21), np.uint8)
    assert not changed[cv2.erode(face.astype(np.uint8), inside) > 0].any()
    assert not changed[chin:].any()
    assert changed[:chin].sum() > 100


@pytest.fixture(scope="module")
def nods() -> Nodding:
    return nodding(1, 28)


def test_a_videos_nods_are_followed_whole_and_found_once(job, nods, tmp_path, monkeypatch) -> None:
    video = made.write_video(tmp_path / "nods.mp4", nods.frames, 25)
    made_of = pipeline(job, tmp_path / "job", motion=str(video))
    events: list[Event] = []
    made_of.emit = events.append
    track = made_of._reference()
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert last == Progress("motion", len(nods.frames), len(nods.frames))
    found, true = (
        matrix_turns(turns @ turns[0].T)[:, 0]
        for turns in map(rotation_matrix, (track.rotation, nods.rotation))
    )
    assert np.corrcoef(found, true)[0, 1] > 0.95
    assert 0.85 < np.polyfit(true, found, 1)[0] < 1.15  # landmarks alone: .7
    assert track.sway is not None
    assert track.sway.shape == (len(nods.frames), 4)
    assert track.hair is not None
    assert track.hair.shape == (len(nods.frames), 4)
    assert made_of.motion().sway.shape == made_of.motion().hair.shape == (FRAMES, 4)
    monkeypatch.setattr("gsmooth_core.animate.refine_poses", lambda track, *_: track)
    np.testing.assert_array_equal(made_of._reference().rotation, track.rotation)
    monkeypatch.setattr("gsmooth_core.animate._POSES", "others")
    assert not np.allclose(made_of._reference().rotation, track.rotation)


def test_a_photo_without_colour_gets_a_mouth_without_colour(photo, curves, tmp_path) -> None:
    grey = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    job = Job(tmp_path / "grey.png", tmp_path / "out", expression=curves, settings=SETTINGS)
    run_job(job, tmp_path / "job")
    for path in sorted((tmp_path / "out").glob("*.png")):
        frame = cv2.imread(str(path)).astype(int)
        assert np.ptp(frame, axis=2).max() <= 3


def test_edited_poses_and_blinks_move_the_photo(job, tmp_path) -> None:
    folder = tmp_path / "edited"
    made_of = pipeline(job, folder)
    before = made_of.track()
    names = (*PLACE, *TURN, *BLINKS)
    turn = before.rotation.copy()
    turn[:, 1] = before.rotation[0, 1] + np.linspace(0, 0.2, FRAMES)
    blink = np.zeros((FRAMES, 2), np.float32)
    blink[5] = 1
    values = np.concatenate([before.translation, turn, blink], 1)
    save_expression(folder / "expression.json", Expression(names, values, before.fps))
    again = AnimatePipeline(made_of.job, folder)
    after = again.track()
    np.testing.assert_allclose(after.rotation, turn, atol=2e-3)
    assert after.expression[5, after.expression_names.index("eyeBlinkLeft")] == 1
    with again._opened() as shown:
        assert (shown(0) != shown(FRAMES - 1)).any(2).mean() > 0.05


@pytest.mark.parametrize("mode", ["full", "still"])
def test_brows_move_with_the_speech_where_no_curves_say_otherwise(job, mode, tmp_path) -> None:
    def made_of(name: str, brows: float, curves=job.expression):
        given = dataclasses.replace(job, expression=curves)
        # A head that rests follows no video: none is looked at, not even one that is not there.
        motion = "auto" if mode == "full" else str(tmp_path / "none.mp4")
        moves = {"mode": mode, "motion": motion, "brows": brows, "seed": 3}
        run = pipeline(given, tmp_path / name, **moves)
        track = run.track()
        return track, run.target(track), run.source.animation.motion.brow

    track, target, brow = made_of("moved", 1.0)
    column = target.names.index("browInnerUp")
    raised = np.clip(track.expression[:, column] + 0.7 * np.tanh(np.maximum(brow, 0) / 0.7), 0, 1)
    np.testing.assert_allclose(target.values[:, column], raised, atol=1e-5)
    assert np.abs(brow).max() > 0.005  # 14 frames of silence
    track, target, brow = made_of("calm", 0.0)
    assert not brow.any()
    others = [i for i, name in enumerate(target.names) if name.startswith("brow")]
    np.testing.assert_array_equal(target.values[:, others], track.expression[:, others])
    values = np.full((FRAMES, 2), 0.5, np.float32)
    own = tmp_path / "own.json"
    save_expression(own, Expression(("jawOpen", "browInnerUp"), values, Fraction(25)))
    _, target, _ = made_of("given", 1.0, own)
    np.testing.assert_allclose(target.values[:, column], 0.5, atol=1e-5)


def test_a_style_that_is_not_there_is_refused(job, tmp_path) -> None:
    count = motion_library().clips
    pipeline(job, tmp_path / "last", motion="auto", style=count - 1).check()
    with pytest.raises(InputError, match="no style"):
        pipeline(job, tmp_path / "none", motion="auto", style=count).check()


def test_a_photo_larger_than_it_may_be_is_made_smaller_and_that_is_said(
    job, photo, tmp_path
) -> None:
    told: list[object] = []
    made_of = pipeline(job, tmp_path / "large", size=201)
    made_of.emit = told.append
    made_of.check()
    assert made_of.source.photo().shape == (200, 200, 3)
    assert (made_of.source.shown.width, made_of.source.shown.height) == (200, 200)
    assert any("200 x 200" in event.text for event in told if isinstance(event, Message))
    whole = cv2.imread(str(photo))[..., ::-1].astype(float)
    assert made_of.source.photo().mean() == pytest.approx(whole.mean(), abs=1)


def test_a_photo_is_never_taken_for_interlaced(job, tmp_path) -> None:
    """At 64 pixels its own lines stand out as combs do."""
    assert pipeline(job, tmp_path / "still").compose_settings(scene.still()).progressive


def test_a_photo_that_ends_in_the_mouth_is_told(job, photo, tmp_path) -> None:
    face = pipeline(job, tmp_path / "whole")._face()
    lips = face.landmarks[0][[13, 14]].mean(0)
    for rows, told in ((int(lips[1]), True), (int(face.height), False)):
        cut = tmp_path / f"{rows}.png"
        cv2.imwrite(str(cut), cv2.imread(str(photo))[: rows // 2 * 2])
        texts: list[object] = []
        made_of = pipeline(dataclasses.replace(job, video=cut), tmp_path / f"{rows}")
        made_of.emit = texts.append
        made_of.track()
        found = [e for e in texts if isinstance(e, Message) and "ends in the mouth" in e.text]
        assert bool(found) == told


def test_a_head_that_takes_long_is_told(job, tmp_path, monkeypatch) -> None:
    told: list[object] = []
    made_of = pipeline(job, tmp_path / "wide")
    made_of.emit = told.append
    made_of.track()
    assert not any("--size" in event.text for event in told if isinstance(event, Message))
    monkeypatch.setattr("gsmooth_core.animate._LARGE", 50)
    made_of = pipeline(job, tmp_path / "wider")
    made_of.emit = told.append
    made_of.track()
    assert any("--size" in event.text for event in told if isinstance(event, Message))
