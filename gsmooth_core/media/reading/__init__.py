"""What a file holds: streams, times, and what it tells of its pictures."""
