"""Fitting: augmentation, batches, distillation, the training loop and its checkpoints."""
