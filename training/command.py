"""How the commands of this room end: with a word on what is wrong, and an exit status."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from gsmooth_core.errors import GSmoothError


def finish(main: Callable[[], None]) -> None:
    """Run a command and leave the process; an error that a person can mend has no traceback."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        main()
    except GSmoothError as error:
        logging.getLogger(__name__).error("%s (%s)", error, error.code)
        sys.exit(error.exit_code)
    sys.exit(0)
