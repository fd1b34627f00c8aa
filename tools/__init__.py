"""Scripts for the work on models; nothing of them ships."""
