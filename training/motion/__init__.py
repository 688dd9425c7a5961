"""The library of head movements, and how true made movements look."""
