"""Tables of a checkpoint, held against those that a network has; and what a network made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.models.modelfile import GREATEST, Limits, ModelSource
from gsmooth_core.types import Float

GREATEST_MADE = 1e6
"""Of what a network makes: coefficients, features, colours."""


def check_names(source: ModelSource, given: set[str], needed: set[str], known: set[str]) -> None:
    """See that a file has the tables that it should have.

    Raises:
        ModelError: some are missing or unknown.
    """
    if missing := sorted(needed - given):
        raise source.refused(f"'{missing[0]}' is missing")
    if unknown := sorted(given - known):
        raise source.refused(f"'{unknown[0]}' is unknown")


def check_shape(
    source: ModelSource, name: str, shape: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    """See that a table has its shape.

    Raises:
        ModelError: it has another.
    """
    if shape != wanted and not (wanted == () and shape == (1,)):  # numpy writes () as (1,)
        raise source.refused(f"'{name}' has the shape {shape}, not {wanted}")


def fitting(
    source: ModelSource,
    tables: Mapping[str, NDArray[Any]],
    shapes: Mapping[str, tuple[int, ...]],
    limits: Limits,
) -> dict[str, Float]:
    """The tables in single precision, when they are those of a network.

    Args:
        source: the file, for the words of the errors.
        tables: by name.
        shapes: of the network's tables, by name.
        limits: smallest and largest value of the tables that may not be any weight.

    Raises:
        ModelError: tables are missing, unknown, of another shape or kind, or hold values that are
            no numbers or out of their limits.
    """
    check_names(source, set(tables), set(shapes), set(shapes))
    made = {}
    for name, table in tables.items():
        check_shape(source, name, table.shape, shapes[name])
        if not np.issubdtype(table.dtype, np.floating):
            raise source.refused(f"'{name}' holds values that are no numbers of its kind")
        single = table.astype(np.float32, order="C").reshape(shapes[name])
        source.bounded(name, single, *limits.get(name, (-GREATEST, GREATEST)))
        made[name] = single
    return made


def plausible_array(source: ModelSource, made: Float) -> Float:
    """What a network made, when all of it are numbers of a usual size.

    Args:
        source: the file that its weights are from.
        made: any shape.

    Raises:
        ModelError: its weights are such that some are none.
    """
    if made.size and not bool(np.abs(made).max() <= GREATEST_MADE):  # NaN is not
        raise source.refused("its network makes values that are no numbers, or absurd ones")
    return made
