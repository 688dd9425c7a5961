"""What `python -m training.taft` runs."""

from training.command import finish
from training.taft.train import main

if __name__ == "__main__":
    finish(main)
