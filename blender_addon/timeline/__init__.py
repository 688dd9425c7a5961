"""Strips and their sound: which are meant, where they lie, what lies over them."""
