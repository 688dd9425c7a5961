"""What shows between the lips, and where."""
