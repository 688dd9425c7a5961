"""How new pictures are coded, and what of their source cannot be kept."""
