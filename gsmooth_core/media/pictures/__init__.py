"""Pictures as arrays, each exactly the frame asked for, and in the samples they are stored in."""
