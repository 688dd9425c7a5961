"""Edits made of footage, with their truth; their dubs are measured against it."""
