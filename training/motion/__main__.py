"""What `python -m training.motion` runs."""

from training.command import finish
from training.motion.run import main

if __name__ == "__main__":
    finish(main)
