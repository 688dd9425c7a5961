"""Processes side by side: they do the work, and none outlives the one that began them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.workers import workers

PATIENCE = 30.0
MAIN = """
import sys, time
from pathlib import Path
from tests.training.test_workers import note
from training.workers import workers
if __name__ == "__main__":
    with workers(2, note, (Path(sys.argv[1]),)) as pool:
        list(pool.map(time.sleep, [600, 600]))
"""


def note(folder: Path) -> None:
    """Leave the number of this process."""
    (folder / str(os.getpid())).touch()


def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return 2 * number


def lives(number: int) -> bool:
    """Whether a process is there, and no mere entry that waits to be asked for."""
    try:
        state = Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def until(true, *arguments):
    end = time.monotonic() + PATIENCE
    while not true(*arguments):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_they_begin_and_work(tmp_path):
    with workers(2, note, (tmp_path,)) as pool:
        assert list(pool.map(double, range(5))) == [0, 2, 4, 6, 8]
    found = {int(path.name) for path in tmp_path.iterdir()}
    assert found
    assert os.getpid() not in found
    assert not any(map(lives, found))


def test_what_waits_is_not_begun_after_an_error():
    with pytest.raises(ValueError, match="-1"), workers(1) as pool:
        waiting = [pool.submit(time.sleep, 0.1) for _ in range(20)]
        double(-1)
    assert waiting[-1].cancelled()


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who lives")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_none_outlives_who_began_them(tmp_path, number):
    main = tmp_path / "main.py"
    main.write_text(MAIN)
    folder = tmp_path / "begun"
    folder.mkdir()
    place = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, main, folder], env=os.environ | {"PYTHONPATH": str(place)}
    ) as parent:
        until(lambda: len(list(folder.iterdir())) == 2)
        found = [int(path.name) for path in folder.iterdir()]
        assert all(map(lives, found))
        parent.send_signal(number)
    until(lambda: not any(map(lives, found)))
