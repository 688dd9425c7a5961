"""Landmarks to identity, camera, poses and expressions: least squares on the face model."""
