"""Photo mode judged, and its head generator trained, by reenacting clips from one frame."""
