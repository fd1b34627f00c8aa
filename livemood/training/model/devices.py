"""Several accelerators at once: every batch is divided between them, and each keeps all weights."""

from contextlib import AbstractContextManager, nullcontext

_BACKENDS = ("jax",)
"""Backends on which Keras divides batches between devices."""


def devices() -> tuple[str, ...]:
    """Return the devices that training uses, such as ``gpu:0``; only one if Keras cannot divide batches."""
    import keras

    if keras.backend.backend() not in _BACKENDS:
        return ("default",)
    return tuple(map(str, keras.distribution.list_devices()))


def divided(batch: int) -> int:
    """Return the largest multiple of the number of devices up to ``batch``; at least that number."""
    many = len(devices())
    return max(batch // many, 1) * many


def all_devices() -> AbstractContextManager[object]:
    """Return a context in which models are built for, and trained on, all devices."""
    import keras

    found = devices()
    return nullcontext() if len(found) < 2 else keras.distribution.DataParallel(devices=list(found)).scope()
