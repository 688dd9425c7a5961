"""Lip sync from file to file: the measurement in words, as JSON and as a drawing."""
