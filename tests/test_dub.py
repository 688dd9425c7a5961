"""The way from a job to a dubbed file, with the real models, on a public-domain photo."""

import dataclasses
import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
import skimage.data

from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.errors import CancelledError, InputError, NoFaceError, NoSpeechError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mouth import aperture, correlation
from gsmooth_core.job.events import Message, Progress
from gsmooth_core.job.followed import ANSWERS_FILE
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import JOURNAL_FILE
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.media import probe, read_frames
from gsmooth_core.networks.litert import Network
from gsmooth_core.storage.arrays import load_track, save_expression
from gsmooth_core.taft.adapt import AdaptSettings
from gsmooth_core.taft.samples import SampleSettings
from gsmooth_core.taft.stored import StoredFrames
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.tracking import track_face
from gsmooth_core.types import Expression
from tests.media import made
from tests.tracking.heads import drawn_head

FRAMES = 16
SETTINGS = DubSettings(preset="ultrafast", chunk_frames=6)


def pictures(blank=()):
    """The astronaut, slowly coming nearer; nothing but grey in the frames `blank`."""
    photo = skimage.data.astronaut()
    frames = []
    for n in range(FRAMES):
        half = 150 - n
        part = photo[130 - min(half, 130) : 130 + half, 225 - half : 225 + half]
        frame = cv2.resize(part, (256, 240), interpolation=cv2.INTER_AREA)
        frames.append(np.full_like(frame, 90) if n in blank else frame)
    return frames


def video(path, frames):
    return made.write_video(path, np.array(frames), 25, "-crf", 4)


def curves(path, values, name="jawOpen"):
    values = np.asarray(values, np.float32)[:, None]
    save_expression(path, Expression((name,), values, Fraction(25)))
    return path


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


def told(on_frame):
    """A way whose every finished frame `on_frame` sees, and may give back as another."""

    class Told(DubPipeline):
        def translator(self, *arguments):
            true = super().translator(*arguments)
            translate_all = true.translate_all

            def seen(frames):
                for number, (frame, made_frame) in enumerate(translate_all(frames)):
                    yield frame, on_frame(number, made_frame)

            true.translate_all = seen
            return true

    return Told


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
    assert "segment" in (tmp_path / "job" / JOURNAL_FILE).read_text()
    rest = []
    dub(job, tmp_path / "job", rest.append)
    first = next(e for e in rest if isinstance(e, Progress) and e.stage == "render")
    assert first.done == 6  # the first segment was kept
    assert probe(job.output).frame_count == FRAMES


def test_a_job_that_was_stopped_while_following_goes_on_at_that_frame(job, tmp_path, monkeypatch):
    """No network is asked again about what it has answered, and the track is the same."""
    asked = []
    answer = Network._answer
    monkeypatch.setattr(Network, "_answer", lambda net, x: asked.append(net) or answer(net, x))

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
    assert not (tmp_path / "stopped" / ANSWERS_FILE).exists()


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


def test_curves_that_are_none_are_refused_before_anybody_is_followed(job, tmp_path):
    bad = tmp_path / "curves.csv"
    bad.write_text("Seconds,JawOpen\n0,0.5\n")
    with pytest.raises(InputError, match="one frame"):
        dub(dataclasses.replace(job, expression=bad), tmp_path / "job", temporary=True)
    assert not (tmp_path / "job").exists()


def test_of_two_people_one_is_dubbed_and_the_other_reported(tmp_path, opening):
    """A cut to another person: those frames stay as they are, whoever is chosen."""
    frames = pictures()[:8] + [drawn_head(1, 256, 0.02 * n)[:240] for n in range(8)]
    clip = video(tmp_path / "cut.mp4", frames)
    spoken = curves(tmp_path / "curves.json", opening)
    outcomes = {}
    for face in ("1", "2"):
        settings = dataclasses.replace(SETTINGS, face=face)
        job = Job(clip, tmp_path / f"{face}.mkv", expression=spoken, settings=settings)
        result = outcomes[face] = dub(job, tmp_path / f"job{face}")
        mine = [person for person in result.people if person.chosen]
        assert [person.number for person in mine] == [int(face)]
        (other,) = (person for person in result.people if not person.chosen)
        assert [(u.first, u.last, u.why) for u in result.untouched] == [
            (*other.frames[0], "someone else")
        ]
        assert result.shots == [(0, 7), (8, 15)]
        report = json.loads((tmp_path / f"job{face}" / "report.json").read_text())
        assert report["untouched"] == [dataclasses.asdict(stretch) for stretch in result.untouched]
        before, after = read_frames(probe(clip)), read_frames(probe(job.output))
        changes = [np.abs(a.astype(int) - b).max() for a, b in zip(before, after, strict=True)]
        first, last = other.frames[0]
        assert max(changes[first : last + 1]) <= 20  # the encoder's
        first, last = mine[0].frames[0]
        assert max(changes[first : last + 1]) > 40
    assert outcomes["1"].untouched_frames != outcomes["2"].untouched_frames


def test_frames_without_a_face_pass_untouched_and_are_reported(tmp_path, opening):
    clip = video(tmp_path / "gap.mp4", pictures(blank=(7, 8)))
    spoken = curves(tmp_path / "curves.json", opening)
    job = Job(video=clip, output=tmp_path / "out.mkv", expression=spoken, settings=SETTINGS)
    result = dub(job, tmp_path / "job")
    assert (7, 8) in result.untouched_frames
    assert not load_track(tmp_path / "job" / "track.safetensors").usable[7:9].any()
    grey = list(read_frames(probe(job.output)))[7]
    assert np.abs(grey.astype(int) - 90).max() <= 3


def test_a_clip_without_any_face_says_so(tmp_path, opening):
    clip = video(tmp_path / "no.mp4", pictures(blank=range(FRAMES)))
    spoken = curves(tmp_path / "curves.json", opening)
    with pytest.raises(NoFaceError):
        dub(Job(video=clip, output=tmp_path / "o.mp4", expression=spoken), tmp_path / "job")
    assert not (tmp_path / "o.mp4").exists()


def test_a_still_picture_speaks_as_long_as_its_curves(tmp_path):
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), pictures()[0][..., ::-1])
    spoken = curves(tmp_path / "curves.json", np.linspace(0, 0.5, 10))
    job = Job(video=photo, output=tmp_path / "still.mp4", expression=spoken, settings=SETTINGS)
    told = []
    assert dub(job, tmp_path / "job", told.append).frames == 10
    assert [e for e in told if isinstance(e, Message) and "gsmooth animate" in e.text]
    first, *_, last = read_frames(probe(job.output))
    assert np.abs(first.astype(int) - last).max() > 40  # the mouth has opened


def test_silence_is_refused_before_any_frame_is_looked_at(clip, tmp_path):
    silent = made.write_wav(tmp_path / "silent.wav", np.zeros(16000), 16000)
    seen = []
    with pytest.raises(NoSpeechError):
        dub(Job(video=clip, output=tmp_path / "o.mp4", audio=silent), tmp_path / "job", seen.append)
    assert not seen


@pytest.mark.parametrize("length", ["hold", "ping-pong"])
def test_a_picture_is_made_to_last_as_long_as_the_speech(clip, tmp_path, length):
    """Twice as many curves as pictures: followed once, and no picture lends to its copy."""
    spoken = curves(tmp_path / "long.json", 0.25 - 0.25 * np.cos(np.arange(2 * FRAMES) / 2))
    settings = dataclasses.replace(SETTINGS, length=length)
    job = Job(clip, tmp_path / "o.mkv", expression=spoken, settings=settings)
    members = []

    def noted(_number, made_frame):
        members.append(made_frame.members)
        return made_frame

    seen = []
    result = dub(job, tmp_path / "job", seen.append, make=told(noted))
    assert (result.frames, result.length, result.source_frames) == (2 * FRAMES, length, FRAMES)
    assert max(e.done for e in seen if isinstance(e, Progress) and e.stage == "track") == FRAMES
    source = Source(job)
    for frame, taken in enumerate(members):
        assert taken
        assert source.pictures[frame] not in source.pictures[list(taken)]
    before = source.read(0, 2 * FRAMES)
    corner = np.s_[:40, :40]  # outside of every mask: it shows which picture it is
    for frame, made_frame in zip(before, read_frames(probe(job.output)), strict=True):
        assert np.abs(frame[corner].astype(int) - made_frame[corner]).mean() < 4
    again = dataclasses.replace(job, settings=SETTINGS, output=tmp_path / "trim.mkv")
    seen.clear()
    dub(again, tmp_path / "job", seen.append)
    assert not [e for e in seen if isinstance(e, Progress) and e.stage == "track"]


def test_speech_that_is_longer_than_the_picture_is_said_to_be_lost(clip, tmp_path):
    """1.5 s of speech from .25 s on, with .04 s of the picture before it, over .64 s of picture."""
    speech = made.write_wav(tmp_path / "long.wav", made.speechlike(1.5), 16000)
    job = Job(clip, tmp_path / "o.mp4", speech, audio_start=0.25, audio_delay=0.04)
    assert Source(job).unheard_seconds() == pytest.approx(0.65, abs=0.01)
    early = dataclasses.replace(job, audio_start=-0.25)
    assert Source(early).unheard_seconds() == pytest.approx(1.15, abs=0.01)
    shorter = dataclasses.replace(job, audio_duration=0.5)
    assert Source(shorter).unheard_seconds() == 0
    seen = []
    DubPipeline(dataclasses.replace(job, output=tmp_path / "p.mp4"), tmp_path, seen.append).check()
    (warning,) = [e.text for e in seen if isinstance(e, Message)]
    assert "last 0.6 s are lost" in warning or "last 0.7 s are lost" in warning


def test_a_missing_speech_file_is_named(clip, tmp_path):
    job = Job(video=clip, output=tmp_path / "o.mp4", audio=tmp_path / "no.wav")
    with pytest.raises(InputError, match=r"no\.wav"):
        dub(job, tmp_path / "job")


def test_more_frames_than_the_clip_has_are_refused(clip, tmp_path):
    job = Job(video=clip, output=tmp_path / "o.mp4", start_frame=10, frame_count=7)
    with pytest.raises(InputError, match="has 16 frames"):
        DubPipeline(job, tmp_path)


def test_the_mesh_holds_the_targets_curves_and_the_clips_texture(result, job, work):
    run = DubPipeline(job, work / "job")
    track = run.track()
    paths = run.mesh(track, run.target(track))
    texture = cv2.imread(paths["texture"])
    assert texture.shape == (1024, 1024, 3)
    assert texture.std() > 10


def test_what_passes_before_the_mouth_stays_and_is_reported(tmp_path, opening):
    frames = pictures()
    for n in range(8, 13):
        cv2.circle(frames[n], (90 + 4 * n, 150), 16, (25, 28, 30), -1)
    clip = video(tmp_path / "stick.mp4", frames)
    spoken = curves(tmp_path / "curves.json", opening)
    job = Job(video=clip, output=tmp_path / "out.mkv", expression=spoken, settings=SETTINGS)
    seen = []
    result = dub(job, tmp_path / "job", seen.append)
    told = [e.text for e in seen if isinstance(e, Message) and "before the mouth" in e.text]
    assert told == [notice.text for notice in result.notices if notice.what == "occluders"]
    assert [(a, b) for a, b in result.occluders if a <= 11 <= b]
    assert "Keep What Passes Before" in told[0]
    assert "--no-occluders" in told[0]
    kept = json.loads((tmp_path / "job" / "report.json").read_text())
    assert kept["notices"][-1]["text"] == told[0]
    source, output = (list(read_frames(probe(path))) for path in (clip, job.output))
    disc = np.hypot(*np.mgrid[-150:90, -134:122]) < 12  # frame 11
    assert np.abs(output[11].astype(int) - source[11])[disc].mean() < 4
    again = []
    dub(job, tmp_path / "job", again.append)
    assert not [e for e in again if isinstance(e, Progress) and e.stage == "occluders"]


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
