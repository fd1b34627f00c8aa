"""Networks of other makes that may teach; nothing of them ships."""
