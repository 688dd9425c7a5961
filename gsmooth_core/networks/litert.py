"""Small networks of MediaPipe, run by LiteRT on one thread.

`face_landmarker.task` is a ZIP of TensorFlow Lite models (Google, Apache-2.0): a BlazeFace
detector, a face mesh of 478 points, and a network from points to ARKit scores;
`selfie_segmentation.tflite` parts a person from the background, `palm_detection.tflite` and
`hand_landmarks.tflite` find hands. LiteRT ends the whole process on
some damaged networks, so a file that is not the one GSmooth comes with is first tried in a
process of its own: `python -m gsmooth_core.networks.litert MODEL FILE`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.networks.answers import answered
from gsmooth_core.types import Float, Image

Shape = tuple[int, ...]


@dataclass(frozen=True)
class NetworkLayout:
    """Where a network is, and what goes in and comes out.

    Attributes:
        model: name in the registry of the file it is in.
        input: shape of its one input.
        outputs: shapes of its outputs, by name.
    """

    model: str
    input: Shape
    outputs: dict[str, Shape]


_FACE = "face_landmarker"
NETWORKS: dict[str, NetworkLayout] = {
    "face_detector.tflite": NetworkLayout(
        _FACE,
        (1, 128, 128, 3),
        {"regressors": (1, 896, 16), "classificators": (1, 896, 1)},
    ),
    "face_landmarks_detector.tflite": NetworkLayout(
        _FACE,
        (1, 256, 256, 3),
        {"Identity": (1, 1, 1, 1434), "Identity_1": (1, 1, 1, 1), "Identity_2": (1, 1)},
    ),
    "face_blendshapes.tflite": NetworkLayout(
        _FACE, (1, 146, 2), {"StatefulPartitionedCall:0": (52,)}
    ),
    "selfie_segmentation.tflite": NetworkLayout(
        "selfie_segmentation", (1, 256, 256, 3), {"activation_10": (1, 256, 256, 1)}
    ),
    "palm_detection.tflite": NetworkLayout(
        "palm_detection",
        (1, 192, 192, 3),
        {"Identity": (1, 2016, 18), "Identity_1": (1, 2016, 1)},
    ),
    "hand_landmarks.tflite": NetworkLayout(
        "hand_landmarks",
        (1, 224, 224, 3),
        {"Identity": (1, 63), "Identity_1": (1, 1), "Identity_2": (1, 1), "Identity_3": (1, 63)},
    ),
}
"""The networks that are used, by the name of their file, which may be a member of a ZIP."""

_LARGEST = 1 << 25  # bytes, of the file and of a network; the largest has 4 MB
_GREATEST = 1e6  # of an output: they are pixels and logits
_TRIAL_SECONDS, _REFUSED = 60.0, 7
_HINT = "Reinstall GSmooth, or take your own file away."
_ROOT = Path(__file__).parents[2]
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError),
    ValueError,
)


class Network:
    """One network with a single input tensor.

    Args:
        name: one of `NETWORKS`.
        threads: CPU threads for one call.

    Raises:
        ModelError: the file is missing, damaged, or holds no such network.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        model = NETWORKS[name].model
        path, state = registry.locate(model), registry.examine(model)
        if state.known == "foreign":
            _try_apart(model, path, state.sha256)
        self._source = _source(path)
        self._name, self._shapes = f"{name} {state.sha256}", NETWORKS[name].outputs
        self._interpreter = _interpreter(self._source, name, threads)
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}

    @property
    def side(self) -> int:
        """Height (= width) of the input image in pixels."""
        return int(self._input["shape"][1])

    def __call__(self, value: Float | Image, white: float = 1) -> dict[str, Float]:
        """Run once.

        Args:
            value: the input without its batch axis.
            white: what the network knows as 1: 255 for a picture of bytes.

        Returns:
            output name -> array, batch axis included.

        Raises:
            ModelError: the network makes values of numbers that are none, or absurd.
        """
        return answered(self._name, value, self._shapes, lambda: self._answer(value, white))

    def _answer(self, value: Float | Image, white: float) -> dict[str, Float]:
        seen = value.astype(np.float32) if white == 1 else value.astype(np.float32) / white
        self._interpreter.set_tensor(self._input["index"], seen[None])
        self._interpreter.invoke()
        made = {name: self._interpreter.get_tensor(i) for name, i in self._outputs.items()}
        usual = all(np.abs(array).max() < _GREATEST for array in made.values())  # NaN is not
        if not usual and np.isfinite(value).all():
            raise self._source.refused("a network in it makes values that are no numbers or absurd")
        return made


def _source(path: Path) -> ModelSource:
    return ModelSource(path, "file of networks", _HINT)


def _interpreter(source: ModelSource, name: str, threads: int) -> Interpreter:
    bare = source.path.suffix == ".tflite"
    content = source.read(_LARGEST) if bare else _member(source, name)
    try:
        with _silence():
            interpreter = Interpreter(model_content=content, num_threads=threads)
            _check_layout(source, interpreter, name)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError, MemoryError) as error:
        raise source.refused(f"'{name}' is damaged ({error})") from error
    return interpreter


def _member(source: ModelSource, member: str) -> bytes:
    """A file of the archive, unpacked within bounds."""
    source.check(_LARGEST)
    with source.zip() as archive:
        try:
            info = archive.getinfo(member)
        except KeyError as error:
            raise source.refused(f"it has no '{member}'") from error
        if info.file_size > _LARGEST:
            raise source.refused(f"'{member}' is far too large")
        try:
            return archive.read(info)  # never more than the size in the list
        except _UNREADABLE as error:
            raise source.refused(f"'{member}' cannot be unpacked ({error})") from error


def _check_layout(source: ModelSource, interpreter: Interpreter, name: str) -> None:
    inputs = [(tuple(d["shape"]), d["dtype"]) for d in interpreter.get_input_details()]
    outputs = {d["name"]: (tuple(d["shape"]), d["dtype"]) for d in interpreter.get_output_details()}
    layout = NETWORKS[name]
    wanted = {output: (size, np.float32) for output, size in layout.outputs.items()}
    if inputs != [(layout.input, np.float32)] or outputs != wanted:
        raise source.refused(f"'{name}' is another network")


@lru_cache(maxsize=8)
def _try_apart(model: str, path: Path, digest: str) -> None:
    """Run all networks of a foreign file once where a crash harms nobody."""
    command = [sys.executable, "-m", __name__, model, str(path)]
    known = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TRIAL_SECONDS,
            env={**os.environ, "PYTHONPATH": known},
        )
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        raise _source(path).refused(f"its networks cannot be tried ({error})") from error
    if done.returncode == _REFUSED:
        raise ModelError(done.stdout.strip(), _HINT)
    if done.returncode:
        last = "".join(done.stderr.strip().splitlines()[-1:])
        raise _source(path).refused(f"its networks crash when they are tried {last}")


def _try(model: str, path: Path) -> int:
    """What the process of its own does; see `_try_apart`."""
    try:
        for name, layout in NETWORKS.items():
            if layout.model != model:
                continue
            interpreter = _interpreter(_source(path), name, 1)
            index = interpreter.get_input_details()[0]["index"]
            interpreter.set_tensor(index, np.zeros(layout.input, np.float32))
            interpreter.invoke()
    except ModelError as error:
        sys.stdout.write(error.message)
        return _REFUSED
    return 0


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


if __name__ == "__main__":
    sys.exit(_try(sys.argv[1], Path(sys.argv[2])))
