"""GSmooth: visual dubbing with a 3D face in the loop (no Blender in here)."""

__version__ = "0.1.0"
