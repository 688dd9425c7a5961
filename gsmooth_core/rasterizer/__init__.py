"""rasterizer."""
