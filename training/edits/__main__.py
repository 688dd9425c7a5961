"""What `python -m training.edits` runs."""

from training.command import finish
from training.edits.run import main

if __name__ == "__main__":
    finish(main)
