"""ExpNet of SadTalker (arXiv 2211.12194): a short window of sound, a reference and a blink.

Each frame is made for itself: no frame knows what was said of another. A window of .2 s of sound
becomes a code; with the expression of a reference frame and how far the eyes are shut, one linear
layer makes an expression of it. The window is a spectrogram of 80 x 16, as in the paper, or five
frames of an encoder's features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from gsmooth_core.a2ep.components import LIDS
from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.mel import BLOCK, HOP, MELS
from gsmooth_core.types import Float

COLUMNS = 16  # of a window: 80 a second, where the spectrogram's own come at 100
_TOGETHER = 256  # windows that are listened to at a time: what memory a long speech takes


class _Block(nn.Module):
    """Convolution, batch normalisation, ReLU; what goes in is added where sizes allow.

    Args:
        conv: the convolution.
        norm: of its outputs.
    """

    def __init__(self, conv: nn.Module, norm: nn.Module, *, residual: bool = False) -> None:
        super().__init__()
        self.conv, self.norm, self.residual = conv, norm, residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ...) -> (B, C', ...)."""
        made = self.norm(self.conv(x))
        return relu(made + x if self.residual else made)


def _conv2d(
    inputs: int, outputs: int, kernel: int = 3, stride: int | tuple[int, int] = 1, padding: int = 1
) -> _Block:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
    return _Block(conv, nn.BatchNorm2d(outputs))


def _same2d(channels: int) -> _Block:
    return _Block(nn.Conv2d(channels, channels, 3, 1, 1), nn.BatchNorm2d(channels), residual=True)


class SpectrogramWindow(nn.Module):
    """The paper's audio encoder: thirteen convolutions from 80 x 16 to a code.

    Args:
        d: width of the code; the widths before it are its parts, 512 in the paper.
    """

    def __init__(self, d: int) -> None:
        super().__init__()
        a, b, c, e = (max(1, d // part) for part in (16, 8, 4, 2))
        self.layers = nn.Sequential(
            _conv2d(1, a), _same2d(a), _same2d(a),
            _conv2d(a, b, stride=(3, 1)), _same2d(b), _same2d(b),
            _conv2d(b, c, stride=3), _same2d(c), _same2d(c),
            _conv2d(c, e, stride=(3, 2)), _same2d(e),
            _conv2d(e, d, padding=0), _conv2d(d, d, kernel=1, padding=0),
        )  # fmt: skip

    def forward(self, windows: Tensor) -> Tensor:
        """(N, frames, 4 * 80) -> (N, d)."""
        count, frames, _ = windows.shape
        columns = windows.reshape(count, frames * (BLOCK // HOP), MELS).transpose(1, 2)
        image = interpolate(columns, COLUMNS, mode="linear")[:, None]  # (N, 1, 80, 16)
        return self.layers(image).flatten(1)  # type: ignore[no-any-return]


class FeatureWindow(nn.Module):
    """The same for features of an encoder that knows what came before: convolutions in time.

    Args:
        width: F, of the features.
        d: width of the code.
        frames: of the window, an odd number.
    """

    def __init__(self, width: int, d: int, frames: int) -> None:
        super().__init__()
        same = _Block(nn.Conv1d(d, d, 3, padding=1), nn.BatchNorm1d(d), residual=True)
        narrow = [_Block(nn.Conv1d(d, d, 3), nn.BatchNorm1d(d)) for _ in range(frames // 2)]
        first = _Block(nn.Conv1d(width, d, 1), nn.BatchNorm1d(d))
        last = _Block(nn.Conv1d(d, d, 1), nn.BatchNorm1d(d))
        self.layers = nn.Sequential(first, same, *narrow, last)

    def forward(self, windows: Tensor) -> Tensor:
        """(N, frames, F) -> (N, d)."""
        return self.layers(windows.transpose(1, 2)).flatten(1)  # type: ignore[no-any-return]


@dataclass
class ExpNetState:
    """What goes beside the sound.

    Attributes:
        frame: the frame that comes next.
        reference: (1, E + 2) the expression of a reference frame, its lids last.
        blink: (T,) how far the eyes are shut, 0..1; beyond its end they are open.
    """

    frame: int
    reference: Tensor
    blink: Tensor


class ExpNet(nn.Module):
    """A window of sound, a reference expression and a blink -> an expression.

    It stands where `ExpressionDecoder` does, and is used in the same way. What it makes are a
    person's own expressions, not movements around their mean: who it is, the reference says.

    Attributes:
        scale: (E,) typical size of each component.
        mean: (E + 2,) the average expression: the reference where there is none.
    """

    scale: Tensor
    mean: Tensor

    def __init__(self, config: A2EPConfig) -> None:
        super().__init__()
        self.config = config
        frames, E = 2 * config.context + 1, config.components
        self.window: nn.Module = (
            SpectrogramWindow(config.d)
            if config.encoder == "spectrogram"
            else FeatureWindow(config.encoder_width, config.d, frames)
        )
        both = E + len(LIDS)
        self.out = nn.Linear(config.d + both + 1, both)
        nn.init.zeros_(self.out.weight)  # as published: it begins with a still face
        nn.init.zeros_(self.out.bias)
        self.register_buffer("scale", torch.ones(E))
        self.register_buffer("mean", torch.zeros(both))

    @property
    def context(self) -> int:
        """Frames on either side that `hear` needs."""
        return self.config.context

    @property
    def heard_width(self) -> int:
        """W, width of the code of a window."""
        return self.config.d

    @property
    def direct(self) -> None:
        """No ridge regression hears first."""
        return

    def sizes(self) -> Tensor:
        """(E + 2,) typical size of each component; lids go from 0 to 1."""
        return torch.cat([self.scale, torch.ones_like(self.mean[len(self.scale) :])])

    def hear(self, features: Tensor) -> Tensor:
        """(B, T + 2 context, F) features -> (B, T, W) codes of the windows around each frame."""
        windows = features.unfold(1, 2 * self.context + 1, 1).transpose(2, 3)  # (B, T, frames, F)
        code = self.window(windows.flatten(0, 1))
        return code.reshape(*windows.shape[:2], -1)  # type: ignore[no-any-return]

    def forward(self, heard: Tensor, reference: Tensor, blink: Tensor) -> Tensor:
        """Expressions of codes.

        Args:
            heard: (B, T, W) of `hear`.
            reference: (B, E + 2) expression of a reference frame.
            blink: (B, T) how far the eyes are shut, 0..1.

        Returns:
            (B, T, E + 2) expressions, the lids last.
        """
        sizes = self.sizes()
        known = ((reference - self.mean) / sizes)[:, None].expand(-1, heard.shape[1], -1)
        out = self.out(torch.cat([heard, known, blink[..., None]], dim=2))
        return self.mean + sizes * out  # type: ignore[no-any-return]

    # -- as others use it: arrays in, arrays out ------------------------------------------------

    def start(self, reference: Float | None = None, blink: Float | None = None) -> ExpNetState:
        """The state before the first frame.

        Args:
            reference: (E + 2,) expression of a frame of this person; None is the average one.
            blink: (T,) how far the eyes are shut in each frame; None is never.
        """
        of = self.mean if reference is None else self._tensor(reference)
        shut = self.mean.new_zeros(0) if blink is None else self._tensor(blink)
        return ExpNetState(0, of[None], shut)

    @torch.inference_mode()
    def heard(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T, W); see `FrameDecoder`."""
        tensor, made = self._tensor(features)[None], []
        for start in range(0, len(features) - 2 * self.context, _TOGETHER):
            part = tensor[:, start : start + _TOGETHER + 2 * self.context]
            made.append(self.hear(part)[0])
        heard: Float = torch.cat(made).cpu().numpy()
        return heard

    @torch.inference_mode()
    def spoken(
        self, state: ExpNetState, heard: Float, style: Float, first: int, count: int
    ) -> Float:
        """(count, E) frames, without the lids; see `FrameDecoder`. `style` is not asked."""
        return self.expressed(state, heard, first, count)[:, : len(self.scale)]

    @torch.inference_mode()
    def expressed(self, state: ExpNetState, heard: Float, first: int, count: int) -> Float:
        """(count, E + 2) frames with their lids."""
        blink = self.mean.new_zeros(count)
        given = state.blink[state.frame : state.frame + count]
        blink[: len(given)] = given
        codes = self._tensor(heard[first : first + count])[None]
        state.frame += count
        made: Float = self(codes, state.reference, blink[None])[0].cpu().numpy()
        return made

    def _tensor(self, array: Float) -> Tensor:
        return torch.from_numpy(array).to(self.scale)
