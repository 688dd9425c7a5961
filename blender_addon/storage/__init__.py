"""What a job and the add-on keep on disk, and the look at it before it is used."""
