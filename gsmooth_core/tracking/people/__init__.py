"""Everybody in a clip: who is seen when, told apart by looks."""
