"""What an A2EP model is made of: one dataclass, its presets, stored in each checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsmooth_core.models.modelfile import ModelSource

HINT = "Train it again, or reinstall GSmooth."
"""What to do about a checkpoint that cannot be used."""
LIMITS: dict[str, tuple[Any, ...]] = {
    "decoder": ("attention", "expnet"),
    "encoder": ("whisper", "wav2vec2", "mel", "spectrogram"),
    "encoder_width": (1, 4096),
    "encoder_heads": (1, 64),
    "encoder_depth": (1, 48),
    "context": (0, 100),
    "d": (2, 4096),
    "heads": (1, 64),
    "feed_forward": (1, 16384),
    "sigma1": (0, 1000),
    "sigma2": (1, 1000),
    "history": (1, 10_000),
    "period": (1, 10_000),
    "dropout": (0, 1),
    "components": (1, 1000),
    "styles": (1, 10_000),
}
_UNNAMED = ModelSource(Path("a2ep.safetensors"), "A2EP checkpoint", HINT)


@dataclass(frozen=True)
class A2EPConfig:
    """Sizes and choices of Sec. IV-B; the defaults are the shipped model's.

    Attributes:
        decoder: "attention" (Sec. IV-B) or "expnet" (SadTalker's, of which only `context`, `d`,
            `components` and what concerns the encoder count).
        encoder: "whisper", "wav2vec2", "mel" (no encoder at all, for comparison) or "spectrogram"
            (likewise, with all four columns of a frame).
        encoder_width: features of the encoder's output.
        encoder_heads: attention heads of the encoder (whisper only).
        encoder_depth: layers of the encoder that are used (whisper only; wav2vec 2.0 brings its
            own configuration file).
        normalise: whether features are freed of their mean over the speech around them.
        context: frames on either side that the ridge regression, or ExpNet's window, sees.
        d: width of the embeddings F_a and F_e, or of ExpNet's code of a window.
        heads: attention heads.
        feed_forward: hidden width of the decoder's last layers.
        sigma1: frames back that the cross-attention sees (eq. 4).
        sigma2: frames ahead, its own included (eq. 4).
        history: frames that the self-attention looks back; bounds memory on long audio.
        period: length after which PE(t) repeats, so that an hour is no new territory.
        direct: whether a ridge regression hears first: the decoder then listens to its E
            outputs, which are the same for every speaker, instead of the features, and adds
            to them what is not linear. The paper's decoder listens to the features.
        dropout: of hidden units in training.
        components: number of expression components.
        styles: number of training speakers that have a style of their own (v_n).
    """

    decoder: str = "attention"
    encoder: str = "whisper"
    encoder_width: int = 512
    encoder_heads: int = 8
    encoder_depth: int = 3
    normalise: bool = True
    context: int = 3
    d: int = 32
    heads: int = 4
    feed_forward: int = 64
    sigma1: int = 3
    sigma2: int = 4
    history: int = 25
    period: int = 50
    direct: bool = True
    dropout: float = 0.2
    components: int = 28
    styles: int = 1

    @classmethod
    def from_dict(cls, values: Any, source: ModelSource = _UNNAMED) -> A2EPConfig:
        """The configuration that a checkpoint's header holds.

        Args:
            values: of the header.
            source: the checkpoint, for the words of the errors.

        Raises:
            ModelError: a setting is unknown, of the wrong type or out of its limits, or some do
                not fit together.
        """
        config = source.settings(cls, values, LIMITS)
        if config.d % 2 or config.d % config.heads:
            raise source.refused(f"'d' is {config.d}, with {config.heads} heads")
        width, heads = config.encoder_width, config.encoder_heads
        if config.encoder == "whisper" and (width < 4 or width % 2 or width % heads):
            raise source.refused(f"'encoder_width' is {width}, with {heads} heads")
        if config.decoder == "expnet" and (
            config.direct or (config.sigma1, config.sigma2) != (0, 1)
        ):
            raise source.refused("'decoder' is ExpNet, which makes each frame for itself")
        return config


def _expnet(encoder: str, width: int) -> A2EPConfig:
    """SadTalker's sizes: a window of .2 s, a code of 512."""
    return A2EPConfig(
        decoder="expnet", encoder=encoder, encoder_width=width, context=2, d=512,
        sigma1=0, sigma2=1, direct=False,
    )  # fmt: skip


PRESETS = {
    "default": A2EPConfig(),
    "paper": A2EPConfig(
        encoder="wav2vec2",
        encoder_width=768,
        encoder_heads=12,
        encoder_depth=12,
        normalise=False,
        context=0,
        d=1024,
        heads=4,
        feed_forward=2048,
        sigma1=0,
        sigma2=1,
        history=100,
        period=100,
        direct=False,
        dropout=0.1,
        components=64,
    ),
    "expnet": _expnet("spectrogram", 320),
    "expnet-whisper": _expnet("whisper", 512),
}
