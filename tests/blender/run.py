"""Run these tests inside the application: blender -b --python-exit-code 1 -P tests/blender/run.py

Options for pytest may follow after `--`. pytest is looked for in PYTHONPATH too, which Blender
itself may ignore.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="gsmooth-test-"))
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT)]
    sys.path += [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    try:
        import pytest
    except ImportError:
        sys.exit("pytest is missing: install it into a folder and name that in PYTHONPATH.")
    wanted = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    options = ["-q", "-p", "no:cacheprovider", *(wanted or ["tests/blender"])]
    status = pytest.main(options)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(int(status))


main()
