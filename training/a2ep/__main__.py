"""What `python -m training.a2ep` runs."""

from training.a2ep.train import main
from training.command import finish

if __name__ == "__main__":
    finish(main)
