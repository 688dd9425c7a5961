"""What passes before the lower face: found before anything is made, and left where it is."""
