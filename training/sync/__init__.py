"""Training of the sync expert, and what is measured of it."""
