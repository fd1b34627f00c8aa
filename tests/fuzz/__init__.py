"""Fuzzing: ``python -m tests.fuzz TARGET --seconds N`` (``make fuzz`` runs every target)."""
