"""Mood -> pixels: boxes, labels, score panels and history strips drawn on a frame."""
