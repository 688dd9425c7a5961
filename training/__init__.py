"""Scripts that make the models; nothing imports this package."""
