"""The verdict says what the figures say, and the trouble finder points at the trouble."""

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.badness import frame_badness
from gsmooth_core.evaluation.metrics.figures import BY_NAME, FIGURES, shown
from gsmooth_core.evaluation.metrics.verdict import LIMITS, findings, verdict

FINE = {
    "sync": 0.6, "offset": 0.0, "detail": 0.95, "seam": 1.01, "jerk": 0.9, "flicker": 1.0,
    "identity": 0.99, "true_identity": 0.99,
}  # fmt: skip


def judged(untouched=0.0, outside=0, sure=True, spoken=5.0, **changed):
    more = {"spoken": spoken, "untouched": untouched, "outside": outside}
    found = findings(FINE | changed, sync_sure=sure, **more)
    return verdict(found), {c.name: c for c in found}


def test_a_good_shot_may_go_out():
    (words, kind), found = judged()
    assert kind == "good"
    assert words.startswith("Ready")
    assert {c.kind for c in found.values()} == {"good"}


@pytest.mark.parametrize(
    ("change", "name", "kind", "word", "fault"),
    [
        ({"offset": 3.0}, "Lip sync", "poor", "3 frames at 25 a second late", "sound 0.12 s late"),
        ({"offset": -2.0}, "Lip sync", "fair", "early", "sound 0.08 s early"),
        ({"sure": False}, "Lip sync", "fair", "chance", "lips that hardly fit the sound"),
        ({"detail": 0.45}, "Detail", "poor", "softer", "mouth too soft"),
        ({"detail": 0.8}, "Detail", "fair", "softer", "mouth too soft"),
        ({"detail": 1.2}, "Detail", "fair", "sharper", "mouth too sharp"),
        ({"seam": 1.3}, "Seam", "poor", "An edge", "visible edge around the mouth"),
        ({"seam": 0.7}, "Seam", "poor", "smooth rim", "blurred rim around the mouth"),
        ({"jerk": 2.0}, "Calm movement", "poor", "The lips tremble: 200 %", "trembling lips"),
        ({"flicker": 1.3}, "Steady picture", "fair", "The mouth flickers: 130 %", "flicker"),
        ({"identity": 0.8}, "Identity", "poor", "0.800", "a face less like the person's"),
        ({"untouched": 0.02}, "Frames", "fair", "2.0 %", "frames left as they were"),
        ({"untouched": 0.5}, "Frames", "poor", "50.0 %", "frames left as they were"),
        ({"outside": 4}, "Outside the mask", "poor", "4 of 255", "changes outside the mouth"),
    ],
)
def test_the_fault_is_named_and_not_the_quality(change, name, kind, word, fault):
    (words, worst), found = judged(**change)
    assert found[name].kind == kind == worst
    assert word in found[name].text
    begins = {"poor": "Look at this shot before it goes out", "fair": "Good, but look at"}[kind]
    assert words == f"{begins}: {fault}."
    assert [(c.name, c.fault) for c in found.values() if c.kind != "good"] == [(name, fault)]
    assert {c.fault for c in found.values() if c.kind == "good"} == {""}


def test_faults_are_listed_the_poor_ones_alone():
    words, _found = judged(jerk=1.2, flicker=1.3)
    assert words[0] == "Good, but look at: trembling lips, flicker."
    words, _found = judged(jerk=2.0, flicker=1.3)
    assert words[0] == "Look at this shot before it goes out: trembling lips."


def test_what_cannot_be_judged_is_left_out():
    _, found = judged(sync=None, identity=None, flicker=None)
    assert not {"Lip sync", "Identity", "Steady picture"} & set(found)


def test_a_word_or_two_say_nothing_of_sync_that_is_not_sure():
    (_, kind), found = judged(sure=False, spoken=1.2)
    assert (kind, found["Lip sync"].kind) == ("good", "good")
    assert "Too little" in found["Lip sync"].text
    assert "1.2 s" in found["Lip sync"].text
    _, found = judged(sure=True, spoken=1.2, offset=-2.0)
    assert found["Lip sync"].kind == "fair"


def test_limits_are_of_known_figures():
    assert set(LIMITS) <= set(BY_NAME)
    assert len(BY_NAME) == len(FIGURES)


def test_values_as_people_read_them():
    assert shown("lmd", 1.236) == "1.24"
    assert shown("offset", 2.0) == "+2"
    assert shown("offset", 0.0) == "0"
    assert shown("sync", None) == "\N{EN DASH}"


def curves(frames=60):
    rng = np.random.default_rng(0)
    names = ("rim", "true_rim", "mouth_band1", "true_mouth_band1")
    made = {n: rng.normal(10, 0.1, frames).astype(np.float32) for n in names}
    wave = 0.1 + 0.05 * np.sin(np.arange(frames) / 4)
    return made | {"aperture": wave.astype(np.float32)}


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [("rim", 14.0, "edge"), ("mouth_band1", 1.0, "softer"), ("aperture", 0.9, "jump")],
)
def test_trouble_is_found_where_it_is(name, values, word):
    shot = curves()
    calm = frame_badness(shot)
    assert np.nanmax(calm.score) < 0.6
    shot[name][30:33] = values
    found = frame_badness(shot)
    worst = int(np.nanargmax(found.score))
    assert 27 <= worst <= 35
    assert found.score[worst] > 0.9
    assert word in found.reasons[worst]


def test_a_torn_mouth_is_poor():
    shot = curves()
    shot["torn"] = np.zeros(60, np.float32)
    shot["torn"][30:33] = 0.25
    found = frame_badness(shot)
    assert (found.score[30:33] >= 2).all()
    assert found.reasons[31] == "part of the mouth is as filmed"
    assert np.nanmax(np.delete(found.score, [30, 31, 32])) < 0.6


def test_frames_without_a_face_are_not_the_worst():
    shot = curves()
    for name in shot:
        shot[name][10] = np.nan
    assert np.isnan(frame_badness(shot).score[10])
