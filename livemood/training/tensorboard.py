"""A run's history as TensorBoard logs, through TensorFlow's own writer."""

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from livemood.errors import SinkError
from livemood.quiet import ask_for_silence, native_stderr_held
from livemood.training.state import Epoch


class Board:
    """Writes one point per epoch and curve.

    Args:
        folder: Where the logs go.

    Raises:
        SinkError: TensorFlow is not installed, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        ask_for_silence()
        # TensorFlow makes a writer without it, and fails at the first point.
        if find_spec("tensorboard") is None:
            raise SinkError("TensorBoard logs need the package tensorboard; pip install it, or leave --tensorboard out")
        try:
            with native_stderr_held():
                import tensorflow as tf

            self._summary: Any = tf.summary
            self._writer = tf.summary.create_file_writer(str(folder))
        except ImportError as error:
            raise SinkError("TensorBoard logs need tensorflow; pip install it, or leave --tensorboard out") from error
        except tf.errors.OpError as error:
            raise SinkError(f"{folder} cannot be written: {error.message}; choose another --tensorboard") from error

    def write(self, epoch: Epoch) -> None:
        """Add an epoch."""
        values = asdict(epoch)
        step = values.pop("epoch")
        with self._writer.as_default(step):
            for name, value in values.items():
                self._summary.scalar(name, value)
        self._writer.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
