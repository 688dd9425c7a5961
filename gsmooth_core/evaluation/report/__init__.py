"""Pages that show figures to people: one HTML file each, with nothing outside of it."""
