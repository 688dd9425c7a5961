"""SyncNet v2 with the weights a user brings: the published `syncnet_v2.model`.

The file is a torch state dict of two convolutional nets: lips from five frames of 224 x 224
pixels, sound from 20 rows of 13 MFCCs. Only tensors are read from it (`weights_only`). No weights
come with GSmooth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.errors import InputError
from gsmooth_core.models.checkpoints import load_network, plausible, read_torch, table_of_weights
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.sync.face import Face
from gsmooth_core.sync.mfcc import mfcc
from gsmooth_core.sync.windows import FPS, present
from gsmooth_core.types import Bool, Float, Image

FRAMES = 5
"""Pictures a window of lips; SyncNet's window t is frames t .. t + 4."""
SIZE = 224
ROWS = 20
"""MFCC rows a window of sound; window t begins with row 4 t."""
ROWS_A_FRAME = 4
FEATURES = 512
BATCH = 16
CROP_MARGIN = 0.4
"""Of the box's half size, kept around the box; the crop hangs lower by as much."""

_WIDEST = 8192
_FOREHEAD, _CHIN, _CHEEKS = 10, 152, (234, 454)


def _convolution(
    kind: type[nn.Conv2d] | type[nn.Conv3d],
    channels: tuple[int, int],
    kernel: tuple[int, ...],
    stride: tuple[int, ...] | int = 1,
    padding: tuple[int, ...] | int = 0,
) -> list[nn.Module]:
    """Convolution, batch norm, ReLU: three places in the published numbering."""
    norm = nn.BatchNorm2d if kind is nn.Conv2d else nn.BatchNorm3d
    layer = kind(*channels, kernel, stride, padding)  # type: ignore[arg-type]
    return [layer, norm(channels[1]), nn.ReLU()]


def _sound_net() -> nn.Sequential:
    """(B, 1, 13, 20) -> (B, 512, 1, 1)."""
    same = {"kernel": (3, 3), "padding": (1, 1)}
    return nn.Sequential(
        *_convolution(nn.Conv2d, (1, 64), **same),
        nn.MaxPool2d(1, 1),
        *_convolution(nn.Conv2d, (64, 192), **same),
        nn.MaxPool2d(3, (1, 2)),  # (B, 192, 11, 9)
        *_convolution(nn.Conv2d, (192, 384), **same),
        *_convolution(nn.Conv2d, (384, 256), **same),
        *_convolution(nn.Conv2d, (256, 256), **same),
        nn.MaxPool2d(3, 2),  # (B, 256, 5, 4)
        *_convolution(nn.Conv2d, (256, FEATURES), (5, 4)),
    )


def _lip_net() -> nn.Sequential:
    """(B, 3, 5, 224, 224) -> (B, 512, 1, 1, 1)."""
    halved = {"stride": (1, 2, 2)}
    flat = {"kernel": (1, 3, 3), "padding": (0, 1, 1)}
    return nn.Sequential(
        *_convolution(nn.Conv3d, (3, 96), (5, 7, 7), **halved),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2)),  # (B, 96, 1, 54, 54)
        *_convolution(nn.Conv3d, (96, 256), (1, 5, 5), (1, 2, 2), (0, 1, 1)),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),  # (B, 256, 1, 13, 13)
        *_convolution(nn.Conv3d, (256, 256), **flat),
        *_convolution(nn.Conv3d, (256, 256), **flat),
        *_convolution(nn.Conv3d, (256, 256), **flat),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2)),  # (B, 256, 1, 6, 6)
        *_convolution(nn.Conv3d, (256, FEATURES), (1, 6, 6)),
    )


def _head(embedding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(FEATURES, FEATURES),
        nn.BatchNorm1d(FEATURES),
        nn.ReLU(),
        nn.Linear(FEATURES, embedding),
    )


class SyncNet(nn.Module):
    """Chung & Zisserman's "Out of time" network, in the layout of the published weights.

    Args:
        embedding: D, size of the vectors that are compared.
        source: the file that the weights are from, for the words of errors.
    """

    name = "syncnet"
    wants_pictures = True

    def __init__(self, embedding: int = 1024, source: ModelSource | None = None) -> None:
        super().__init__()
        self.embedding = embedding
        self.source = source or _source(Path("syncnet_v2.model"))
        self.netcnnaud, self.netfcaud = _sound_net(), _head(embedding)
        self.netcnnlip, self.netfclip = _lip_net(), _head(embedding)

    def forward_sound(self, windows: Tensor) -> Tensor:
        """(B, 1, 13, 20) MFCCs -> (B, D)."""
        return self.netfcaud(self.netcnnaud(windows).flatten(1))  # type: ignore[no-any-return]

    def forward_lips(self, windows: Tensor) -> Tensor:
        """(B, 3, 5, 224, 224) BGR 0..255 -> (B, D)."""
        return self.netfclip(self.netcnnlip(windows).flatten(1))  # type: ignore[no-any-return]

    @torch.inference_mode()
    def embed_sound(self, audio: Float) -> Float:
        """(S,) samples at 16 kHz -> (T, D)."""
        rows = torch.from_numpy(mfcc(audio))
        starts = range(0, len(rows) - ROWS + 1, ROWS_A_FRAME)
        windows = [rows[start : start + ROWS].T[None] for start in starts]  # T x (1, 13, 20)
        batches = (torch.stack(windows[i : i + BATCH]) for i in range(0, len(windows), BATCH))
        return self._encode(batches, self.forward_sound)

    @torch.inference_mode()
    def embed_face(self, face: Face) -> tuple[Float, Bool]:
        """(T, D) of the lips of each window of five frames, and (T,) where a face was seen."""
        if face.frames is None:
            raise InputError("SyncNet looks at pictures, not at landmarks.", "Pass the frames.")
        crops = list(_at_25(face.landmarks, face.fps, face.frames))
        known = np.array([crop is not None for crop in crops])
        count = max(0, len(crops) - FRAMES + 1)
        valid = np.array([known[t : t + FRAMES].all() for t in range(count)], bool)
        blank = np.zeros((SIZE, SIZE, 3), np.uint8)
        whole = [blank if crop is None else crop for crop in crops]
        batches = (
            _stack([whole[t : t + FRAMES] for t in range(start, min(start + BATCH, count))])
            for start in range(0, count, BATCH)
        )
        return self._encode(batches, self.forward_lips), valid

    def threshold(self, frames: int) -> float:
        """Unknown for weights that others trained."""
        return 0.0

    def _encode(self, batches: Iterable[Tensor], encode: Callable[[Tensor], Tensor]) -> Float:
        made = [plausible(self.source, encode(batch)).numpy() for batch in batches]
        return np.concatenate(made) if made else np.zeros((0, self.embedding), np.float32)


def _stack(windows: Sequence[Sequence[Image]]) -> Tensor:
    """B windows of 5 RGB frames -> (B, 3, 5, 224, 224) BGR."""
    pixels = np.stack([np.stack(window) for window in windows])[..., ::-1]  # (B, 5, H, W, 3)
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 4, 1, 2, 3))).float()


def _at_25(landmarks: Float, fps: float, frames: Iterable[Image]) -> Iterator[Image | None]:
    """Face crops of the frames that are shown at the middle of each 25th of a second."""
    there = present(landmarks)
    made = 0
    for index, frame in enumerate(frames):
        if index >= len(landmarks):
            return
        crop = crop_face(frame, landmarks[index]) if there[index] else None
        while (made + 0.5) / FPS * fps < index + 1:
            yield crop
            made += 1


def crop_face(frame: Image, landmarks: Float) -> Image:
    """The square that SyncNet looks at, around and below the face.

    Args:
        frame: (H, W, 3)
        landmarks: (478, 2) pixels.

    Returns:
        (224, 224, 3)
    """
    outline = landmarks[[_FOREHEAD, _CHIN, *_CHEEKS]]
    low, high = outline.min(axis=0), outline.max(axis=0)
    half = float((high - low).max()) / 2
    middle = (low + high) / 2
    side = 2 * half * (1 + CROP_MARGIN)
    left, top = middle[0] - side / 2, middle[1] - half
    scale = SIZE / max(side, 1e-6)
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    cut: Image = cv2.warpAffine(frame, matrix, (SIZE, SIZE), borderValue=(110, 110, 110))
    return cut


def load_syncnet(path: Path) -> SyncNet:
    """Read a user's SyncNet v2 weights; no code in the file is run.

    Raises:
        ModelError: missing, damaged, or not such a state dict.
    """
    source = _source(path)
    state = table_of_weights(source, read_torch(source))
    last = state.get("netfcaud.3.weight")
    embedding = int(last.shape[0]) if last is not None and last.ndim == 2 else 1024
    if not 0 < embedding <= _WIDEST:
        raise source.refused(f"'netfcaud.3.weight' has {embedding} rows")
    return load_network(source, lambda: SyncNet(embedding, source), state)


def _source(path: Path) -> ModelSource:
    return ModelSource(path, "SyncNet v2", "Use the published syncnet_v2.model.")
