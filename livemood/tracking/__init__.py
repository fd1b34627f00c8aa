"""Detection -> Track: which face of this frame is which person."""
