"""What `python -m training.export` runs."""

from training.export.write import main

main()
