"""What `python -m training.ablate` runs."""

import sys

from training.ablate.run import main

if __name__ == "__main__":
    sys.exit(main())
