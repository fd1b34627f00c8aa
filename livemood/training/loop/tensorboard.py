"""A run's history as TensorBoard logs, through TensorFlow's own writer."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from livemood.core.errors import SinkError
from livemood.runtime.native_output import native_stderr_held, silence_native_logs
from livemood.runtime.optional_deps import required
from livemood.training.loop.checkpoint import Epoch

# What TensorFlow puts around the reason of an error: the names of its functions.
_MARKS = re.compile(r"\{\{.*?\}\}|\[Op:.*", re.DOTALL)


class Board:
    """Writes one point per epoch and curve.

    Args:
        folder: Where the logs go.

    Raises:
        LivemoodError: tensorboard or TensorFlow is not installed.
        SinkError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        silence_native_logs()
        # TensorFlow makes a writer without tensorboard, and fails at the first point.
        required("tensorboard", "'livemood[tensorboard]'")
        with native_stderr_held():
            tf = required("tensorflow", "tensorflow")
        try:
            self._summary: Any = tf.summary
            self._writer = tf.summary.create_file_writer(str(folder))
        except tf.errors.OpError as error:
            reason = _MARKS.sub("", error.message).strip()
            raise SinkError(f"{folder} cannot be written: {reason}", "choose another {tensorboard}") from error

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
