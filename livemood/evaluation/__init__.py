"""Evaluation of a model: metrics, corruptions, whole photos, groups of people, the model card."""
