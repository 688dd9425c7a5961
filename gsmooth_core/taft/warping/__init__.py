"""References brought to a new face: where each pixel was, and in what light."""
