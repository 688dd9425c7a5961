"""One file of copied packets, new segments, a new sound, and all that comes along."""
