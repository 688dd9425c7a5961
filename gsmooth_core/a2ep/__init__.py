"""A2EP: speech to expression curves (Sec. IV-B)."""

from gsmooth_core.a2ep.config import PRESETS, A2EPConfig
from gsmooth_core.a2ep.merge import merge_expression, style_of
from gsmooth_core.a2ep.model import A2EP, load_a2ep, load_checkpoint, save_checkpoint
from gsmooth_core.a2ep.predict import PredictSettings, predict_expression
from gsmooth_core.a2ep.style import Style

__all__ = [
    "A2EP",
    "PRESETS",
    "A2EPConfig",
    "PredictSettings",
    "Style",
    "load_a2ep",
    "load_checkpoint",
    "merge_expression",
    "predict_expression",
    "save_checkpoint",
    "style_of",
]
