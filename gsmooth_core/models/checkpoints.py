"""Weights of networks: files of torch read without running them, states held against networks."""

from __future__ import annotations

import pickle
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from gsmooth_core.models.modelfile import GREATEST, LARGEST, Limits, ModelSource
from gsmooth_core.models.tables import check_names, check_shape, plausible_array

State = Mapping[str, Tensor | NDArray[Any]]
Network = TypeVar("Network", bound=nn.Module)

_GREATEST_STATISTIC = 1e9  # batch norms keep variances, of pixels 0..255 too
_COUNTER = "num_batches_tracked"  # older versions of torch did not write it
_ZIP = b"PK\x03\x04"

_UNREADABLE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error),
    *(OSError, EOFError, MemoryError, RuntimeError, ValueError, TypeError, AttributeError),
    *(LookupError, ArithmeticError, AssertionError, ImportError),
)
"""What torch's reader ends in, depending on which bytes it meets."""

_DOES_NOT_RUN = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError)


def read_torch(source: ModelSource) -> Any:
    """What a file of `torch.save` holds; no code in it is run.

    Raises:
        ModelError: missing, far too large, damaged, or it cannot be read without running it.
    """
    size = source.check(LARGEST)
    _check_archive(source, size)
    try:
        with warnings.catch_warnings(action="ignore"):  # of torch, about damaged bytes
            return torch.load(source.path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:  # torch's text says how to run what is in the file
        why = "it cannot be read safely: it holds more than weights, or is damaged"
        raise source.refused(why) from error


def _check_archive(source: ModelSource, size: int) -> None:
    """Refuse an archive that would grow when it is read: torch stores and never compresses."""
    with source.path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return  # older files of torch are no archives
    with source.zip() as archive:
        members = archive.infolist()
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > size:
        raise source.refused("it would grow when it is unpacked")


def read_safetensors(source: ModelSource) -> dict[str, Tensor]:
    """The tables of a safetensors file that others made.

    Raises:
        ModelError: missing, far too large or damaged.
    """
    source.check()
    try:
        with safe_open(source.path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, *_UNREADABLE) as error:
        raise source.refused(f"it cannot be read ({error})") from error


def table_of_weights(source: ModelSource, content: Any) -> dict[str, Tensor]:
    """The state of a network out of what a file of torch holds.

    Raises:
        ModelError: it is no table of plain tensors.
    """
    if not isinstance(content, dict) or not content:
        raise source.refused("it holds no table of weights")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or not _plain(value):
            raise source.refused(f"'{name}' is no table of weights")
    return {name: value.detach() for name, value in content.items()}


def _plain(value: Tensor) -> bool:
    on_cpu = value.layout == torch.strided and value.device.type == "cpu"
    return on_cpu and not value.is_quantized and not value.is_complex()


def load_network(
    source: ModelSource,
    build: Callable[[], Network],
    state: State,
    limits: Limits | None = None,
) -> Network:
    """A network with the weights of a file, in evaluation mode.

    Nothing is allocated for the network before the file's tables are known to have its sizes, so
    a header cannot ask for more memory than the file itself has.

    Args:
        source: the file, for the words of the errors.
        build: makes the network, with any weights.
        state: the file's tables by name.
        limits: smallest and largest value of the tables that may not be any weight.

    Raises:
        ModelError: tables are missing, unknown, of another shape or type, or hold values that
            are no numbers or out of their limits.
    """
    with torch.device("meta"):
        expected = _built(source, build).state_dict()
    fitting = _fitting(source, state, expected, limits or {})
    network = _built(source, build)
    network.load_state_dict(fitting, strict=False)  # only counters can lack
    return network.eval()


def _built(source: ModelSource, build: Callable[[], Network]) -> Network:
    try:
        return build()
    except _DOES_NOT_RUN as error:
        raise source.refused(f"its sizes do not fit together ({error})") from error


def _fitting(
    source: ModelSource, state: State, expected: Mapping[str, Tensor], limits: Limits
) -> dict[str, Tensor]:
    needed = {name for name in expected if not name.endswith(_COUNTER)}
    check_names(source, set(state), needed, set(expected))
    return {name: _checked(source, name, state[name], expected[name], limits) for name in state}


def _checked(
    source: ModelSource, name: str, value: Tensor | NDArray[Any], expected: Tensor, limits: Limits
) -> Tensor:
    wanted = tuple(expected.shape)
    check_shape(source, name, tuple(value.shape), wanted)
    table = torch.from_numpy(value) if isinstance(value, np.ndarray) else value
    if table.dtype == torch.bool or table.is_floating_point() != expected.is_floating_point():
        raise source.refused(f"'{name}' holds values that are no numbers of its kind")
    low, high = limits.get(name) or _usual_limits(name, table)
    source.bounded(name, table.float().numpy() if table.is_floating_point() else table.numpy(),
                   low, high)  # fmt: skip
    return table.reshape(wanted)


def _usual_limits(name: str, table: Tensor) -> tuple[float, float]:
    if not table.is_floating_point():
        return 0, float(2**62)  # counters
    if name.endswith("running_var"):
        return 0, _GREATEST_STATISTIC
    greatest = _GREATEST_STATISTIC if name.endswith("running_mean") else GREATEST
    return -greatest, greatest


def tried(source: ModelSource, run: Callable[[], Tensor]) -> None:
    """See that a network makes numbers of something plain.

    Args:
        source: the file that its weights are from.
        run: runs it.

    Raises:
        ModelError: it does not run, or makes values that are no numbers, or absurd.
    """
    try:
        with torch.inference_mode():
            made = run()
    except _DOES_NOT_RUN as error:
        raise source.refused(f"its network does not run ({error})") from error
    plausible(source, made)


def plausible(source: ModelSource, made: Tensor) -> Tensor:
    """What a network made, when all of it are numbers of a usual size.

    Args:
        source: the file that its weights are from.
        made: any shape.

    Raises:
        ModelError: its weights are such that some are none.
    """
    plausible_array(source, made.detach().float().cpu().numpy())
    return made
