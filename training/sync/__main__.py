"""What `python -m training.sync` runs."""

from training.sync.train import main

if __name__ == "__main__":
    main()
