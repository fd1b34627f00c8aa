"""Fuzzing: ``python -m tests.tools.fuzz TARGET --seconds N`` (``make fuzz`` runs every target)."""
