"""Labelled pictures for training and evaluation: reading, splitting, removing duplicates, cropping."""
