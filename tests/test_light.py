"""Dubbing without torch: what GSmooth imports and loads when torch is not there."""

from __future__ import annotations

import subprocess
import sys

_WITHOUT = """
import sys
from importlib.machinery import PathFinder
hidden, find = {"torch", "transformers", "kornia", "accelerate", "onnx"}, PathFinder.find_spec
def seen(cls, name, *args):
    return None if name.partition(".")[0] in hidden else find(name, *args)
PathFinder.find_spec = classmethod(seen)
"""
_DUB = """
import gsmooth_core.animate, gsmooth_core.dub, gsmooth_core.app.commands, gsmooth_core.app.faces
import gsmooth_core.app.stages, gsmooth_core.app.style, gsmooth_core.evaluation.sync.check
import gsmooth_core.evaluation.report.shot_report, gsmooth_core.evaluation.bench.pipeline
from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.app.doctor import examine
from gsmooth_core.models import registry
from gsmooth_core.models.devices import check_device
from gsmooth_core.sync import load_sync_expert
from gsmooth_core.taft.generators.load import open_generator
from gsmooth_core.tracking.people.recognise import load_recogniser
check_device("auto")
load_a2ep(), load_sync_expert(), open_generator(), load_recogniser(registry.locate("recognise"))
torch = [check for check in examine().checks if check.name.startswith("torch")]
assert all(check.ok and check.optional for check in torch), torch
"""
_REFUSED = """
from gsmooth_core.errors import GSmoothError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.models.devices import check_device
from gsmooth_core.sync import load_sync_expert
from gsmooth_core.tracking.tracker import build_tracker
from pathlib import Path
Path(sys.argv[1]).write_bytes(b"weights")
for attempt in (lambda: check_device("cuda"), lambda: load_sync_expert(sys.argv[1]),
                lambda: build_tracker("rnet", load_face_model())):
    try:
        attempt()
    except GSmoothError as error:
        assert "PyTorch" in error.message and error.hint, error
    else:
        raise AssertionError
"""


def _runs(code: str, *arguments: str) -> None:
    command = [sys.executable, "-c", _WITHOUT + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_all_that_a_dub_needs_is_there() -> None:
    _runs(_DUB)


def test_what_only_torch_can_do_is_refused_with_words(tmp_path) -> None:
    _runs(_REFUSED, str(tmp_path / "syncnet_v2.model"))
