"""What `python -m training.sync` runs."""

from training.command import finish
from training.sync.train import main

if __name__ == "__main__":
    finish(main)
