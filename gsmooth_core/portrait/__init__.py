"""Photo mode: one picture, its head, its eyes and its background, made ready to move."""
