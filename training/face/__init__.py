"""Making of the default face model."""
