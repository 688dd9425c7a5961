"""Training of A2EP, speech to expression, and what is measured of it."""
