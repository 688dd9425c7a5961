"""A2EP: speech to expression curves (Sec. IV-B)."""

from gsmooth_core.a2ep.config import PRESETS, A2EPConfig
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.load import load_a2ep
from gsmooth_core.a2ep.merge import merge_expression, style_of
from gsmooth_core.a2ep.predict import PredictSettings, predict_expression
from gsmooth_core.a2ep.style import Style

__all__ = [
    "PRESETS",
    "A2EPConfig",
    "PredictSettings",
    "SpeechModel",
    "Style",
    "load_a2ep",
    "merge_expression",
    "predict_expression",
    "style_of",
]
