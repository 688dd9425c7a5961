"""Evaluation of the whole program on people whom no model has seen."""
