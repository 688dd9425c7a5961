"""The three small networks inside face_landmarker.task, run by LiteRT on one thread.

The .task file is a ZIP of TensorFlow Lite models (Google, Apache-2.0): a BlazeFace detector,
a face mesh of 478 points, and a network from points to ARKit scores.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from gsmooth_core import models
from gsmooth_core.data import Float
from gsmooth_core.errors import ModelError


class Network:
    """One network of the .task file, with a single input tensor.

    Args:
        member: name inside the ZIP, such as "face_detector.tflite".
        threads: CPU threads for one call.

    Raises:
        ModelError: the file is missing, damaged, or has no such member.
    """

    def __init__(self, member: str, threads: int = 1) -> None:
        path = models.locate("face_landmarker")
        try:
            with zipfile.ZipFile(path) as archive:
                content = archive.read(member)
            with _silence():
                self._interpreter = Interpreter(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
            raise ModelError(
                f"The model '{path.name}' cannot be used: {error}.", "Reinstall GSmooth."
            ) from error
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}

    @property
    def side(self) -> int:
        """Height (= width) of the input image in pixels."""
        return int(self._input["shape"][1])

    def __call__(self, value: Float) -> dict[str, Float]:
        """Run once.

        Args:
            value: the input without its batch axis.

        Returns:
            output name -> array, batch axis included.
        """
        self._interpreter.set_tensor(self._input["index"], value[None].astype(np.float32))
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(i) for name, i in self._outputs.items()}


@contextmanager
def _silence() -> Iterator[None]:
    """Keep a line of greeting, which LiteRT writes past Python, out of the user's error stream."""
    try:
        stream = os.dup(2)
    except OSError:  # there is no error stream, as in a program without a console
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stream, 2)
        os.close(nowhere)
        os.close(stream)
