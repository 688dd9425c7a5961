"""What a clip shows, in ranges and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gsmooth_core.job.seen import (
    Dubbed,
    Refused,
    Seen,
    Untouched,
    covered_in_words,
    in_words,
    occluded_in_words,
    people_of,
    shots_of,
    told,
    unseen_in_words,
    untouched,
)
from gsmooth_core.types import FaceTrack
from tests.doubles import face_track


def _track() -> FaceTrack:
    """Ten frames: 0-1 mine, 2 mine but hidden, 3-4 mixed, 5-6 another's, 7 nobody's, 8-9 both."""
    track = face_track(10)
    mine = np.isin(np.arange(10), [0, 1, 2, 8, 9])
    other = np.isin(np.arange(10), [5, 6, 8, 9])
    landmarks = np.where(mine[:, None, None], track.landmarks, np.nan).astype(np.float32)
    return replace(
        track,
        landmarks=landmarks,
        confidence=(mine & (np.arange(10) != 2)).astype(np.float32),
        shot=np.array([0, 0, 0, -1, -1, 1, 1, 1, 1, 1], np.int32),
        people=np.stack([mine, other], 1),
        person=1,
    )


def test_why_frames_stay_as_they_are() -> None:
    assert untouched(_track()) == [
        Untouched(2, 2, "unusable"),
        Untouched(3, 4, "dissolve"),
        Untouched(5, 6, "someone else"),
        Untouched(7, 7, "no face"),
    ]


def test_in_words_with_the_readers_numbers() -> None:
    words = in_words(_track(), 100)
    assert "No usable face in frame 102; left" in words
    assert "Someone else is seen in frames 105-106" in words
    assert "Two pictures are mixed in frames 103-104" in words
    assert in_words(face_track(3), 0) == ""


def test_what_is_left_before_the_mouth_is_named_with_what_to_do() -> None:
    words = occluded_in_words([(3, 7), (9, 9)], 100)
    assert "before the mouth in frames 103-107, 109 and was left as filmed" in words
    for way in ("Keep What Passes Before", "--no-occluders", "dub again"):
        assert way in words


def test_shots_and_people() -> None:
    assert shots_of(_track()) == [(0, 2), (5, 9)]
    assert people_of([Dubbed(_track())]) == [
        Seen(1, [(0, 2), (8, 9)], chosen=True, dubbed=[(0, 1), (8, 9)]),
        Seen(2, [(5, 6), (8, 9)], chosen=False),
    ]


def test_an_old_track_knows_neither() -> None:
    track = replace(_track(), shot=None, people=None, person=0)
    assert shots_of(track) == [(0, 9)]
    assert people_of([Dubbed(track)]) == []
    assert {stretch.why for stretch in untouched(track)} == {"unusable", "no face"}


def test_frames_whose_mouth_letters_cover_everywhere_are_told() -> None:
    track = _track()
    covered = np.zeros(len(track), bool)
    first = int(np.flatnonzero(track.usable)[0])
    covered[first] = True
    entries = told([Dubbed(track, covered=covered)])
    assert Untouched(first, first, "covered") in entries["untouched"]
    assert "Letters cover the mouth" in covered_in_words(covered, 0)


def test_frames_that_were_no_references_are_told_with_why() -> None:
    track = _track()
    of_one, of_other = Dubbed(track, combed=[4], refused=[7, 2, 3]), Dubbed(track, refused=[3, 8])
    assert told([of_one, of_other])["refused"] == [
        Refused(4, 4, "interlaced"),
        Refused(2, 3, "looks otherwise"),
        Refused(7, 8, "looks otherwise"),
    ]
    assert told([Dubbed(track)])["refused"] == []


def test_what_is_edited_of_eyes_is_named() -> None:
    track = face_track(4)
    names = (
        "eyeBlinkLeft",
        "eyeLookUpLeft",
        "eyeWideLeft",
        "eyeWideRight",
        "eyeSquintLeft",
        "jawOpen",
    )
    track = replace(track, expression_names=names, expression=np.zeros((4, 6), np.float32))
    asked = track.curves
    asked = replace(asked, values=asked.values.copy())
    assert unseen_in_words(track, asked, blinks=False) is None
    asked.values[1, 5] = 0.5
    asked.values[:, 1] = 0.005  # rounding
    assert unseen_in_words(track, asked, blinks=False) is None
    asked.values[2, 0] = 1
    assert unseen_in_words(track, asked, blinks=True) is None
    assert "picture: eyeBlinkLeft." in str(unseen_in_words(track, asked, blinks=False))
    asked.values[0, 1:5] = 0.3
    said = str(unseen_in_words(track, asked, blinks=True))
    assert said.endswith("eyeLookUpLeft, eyeWideLeft, eyeWideRight and 1 more.")
