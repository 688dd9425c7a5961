"""Networks of the .task file: damaged ones are named, and nobody else's words are on stderr."""

from __future__ import annotations

import os

import pytest

from gsmooth_core.errors import ModelError
from gsmooth_core.tracking.networks import Network

DETECTOR = "face_detector.tflite"


def test_a_network_says_nothing_of_its_own(capfd) -> None:
    Network(DETECTOR)
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_an_unknown_member_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="has no .nobody"):
        Network("nobody.tflite")
