"""The networks that make a picture of a blended face, their files, and how they are called."""
