"""The presets: the shipped model, the paper's, and what Table IV takes away from it.

Table IV ablates four things of A2EP (and two of TAFT, see `training.taft`); two more follow that
the paper argues for in its text. Each differs from "default" in the one thing it is named after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gsmooth_core.a2ep import PRESETS, A2EPConfig
from gsmooth_core.a2ep.loss import LAMBDA_MOUTH
from training.a2ep.fit import FitSettings

EVERYWHERE = 1000  # frames: more than any stretch has


@dataclass(frozen=True)
class Supervision:
    """What predictions are compared with.

    Attributes:
        vertices: whether vertices are compared (eq. 8), or the components themselves.
        template: whether both stand on one template (eq. 5 to 7), or the truth on the person's
            own identity and the prediction on the mean face.
        lambda_mouth: weight of the mouth's vertices.
    """

    vertices: bool = True
    template: bool = True
    lambda_mouth: float = LAMBDA_MOUTH


@dataclass(frozen=True)
class Plan:
    """A preset as it is trained.

    Attributes:
        config: of the model.
        fit: of the decoder.
        supervision: what predictions are compared with.
        penalty: of the ridge regression that hears first.
        folds: groups of speakers; each is heard by a ridge that has not learned from it.
        held_out: the group whose speakers decide when to stop.
        train_encoder: whether the audio encoder learns too, as in the paper.
    """

    config: A2EPConfig
    fit: FitSettings
    supervision: Supervision = Supervision()
    penalty: float = 1.5
    folds: int = 5
    held_out: int = 0
    train_encoder: bool = False


DEFAULT = Plan(PRESETS["default"], FitSettings())
PAPER = Plan(
    PRESETS["paper"],
    FitSettings(
        steps=2000, batch=8, frames=100, rate=1e-4, history_dropout=0.0, history_noise=0.0,
        style_dropout=0.0, check=200,
    ),
    train_encoder=True,
)  # fmt: skip


# SadTalker's, of single frames: no history and no styles. Its rate is the paper's order of size.
_EXPNET = FitSettings(
    steps=1200, batch=64, rate=5e-4, warm_up=50, history_dropout=0.0, history_noise=0.0,
    style_dropout=0.0, velocity=0.0, average=0.995, check=100,
)  # fmt: skip


def _with_config(**changes: object) -> Plan:
    return replace(DEFAULT, config=replace(DEFAULT.config, **changes))  # type: ignore[arg-type]


PLANS = {
    "default": DEFAULT,
    "paper": PAPER,
    # w/o TempAud: sound frame by frame. The paper takes DeepSpeech, whose weights no registry has.
    "no-temporal-audio": _with_config(
        encoder="mel", encoder_width=80, context=0, sigma1=0, sigma2=1
    ),
    # w/o ExpSurp: components instead of vertices.
    "no-vertex-loss": replace(DEFAULT, supervision=Supervision(vertices=False)),
    # w/o Template: identities are not taken out.
    "no-template": replace(DEFAULT, supervision=Supervision(template=False)),
    # w/o MouthAttn: every vertex weighs the same.
    "no-mouth-weight": replace(DEFAULT, supervision=Supervision(lambda_mouth=1.0)),
    # Eq. 4 left out: every frame sees all audio.
    "no-audio-bias": _with_config(sigma1=EVERYWHERE, sigma2=EVERYWHERE),
    # Eq. 2 without v_n.
    "no-style": replace(DEFAULT, fit=replace(DEFAULT.fit, style_dropout=1.0)),
    # ExpNet's place in the method: each frame by itself, with a reference and a blink.
    "expnet": Plan(PRESETS["expnet"], _EXPNET),
    "expnet-whisper": Plan(PRESETS["expnet-whisper"], _EXPNET),
}
