"""What `python -m training.face` runs."""

from training.face.bake import main

if __name__ == "__main__":
    main()
