"""How a dub is made: what is kept with the scene, and what a script says instead."""
