"""Checks of model files before a runtime opens them."""
