"""Landmarks of faces, found once a shot and followed frame by frame."""
