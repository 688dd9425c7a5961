"""Occluders: what passes in front of the lower face is found first, and left where it is."""
