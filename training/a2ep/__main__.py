"""What `python -m training.a2ep` runs."""

from training.a2ep.train import main

if __name__ == "__main__":
    main()
