"""Everybody in a clip: joined over shots, chosen by number or size; no face is another's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.errors import InputError, NoFaceError
from gsmooth_core.face.landmarks import SKIN
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.networks.litert import Network
from gsmooth_core.tracking import follow_face, lighting
from gsmooth_core.tracking.following.found import FollowedFace
from gsmooth_core.tracking.people.people import People, follow_people
from gsmooth_core.tracking.shots.cuts import MIXED
from gsmooth_core.tracking.track import TrackSettings, finish_track, track_face
from gsmooth_core.types import Clip, FaceTrack, Float, Image
from tests.tracking.heads import drawn_head

NOSE = 1
HEIGHT, WIDTH = 240, 480


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model()


@pytest.fixture(scope="module")
def her(astronaut: Image) -> Image:
    return astronaut[20:260, 100:340]


@pytest.fixture(scope="module")
def him() -> Image:
    return drawn_head(1, HEIGHT)


def _frame(*heads: tuple[Image, int, int], tone: int = 90) -> Image:
    """Heads (picture, left, side) before a plain wall."""
    frame = np.full((HEIGHT, WIDTH, 3), tone, np.uint8)
    for head, left, side in heads:
        small = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
        frame[HEIGHT - side :, left : left + side] = small
    return frame


def _people(frames: list[Image]) -> People:
    return follow_people(frames, lambda _frame, _face: None)


def _clip(frames: list[Image]) -> Clip:
    height, width = frames[0].shape[:2]
    return Clip(Path("made.mp4"), width, height, Fraction(25), len(frames))


def _cut(her: Image, him: Image) -> list[Image]:
    """Her, him, her again elsewhere and darker."""
    first = [_frame((her, 20 + t // 4, 240)) for t in range(20)]
    second = [_frame((him, 220 - t // 4, 240), tone=40) for t in range(24)]
    third = [_frame(((her * 0.6).astype(np.uint8), 200, 200), tone=150) for t in range(12)]
    return first + second + third


def test_one_person_comes_back_in_another_shot(her: Image, him: Image) -> None:
    found = _people(_cut(her, him))
    np.testing.assert_array_equal(found.shot, np.repeat([0, 1, 2], [20, 24, 12]))
    assert len(found.people) == 2
    assert found.people[0].frames.tolist() == [*range(20), *range(44, 56)]
    assert found.people[1].frames.tolist() == list(range(20, 44))


def test_only_the_chosen_persons_frames_have_a_face(
    her: Image, him: Image, model: MorphableModel
) -> None:
    frames = _cut(her, him)
    for face, mine in (("1", [*range(20), *range(44, 56)]), ("2", list(range(20, 44)))):
        track = track_face(frames, _clip(frames), model, TrackSettings(face=face))
        assert np.flatnonzero(track.usable).tolist() == mine
        assert np.flatnonzero(np.isfinite(track.landmarks).all((1, 2))).tolist() == mine
        assert track.person == int(face)
        assert track.people is not None
        np.testing.assert_array_equal(track.people[:, 0], track.shot != 1)
        np.testing.assert_array_equal(track.people[:, 1], track.shot == 1)


def test_identity_is_of_the_chosen_persons_frames_alone(
    her: Image, him: Image, model: MorphableModel
) -> None:
    frames = _cut(her, him)
    alone = [f if 20 <= t < 44 else np.zeros_like(f) for t, f in enumerate(frames)]
    among = track_face(frames, _clip(frames), model, TrackSettings(face="2"))
    np.testing.assert_array_equal(among.identity, track_face(alone, _clip(frames), model).identity)


def test_the_largest_is_by_area_and_time(her: Image, him: Image) -> None:
    """He is seen longer, she is larger; then he is seen much longer."""
    both = [_frame((her, 0, 230), (him, 300, 150)) for _ in range(16)]
    longer = [_frame((him, 300, 150)) for _ in range(8)]
    found = _people(both + longer)
    assert [len(p.frames) for p in found.people] == [24, 16]
    assert found.choose("largest") is found.people[1]
    found = _people(both + 8 * longer)
    assert found.choose("largest") is found.people[0]


def test_two_in_one_frame_are_two_even_when_alike(her: Image) -> None:
    found = _people([_frame((her, 0, 220), (her, 250, 220)) for _ in range(10)])
    assert [len(p.frames) for p in found.people] == [10, 10]


def test_a_face_in_a_flash_is_still_hers(her: Image, him: Image) -> None:
    """White out, it looks like nobody; and he comes in the next shot."""
    frames = [_frame((her, 60, 230))] * 20
    for t, light in ((10, 190.0), (11, 120.0)):
        frames[t] = np.minimum(frames[t] + light, 255).astype(np.uint8)
    found = _people(frames + [_frame((him, 200, 230), tone=30)] * 12)
    assert [len(person.sightings) for person in found.people] == [1, 1]
    assert set(found.people[0].frames.tolist()) <= set(range(20))
    assert found.people[1].frames.tolist() == list(range(20, 32))


def test_whoever_enters_and_leaves_is_noticed(her: Image, him: Image) -> None:
    def frame(t: int) -> Image:
        heads = [(her, 0, 200)] + ([(him, 260, 200)] if 10 <= t < 34 else [])
        return _frame(*heads)

    found = _people([frame(t) for t in range(50)])
    assert len(found.people) == 2
    assert found.people[0].frames.tolist() == list(range(50))
    second = found.people[1].frames
    assert 10 <= second[0] <= 34 - 10  # the next look at the frame
    assert second[-1] == 33


def test_small_faces_far_apart_are_both_found(her: Image, him: Image) -> None:
    """A wide two-shot, in which the detector sees no face in the whole frame."""
    frame = np.full((720, 1280, 3), 90, np.uint8)
    for head, left in ((her, 200), (him, 900)):
        frame[300:460, left : left + 160] = cv2.resize(head, (160, 160))
    found = _people([frame] * 6)
    assert [len(person.frames) for person in found.people] == [6, 6]


def _positions(found: People, number: int) -> dict[int, float]:
    sightings = found.people[number - 1].sightings
    return {
        n: float(points[NOSE, 0])
        for s in sightings
        for n, points in zip(s.frames, s.points(), strict=True)
    }


def test_who_cross_stay_who_they_are(her: Image, him: Image) -> None:
    """She walks to the right before him, who walks to the left, and stands there again."""

    def frame(t: int) -> Image:
        step = 6 * min(t, 44)
        return _frame((him, 280 - step, 190), (her, 10 + step, 200))

    found = _people([frame(t) for t in range(70)])
    at = {number: _positions(found, number) for number in (1, 2)}
    first = 1 if at[1][0] < at[2].get(0, WIDTH) else 2  # who begins at the left
    assert at[first][0] < 150 and at[first][69] > 250
    assert at[3 - first][0] > 250 and at[3 - first][69] < 150


def test_nobody_is_dubbed_in_a_dissolve(her: Image, him: Image, model: MorphableModel) -> None:
    rng = np.random.default_rng(0)
    walls = rng.integers(40, 200, (2, 6, 12, 3)).astype(np.uint8)
    walls = [cv2.resize(w, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST) for w in walls]

    def shown(head: Image, left: int, wall: Image) -> Image:
        frame = wall.copy()
        frame[20:220, left : left + 200] = cv2.resize(head, (200, 200))
        return frame

    one, other = shown(her, 60, walls[0]), shown(him, 200, walls[1])
    shares = np.clip((np.arange(60) - 24) / 13, 0, 1)  # 25..36 are mixed
    frames = [np.asarray(cv2.addWeighted(one, 1 - s, other, s, 0), np.uint8) for s in shares]
    track = track_face(frames, _clip(frames), model, TrackSettings(face="1"))
    assert track.shot is not None
    assert np.flatnonzero(track.shot == MIXED).tolist() == list(range(25, 37))
    assert not track.usable[25:37].any()
    assert track.usable[:25].all() != track.usable[37:].all()


def test_a_number_that_nobody_has(her: Image, model: MorphableModel) -> None:
    frames = [_frame((her, 100, 240))] * 3
    with pytest.raises(InputError, match="no face 2: one person is seen"):
        track_face(frames, _clip(frames), model, TrackSettings(face="2"))
    with pytest.raises(NoFaceError):
        track_face(
            [np.zeros_like(f) for f in frames], _clip(frames), model, TrackSettings(face="2")
        )


# -- one person in one shot: as if there were no others ------------------------------------


@pytest.fixture(scope="module")
def alone(her: Image) -> list[Image]:
    """She sways, and is away for a moment."""
    frames = [_frame((her, 100 + round(20 * np.sin(t / 6)), 150)) for t in range(60)]
    frames[30:36] = [_frame()] * 6
    return frames


def _before(frames: list[Image], model: MorphableModel) -> FaceTrack:
    """One face followed alone, as long as there was no choice."""
    colours = np.zeros((len(frames), len(SKIN), 3), np.uint8)

    def keep(index: int, frame: Image, face: FollowedFace) -> None:
        if face.presence > 0:
            colours[index] = lighting.sample(frame, face.points)

    landmarks = follow_face(frames, TrackSettings().follow, on_frame=keep)
    return finish_track(landmarks, colours, _clip(frames), model)


def test_one_person_is_tracked_to_the_bit_as_before(
    alone: list[Image], model: MorphableModel
) -> None:
    before, now = _before(alone, model), track_face(alone, _clip(alone), model)
    np.testing.assert_array_equal(now.identity, before.identity)
    first = now.pictures  # a picture that is held has one face
    for name in ("expression", "rotation", "translation", "light", "confidence", "landmarks"):
        seen = getattr(before, name)[first]
        np.testing.assert_array_equal(getattr(now, name), seen, err_msg=name)
    assert now.new.sum() > len(now) / 2
    assert now.shot is not None and (now.shot == 0).all()


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Milliseconds that the networks take on a usual machine, call by call."""
    calls: list[float] = []
    run = Network.__call__
    cost = {128: 7.0, 256: 17.0}

    def counted(self: Network, value: Float, white: float = 1) -> dict[str, Float]:
        calls.append(cost.get(value.shape[0], 2.0))
        return run(self, value, white)

    monkeypatch.setattr(Network, "__call__", counted)
    yield calls


def test_looking_for_others_costs_little_where_there_are_none(
    her: Image, spent: list[float]
) -> None:
    frames = [_frame((her, 100 + round(20 * np.sin(t / 6)), 230)) for t in range(100)]
    follow_face(frames)
    before = sum(spent)
    spent.clear()
    found = _people(frames)
    assert sum(spent) < 1.05 * before
    assert len(found.people) == 1
