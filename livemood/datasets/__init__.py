"""Labelled pictures for training and evaluation: reading, splitting, removing copies, cutting crops."""
