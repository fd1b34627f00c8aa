"""Look into a model file before a runtime does."""
