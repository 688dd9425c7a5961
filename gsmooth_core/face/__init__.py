"""The 3D face: its shape, camera, light, pixels, texture and mesh."""
