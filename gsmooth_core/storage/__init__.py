"""What lies on the disk: whole files, arrays and their layouts, locks."""
