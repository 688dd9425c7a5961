"""The face in the 3D viewport: mesh, shape keys, curves; and its way to other characters."""
