"""What `python -m training.recognise` runs."""

from training.recognise.convert import main

if __name__ == "__main__":
    main()
