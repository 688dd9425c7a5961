"""Which frames lend their pixels to a frame, and which of their pixels."""
