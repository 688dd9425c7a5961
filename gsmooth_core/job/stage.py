"""One stage of a job whose result is kept: what it depends on, how it is made, where it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.models.memory import give_back

T = TypeVar("T")


@dataclass(frozen=True)
class Stage(Generic[T]):
    """A stage of the pipeline.

    Attributes:
        name: its name in the journal, for example "track".
        file: name of its result within the job's folder.
        inputs: everything the result depends on, as `fingerprint` takes it.
        make: makes the result; None where there is nothing to keep.
        save: writes the result to a file.
        load: reads it back.
    """

    name: str
    file: str
    inputs: Mapping[str, Any]
    make: Callable[[], Any]
    save: Callable[[Path, Any], object]
    load: Callable[[Path], T]


def result_of(stage: Stage[T], journal: Journal) -> T:
    """The result of a stage, made only where the journal holds none from the same inputs.

    What was made is read back from its file, so that a job which goes on works with exactly the
    numbers of one that ran through.

    Raises:
        ValueError: the stage made nothing; see `optional_result_of`.
    """
    result = optional_result_of(stage, journal)
    if result is None:
        raise ValueError(f"the stage '{stage.name}' made nothing")
    return result


def optional_result_of(stage: Stage[T], journal: Journal) -> T | None:
    """As `result_of`, for a stage that may find nothing to make; None is not kept."""
    path, inputs = journal.folder / stage.file, fingerprint(**stage.inputs)
    if not journal.finished(stage.name, inputs, path):
        made = stage.make()
        if made is None:
            return None
        stage.save(path, made)
        journal.record(stage.name, inputs, path)
        del made
        give_back()
    return stage.load(path)
