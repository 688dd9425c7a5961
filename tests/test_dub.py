"""The way from a job to a dubbed file, with the real models, on a public-domain photo."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.errors import CancelledError, InputError
from gsmooth_core.evaluation.metrics.shot import open_shot
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mouth import aperture, correlation
from gsmooth_core.job.events import Message, Progress
from gsmooth_core.job.job import Job
from gsmooth_core.job.names import JobFile
from gsmooth_core.media import probe, read_frames
from gsmooth_core.networks.litert import Network
from gsmooth_core.storage.arrays import load_expression, load_track, save_expression
from gsmooth_core.taft.adaptation.adapt import AdaptSettings
from gsmooth_core.taft.samples import SampleSettings
from gsmooth_core.taft.stored import StoredFrames
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.tracking import track_face
from gsmooth_core.types import Expression
from tests.clips import FRAMES, SETTINGS, curves, pictures, told, video


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("dub")


@pytest.fixture(scope="module")
def clip(work):
    return video(work / "clip.mp4", pictures())


@pytest.fixture(scope="module")
def opening():
    return 0.25 - 0.25 * np.cos(np.arange(FRAMES) * 2 * np.pi / FRAMES)


@pytest.fixture(scope="module")
def job(work, clip, opening):
    spoken = curves(work / "curves.json", opening)
    return Job(video=clip, output=work / "out.mp4", expression=spoken, settings=SETTINGS)


@pytest.fixture(scope="module")
def result(job, work):
    return dub(job, work / "job")


def test_the_output_has_the_form_of_the_source_and_nothing_outside_the_mask_changed(result, job):
    source, made_clip = probe(job.video), probe(job.output)
    assert (made_clip.frame_count, made_clip.fps) == (FRAMES, source.fps)
    assert (made_clip.width, made_clip.height) == (source.width, source.height)
    assert result.outside_mask_max_difference == 0
    assert result.untouched_frames == []
    assert json.loads((job.output.parent / "job" / "report.json").read_text())["frames"] == FRAMES


def test_what_is_painted_outside_the_mask_is_seen(job, tmp_path, monkeypatch):
    """Seven steps of luma in one pixel of a corner, in one frame."""
    true, laid = StoredFrames.lay, []

    def spill(self, stored, lays):
        picture, changed = true(self, stored, lays)
        laid.append(picture)
        if len(laid) == 3:
            picture.planes[0][2, 5] += 7 if picture.planes[0][2, 5] < 200 else -7
        return picture, changed

    monkeypatch.setattr(StoredFrames, "lay", spill)
    job = dataclasses.replace(job, output=tmp_path / "spilt.mp4", frame_count=6)
    assert dub(job, tmp_path / "job").outside_mask_max_difference == 7


def test_a_generator_that_paints_everywhere_changes_the_mask_alone(job, tmp_path, monkeypatch):
    """The promise holds whatever the network makes: here a plain green."""
    masks = []

    def noted(_number, made_frame):
        masks.append(made_frame.mask)
        return made_frame

    def green(_translator, composed):
        return np.full_like(composed.image, [0, 1, 0])

    monkeypatch.setattr(FaceTranslator, "_generate", green)
    job = dataclasses.replace(job, output=tmp_path / "frames", frame_count=4)
    assert dub(job, tmp_path / "job", make=told(noted)).outside_mask_max_difference == 0
    source = read_frames(probe(job.video), 0, 4)
    for number, (mask, frame) in enumerate(zip(masks, source, strict=True)):
        written = cv2.imread(str(job.output / f"{number:05d}.png"))[..., ::-1]
        assert np.array_equal(written[~mask], frame[~mask])
        assert (written[mask] != frame[mask]).any(axis=1).mean() > 0.9


def test_the_mouth_found_in_the_output_opens_as_the_curves_say(result, job, opening):
    clip = probe(job.output)
    found = track_face(read_frames(clip), clip, load_face_model())
    assert correlation(aperture(found.landmarks), opening) > 0.8


def test_a_finished_job_is_not_made_again(result, job, work):
    done = []
    again = dub(job, work / "job", on_event=done.append)
    assert (again.made_frames, again.written) == ([], False)
    same = {"seconds": 0, "made_frames": [], "written": False}
    assert dataclasses.replace(again, **same) == dataclasses.replace(result, **same)
    assert not [e for e in done if isinstance(e, Progress) and e.stage == "track"]


def decoded(path):
    return [frame.copy() for frame in read_frames(probe(path))]


@pytest.fixture(scope="module")
def edited(job, work, opening):
    """A job of key frames, and the same after an edit of two frames in its middle."""
    settings = dataclasses.replace(SETTINGS, intra=True)
    whole = dataclasses.replace(job, output=work / "edit" / "v1.mp4", settings=settings)
    first = dub(whole, work / "edit")
    values = opening.copy()
    values[7:9] += 0.3
    curves(work / "edit" / "expression.json", values)
    again = dataclasses.replace(whole, output=work / "edit" / "v2.mp4")
    return first, dub(again, work / "edit"), again


def test_an_edit_makes_the_frames_that_it_touches_and_no_others(edited):
    first, second, _job = edited
    assert first.made_frames == [(0, FRAMES - 1)]
    made = [t for a, b in second.made_frames for t in range(a, b + 1)]
    touched = [t for a, b in second.touched_frames for t in range(a, b + 1)]
    assert sorted({7, 8} | set(touched)) == made
    assert not {7, 8} & set(touched)
    assert all(3 <= t <= 12 for t in touched)  # the choice of references is smoothed over 4 frames
    before, after = decoded(first.output), decoded(second.output)
    for t in range(FRAMES):
        same = np.array_equal(before[t], after[t])
        assert same if t not in made else True, t
        assert not same if t in (7, 8) else True, t
    assert second.outside_mask_max_difference == 0


def test_an_edit_gives_the_pictures_of_a_render_of_all_frames(edited, tmp_path, opening):
    """Frames that were made alone are those of the whole job with these curves."""
    first, second, job = edited
    values = opening.copy()
    values[7:9] += 0.3
    spoken = curves(tmp_path / "curves.json", values)
    whole = dataclasses.replace(job, output=tmp_path / "whole.mp4", expression=spoken)
    wanted = decoded(dub(whole, tmp_path / "job").output)
    before, after = decoded(first.output), decoded(second.output)

    def apart(one, other):
        return float(np.abs(one.astype(int) - other).mean())

    # The generator may be given a part of another size there, which changes its picture a little.
    assert max(apart(*pair) for pair in zip(wanted, after, strict=True)) < 0.3
    assert all(apart(wanted[t], after[t]) < apart(wanted[t], before[t]) / 4 for t in (7, 8))


def test_without_an_edit_nothing_is_written(edited):
    _first, second, job = edited
    before = {path: path.stat().st_mtime_ns for path in job.output.parent.iterdir()}
    third = dub(dataclasses.replace(job, output=job.output.with_name("v3.mp4")), job.output.parent)
    assert (third.made_frames, third.written, third.output) == ([], False, second.output)
    assert not job.output.with_name("v3.mp4").exists()
    segments = [path for path in before if path.name.startswith(("segment", "v"))]
    assert len(segments) == 5
    assert open_shot(job.output.parent).job.output == job.output  # as Check Quality reads it
    assert all(path.stat().st_mtime_ns == before[path] for path in segments)


def test_what_curves_lose_by_rounding_is_no_edit(edited, opening):
    _first, _second, job = edited
    values = opening.copy()
    values[7:9] += 0.3
    curves(job.output.parent / "expression.json", np.round(values, 5) + 4e-6)
    assert dub(job, job.output.parent).made_frames == []


def test_a_stopped_job_goes_on_where_it_was(job, work, tmp_path):
    job = dataclasses.replace(job, output=tmp_path / "stopped.mp4")
    seen = []

    def stop_in_the_second_segment():
        return any(e.stage == "render" and e.done > 8 for e in seen if isinstance(e, Progress))

    with pytest.raises(CancelledError):
        dub(job, tmp_path / "job", seen.append, stop_in_the_second_segment)
    assert not job.output.exists()
    assert "segment" in (tmp_path / "job" / JobFile.JOURNAL).read_text()
    rest = []
    dub(job, tmp_path / "job", rest.append)
    first = next(e for e in rest if isinstance(e, Progress) and e.stage == "render")
    assert first.done == 6  # the first segment was kept
    assert probe(job.output).frame_count == FRAMES


def test_a_job_that_was_stopped_while_following_goes_on_at_that_frame(job, tmp_path, monkeypatch):
    """No network is asked again about what it has answered, and the track is the same."""
    asked = []
    answer = Network._answer
    monkeypatch.setattr(Network, "_answer", lambda net, *x: asked.append(net) or answer(net, *x))

    def asks(folder, stop_at=None):
        seen = []
        asked.clear()

        def stopped():
            done = [e.done for e in seen if isinstance(e, Progress) and e.stage == "track"]
            return stop_at is not None and max(done, default=0) >= stop_at

        folder.mkdir(exist_ok=True)
        run = DubPipeline(job, folder, seen.append, stopped)
        if stop_at is None:
            run.track()
        else:
            with pytest.raises(CancelledError):
                run.track()
        return len(asked)

    whole = asks(tmp_path / "whole")
    first, rest = asks(tmp_path / "stopped", 9), asks(tmp_path / "stopped")
    assert first > 9
    assert first + rest == whole
    one, other = (load_track(tmp_path / n / "track.safetensors") for n in ("whole", "stopped"))
    for name in ("expression", "rotation", "translation", "light", "landmarks", "confidence"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert not (tmp_path / "stopped" / JobFile.ANSWERS).exists()


def test_edits_of_the_user_come_before_everything_else(result, job, work, tmp_path):
    run = DubPipeline(job, work / "job")
    track = run.track()
    edited = curves(work / "job" / "expression.json", np.full(FRAMES, 0.4))
    try:
        target = run.target(track)
    finally:
        edited.unlink()
    jaw = target.names.index("jawOpen")
    np.testing.assert_allclose(target.values[:, jaw], 0.4, atol=1e-5)
    others = [i for i in range(len(target.names)) if i != jaw]
    np.testing.assert_array_equal(target.values[:, others], track.expression[:, others])


def test_brows_go_where_curves_have_them_and_stay_where_a_prediction_says_nothing(
    result, job, work, tmp_path
):
    """A prediction has them 0 throughout, and so moves none; the mouth is the same in both."""
    track, mouth = load_track(work / "job" / "track.safetensors"), load_expression(job.expression)
    brows = ("browInnerUp", "browOuterUpLeft")
    filmed = track.expression[:, [track.expression_names.index(name) for name in brows]]
    raised = filmed.copy()
    raised[4:8] += 0.9
    settings = dataclasses.replace(SETTINGS, quality="lossless")
    pictures = []
    for name, values in (("silent", 0 * filmed), ("raised", raised)):
        curves_of_both = np.hstack([mouth.values, values])
        spoken = tmp_path / f"{name}.json"
        save_expression(spoken, Expression((*mouth.names, *brows), curves_of_both, mouth.fps))
        given = {"expression": spoken, "output": tmp_path / f"{name}.mkv", "settings": settings}
        own = dataclasses.replace(job, **given)
        assert dub(own, tmp_path / name).outside_mask_max_difference == 0
        pictures.append(np.array(decoded(own.output)))
    apart = np.abs(pictures[1].astype(int) - pictures[0]).max((1, 2, 3))
    assert np.flatnonzero(apart).tolist() == [4, 5, 6, 7]
    assert apart[4:8].min() > 40


def test_a_face_that_is_drawn_as_a_whole_has_its_brows_already(result, job, work, tmp_path):
    """Nothing moves them once more; elsewhere a mover does, and the mouth knows nothing of it."""
    track = load_track(work / "job" / "track.safetensors")
    raised = track.expression.copy()
    brow = track.expression_names.index("browInnerUp")
    raised[:, brow] += 0.5
    spoken = tmp_path / "raised.json"
    save_expression(spoken, Expression(track.expression_names, raised, track.fps))
    for mask, movers in (("face", 0), ("lower_face", 1)):
        settings = dataclasses.replace(SETTINGS, mask=mask)
        own = dataclasses.replace(job, expression=spoken, settings=settings)
        run = DubPipeline(own, folder_of(tmp_path / mask))
        (part,) = run.parts()
        translator = run.planned(part.track, part.target)
        assert (run.brows(part, translator.wanted) is not None) == movers
        drawn = translator.composer.target[:, brow] - track.expression[:, brow]
        assert drawn.min() == pytest.approx(0 if movers else 0.5, abs=1e-4)
        assert np.abs(translator.asked[:, brow] - raised[:, brow]).max() < 1e-4


def folder_of(path):
    path.mkdir()
    return path


def test_curves_that_are_none_are_refused_before_anybody_is_followed(job, tmp_path):
    bad = tmp_path / "curves.csv"
    bad.write_text("Seconds,JawOpen\n0,0.5\n")
    with pytest.raises(InputError, match="one frame"):
        dub(dataclasses.replace(job, expression=bad), tmp_path / "job", temporary=True)
    assert not (tmp_path / "job").exists()


def test_the_mesh_holds_the_targets_curves_and_the_clips_texture(result, job, work):
    run = DubPipeline(job, work / "job")
    track = run.track()
    paths = run.mesh(track, run.target(track))
    texture = cv2.imread(paths["texture"])
    assert texture.shape == (1024, 1024, 3)
    assert texture.std() > 10


def test_a_clip_that_is_too_short_to_learn_from_is_made_all_the_same(clip, opening, tmp_path):
    spoken = curves(tmp_path / "curves.json", opening)
    settings, seen = dataclasses.replace(SETTINGS, adapt=5.0), []
    job = Job(video=clip, output=tmp_path / "o.mp4", expression=spoken, settings=settings)
    dub(job, tmp_path / "job", seen.append)
    assert [e for e in seen if isinstance(e, Message) and "too short to learn" in e.text]
    assert job.output.is_file()


def test_of_a_folder_for_the_output_alone_nothing_is_left(clip, opening, tmp_path):
    spoken = curves(tmp_path / "curves.json", opening)
    for place in ("first", "again"):
        job = Job(video=clip, output=tmp_path / "o.mp4", expression=spoken, settings=SETTINGS)
        dub(job, tmp_path / "o.mp4.gsmooth", temporary=True)
        assert {p.name for p in tmp_path.iterdir()} == {"o.mp4", "curves.json"}, place


def test_what_was_learned_is_kept_with_the_job(clip, opening, tmp_path, monkeypatch):
    few = AdaptSettings(SampleSettings(4, 0.04), parts=2, fade=0.04, shortest=0.04)
    monkeypatch.setattr(DubPipeline, "adapt_settings", few)
    spoken = curves(tmp_path / "curves.json", opening)
    settings = dataclasses.replace(SETTINGS, adapt=60.0)
    job = Job(video=clip, output=tmp_path / "o.mp4", expression=spoken, settings=settings)
    dub(job, tmp_path / "job")
    job.output.unlink()
    curves(spoken, opening[::-1])  # another mouth, the same person
    seen = []
    dub(job, tmp_path / "job", seen.append)
    assert not [e for e in seen if isinstance(e, Progress) and e.stage == "adapt"]
    assert job.output.is_file()
