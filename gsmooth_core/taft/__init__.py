"""taft."""
