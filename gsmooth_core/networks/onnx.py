"""Graphs run by ONNX Runtime, with the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gsmooth_core.models.devices import provider
from gsmooth_core.models.modelfile import Limits, ModelSource
from gsmooth_core.models.tables import fitting
from gsmooth_core.models.threads import network_threads
from gsmooth_core.networks import graphs
from gsmooth_core.storage.arrays import Arrays
from gsmooth_core.types import Float

Tables = Mapping[str, Float]

_ERRORS_ONLY = 3
_FAILS = (RuntimeError, ValueError, TypeError, LookupError, MemoryError)
"""What ONNX Runtime's own errors are made of."""


class OnnxNetwork:
    """One graph, ready to run.

    Args:
        source: the file that the weights are from, for the words of errors.
        model: name of the graphs.
        name: which of them.
        tables: of the checkpoint, checked; more than are needed will do.
        device: see `engine.engine_for`.
        threads: that one run takes; None is as many as a network beside other work should.

    Raises:
        ModelError: the graph is damaged, or does not take these weights.
    """

    def __init__(
        self,
        source: ModelSource,
        model: str,
        name: str,
        tables: Tables,
        device: str | None = None,
        threads: int | None = None,
    ) -> None:
        graph = graphs.graph(model, name)
        self._source, self._inputs = source, graph.inputs
        # The values must live as long as the session, which does not copy them.
        self._values = [ort.OrtValue.ortvalue_from_numpy(tables[n]) for n in graph.tables]
        options = _options(threads or network_threads())
        try:
            options.add_external_initializers(list(graph.tables), self._values)
            self._session = ort.InferenceSession(graph.content, options, [*provider(device)])
        except _FAILS as error:
            raise source.refused(f"its network cannot be loaded ({error})") from error

    def __call__(self, *values: NDArray[Any]) -> list[Float]:
        """Run once.

        Args:
            values: the inputs, in the graph's order.

        Raises:
            ModelError: it does not run.
        """
        given = dict(zip(self._inputs, map(np.ascontiguousarray, values), strict=True))
        try:
            made: list[Float] = self._session.run(None, given)
        except _FAILS as error:
            raise self._source.refused(f"its network does not run ({error})") from error
        return made


def checked(
    source: ModelSource, model: str, arrays: Arrays, limits: Limits | None = None
) -> dict[str, Float]:
    """The tables of a checkpoint in single precision, when they are those of a model's graphs.

    Raises:
        ModelError: tables are missing, unknown, of another shape or kind, or hold values that are
            no numbers or out of their limits.
    """
    return fitting(source, arrays, graphs.shapes(model), limits or {})


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ONLY
    # Planned as one block, what a graph works with is laid beside the block before: at 512 pixels
    # 158 MB more, and no faster.
    options.enable_mem_pattern = False
    # Threads that spin while they wait take the cores on which frames are composed.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
