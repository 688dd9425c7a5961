"""Training of TAFT, blend to photo, and what is measured of it."""
