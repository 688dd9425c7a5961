"""What is asked of the worker, from strips to strips, and the queue of it."""
