"""The public API: its names, what they take, and the README's example."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

import gsmooth_core
from tests.media import made

README = Path(__file__).parents[1] / "README.md"

FUNCTIONS = {
    "check_sync": "video audio expert plot on_event cancelled face",
    "dub_job": "job folder on_event cancelled make temporary",
    "load_expression": "path",
    "load_face_model": "name_or_path",
    "load_job": "folder",
    "load_track": "path",
    "merge_expression": "track predicted settings model manner heard",
    "predict_expression": "audio frame_count fps on_progress settings model",
    "probe": "path",
    "read_audio": "path sample_rate start duration track",
    "read_frames": "clip start count box",
    "report_job": "folder page on_event cancelled face",
    "save_expression": "path curves beside",
    "save_track": "path track",
    "track_face": "frames clip model settings on_progress",
    "write_mesh": "path model track expression on_progress",
}
CLASSES = {
    "AnimateSettings", "CancelledError", "Clip", "DubPipeline", "DubResult", "DubSettings", "Event",
    "Expression",
    "FaceTrack", "GSmoothError", "Job", "Message", "MorphableModel", "PredictSettings", "Progress",
}  # fmt: skip


def test_the_names_are_these():
    assert set(gsmooth_core.__all__) == set(FUNCTIONS) | CLASSES | {"__version__"}
    assert dir(gsmooth_core) == sorted(gsmooth_core.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_these(name):
    parameters = inspect.signature(getattr(gsmooth_core, name)).parameters
    assert " ".join(parameters) == FUNCTIONS[name]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_class_is_there(name):
    assert inspect.isclass(getattr(gsmooth_core, name)) or name == "Event"  # a union


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gsmooth_core.nothing


def test_import_is_light():
    code = "import sys, gsmooth_core; print([m for m in ('numpy', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_comes_without_what_is_slow_to_import():
    code = (
        "import sys, gsmooth_core.app.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: print('HEAVY', {'cv2', 'torch', 'numba', 'av'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY set()" in done.stdout


def test_the_example_of_the_readme_runs(tmp_path):
    """With a public-domain photo that moves a little for the take, and a hum for the speech."""
    code = re.search(r"## In Python\n+```python\n(.+?)```", README.read_text("utf-8"), re.DOTALL)
    assert code
    photo = skimage.data.astronaut()[:300, 80:380]
    frames = np.stack([cv2.resize(photo[n : 290 + n], (256, 256)) for n in range(8)])
    made.write_video(tmp_path / "take3.mov", frames, 25)
    seconds = np.arange(16000) / 16000
    hum = sum(np.sin(2 * np.pi * 130 * k * seconds) / k for k in range(1, 12))
    made.write_wav(tmp_path / "french.wav", 0.2 * hum * (1 + np.sin(seconds * 20)), 16000)
    done = subprocess.run(
        [sys.executable, "-c", code[1]], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "of 8 frames have a face" in done.stdout
    assert (tmp_path / "take3_french.mp4").is_file()
