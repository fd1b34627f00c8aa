"""Label changes as markers: one file for each form, all written from the same intervals."""
