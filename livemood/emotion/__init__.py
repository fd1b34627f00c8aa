"""Track -> Mood: aligned crops, the classifier, a person's neutral baseline, and smoothing over frames."""
