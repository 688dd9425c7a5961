"""Frames in, the face of one person out: detector, landmarks, following, fit."""
