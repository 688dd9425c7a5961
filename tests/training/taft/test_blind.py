"""Pairs for a blind look: the key says where the filmed mouth is, and chance decides where."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from training.footage import Footage
from training.taft import blind as b

WHITE, BLACK = (np.full((b.HEIGHT, b.WIDTH, 3), level, np.uint8) for level in (255, 0))
PAIRS = 12


def made(monkeypatch, folder: Path, seed: int) -> tuple[dict, list[np.ndarray]]:
    """Key and sheets of pairs whose filmed mouths are white."""
    rows = [("clip", n, WHITE, BLACK) for n in range(PAIRS)]
    monkeypatch.setattr(b, "_mouths", lambda *given: rows)
    b.make(Footage(folder), folder, folder, PAIRS, seed)
    sheets = [cv2.imread(str(path)) for path in sorted(folder.glob("sheet_*.png"))]
    return json.loads((folder / "key.json").read_text("utf-8")), sheets


def test_the_key_is_true_and_chance_decides(monkeypatch, tmp_path: Path) -> None:
    key, sheets = made(monkeypatch, tmp_path, 0)
    picture = np.concatenate(sheets)
    assert len(sheets) == -(-PAIRS // b.ON_A_SHEET)
    assert list(key) == [str(n) for n in range(1, PAIRS + 1)]
    assert sorted(pair["frame"] for pair in key.values()) == list(range(PAIRS))
    sides = [pair["true"] for pair in key.values()]
    for n, side in enumerate(sides):
        row = picture[n * b.HEIGHT + 10, :, 0]
        left, right = row[b._EDGE + 10], row[-10]
        assert (left, right) == ((255, 0) if side == "A" else (0, 255))
    assert 2 < sides.count("A") < PAIRS - 2
    assert [p["frame"] for p in key.values()] != list(range(PAIRS))


def test_another_seed_is_another_order_and_the_same_one_the_same(monkeypatch, tmp_path) -> None:
    keys = []
    for n, seed in enumerate((0, 0, 1)):
        (tmp_path / str(n)).mkdir()
        keys.append(made(monkeypatch, tmp_path / str(n), seed)[0])
    assert keys[0] == keys[1] != keys[2]


def test_both_of_a_pair_show_the_same_place() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[95:105, 145:155] = 255
    landmarks = np.zeros((478, 2), np.float32)
    landmarks[list(b.LIPS)] = np.linspace((120, 90), (180, 110), len(b.LIPS))
    tile = b.mouth(picture, landmarks)
    assert tile.shape == (b.HEIGHT, b.WIDTH, 3)
    y, x = np.nonzero(tile[..., 0] > 128)
    assert abs(y.mean() - b.HEIGHT / 2) < 4
    assert abs(x.mean() - b.WIDTH / 2) < 4
    assert np.ptp(x) == np.ptp(y)
