"""MAFB: the crop, the mask, what passes before the mouth, and the blend."""
