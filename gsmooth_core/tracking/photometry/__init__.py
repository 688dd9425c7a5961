"""Poses made truer by what a whole head looks like."""
