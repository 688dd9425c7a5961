"""Measures of a dubbed clip, each with its exact definition."""
