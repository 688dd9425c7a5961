"""Detail and grain as this clip has them, measured on frames that are made for a trial."""
