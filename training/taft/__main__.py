"""What `python -m training.taft` runs."""

from training.taft.train import main

if __name__ == "__main__":
    main()
