"""The script with which a second Blender renders."""

import subprocess
import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

SCRIPT = Path(__file__).resolve().parents[2] / "blender_addon" / "jobs" / "render_script.py"
LOAD = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("script", {str(SCRIPT)!r})
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)
"""


@pytest.mark.skipif(bool(bpy.app.binary_path), reason="an application is no Python to start")
@pytest.mark.parametrize("finished", [True, False])
def test_what_is_rendered_stays_when_nobody_waits_any_more(tmp_path: Path, finished: bool) -> None:
    """Whoever has read the result closes the pipe, maybe before this process has ended."""
    made = tmp_path / "made.avi"
    made.write_bytes(b"frames")
    end = "script._finished.set()" if finished else ""
    program = f"{LOAD}\n{end}\nscript._stop_when_told({str(made)!r})"
    done = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, timeout=120)
    assert (done.returncode, made.exists()) == ((0, True) if finished else (3, False))
