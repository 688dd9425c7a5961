"""`python -m gsmooth_core` is `gsmooth`."""

import sys

from gsmooth_core.app.cli import main

sys.exit(main())
