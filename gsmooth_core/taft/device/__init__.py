"""Lending and light for many frames at once, in torch operations: for a graphics card."""
