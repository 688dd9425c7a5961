"""A rate that is given with a video, which has its own."""

from dataclasses import replace
from fractions import Fraction

from gsmooth_core.job.as_video import as_video, read_as_video
from gsmooth_core.job.job import Job
from tests.media import made


def test_that_a_video_keeps_its_rate_or_is_shown_at_another_is_said(tmp_path):
    path = made.write_video(tmp_path / "a.mp4", made.numbered_frames(4), 25)
    said = []
    with read_as_video(path, Fraction(30), said.append) as read:
        assert read == path
    assert [event.level for event in said] == ["warning"]
    assert "'a.mp4' keeps its own" in said.pop().text
    with read_as_video(path, None, said.append):
        assert not said
    job = Job(video=path, output=tmp_path / "o.mp4", audio=path)
    for fps, told in ((None, []), (Fraction(25), []), (Fraction(30), ["1.2 times as fast"])):
        given = replace(job, fps=fps)
        assert as_video(given, tmp_path, said.append) == given
        assert [event.text.rpartition("moves ")[2].rstrip(".") for event in said] == told
    assert [event.level for event in said] == ["info"]
