"""How fast this machine makes a dub, and where the time goes."""
