"""Several accelerators at once: every batch is divided between them, and each keeps all weights."""

from contextlib import AbstractContextManager, nullcontext

_BACKENDS = ("jax",)
"""Keras divides batches on these."""


def devices() -> tuple[str, ...]:
    """Return the accelerators that training uses, such as ``gpu:0``; one where Keras cannot divide batches."""
    import keras

    if keras.backend.backend() not in _BACKENDS:
        return ("default",)
    return tuple(map(str, keras.distribution.list_devices()))


def divided(batch: int) -> int:
    """Return the largest batch up to ``batch`` that all devices share evenly, and one picture for each at least."""
    many = len(devices())
    return max(batch // many, 1) * many


def all_devices() -> AbstractContextManager[object]:
    """Return a context in which models are built for, and trained on, all devices."""
    import keras

    found = devices()
    return nullcontext() if len(found) < 2 else keras.distribution.DataParallel(devices=list(found)).scope()
