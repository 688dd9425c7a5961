"""Is it good? Figures, sync, reports, speed. Nothing on the way imports it."""
