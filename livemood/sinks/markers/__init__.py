"""Label changes as markers: one module for each file format, all written from the same intervals."""
