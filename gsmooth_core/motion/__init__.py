"""How a head moves while it speaks: turns, shifts and blinks for a face in a photo."""
