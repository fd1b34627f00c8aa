"""Base class of objects that must be closed."""

from abc import ABC, abstractmethod
from typing import Self


class Closeable(ABC):
    """A context manager that closes itself at the end of its ``with`` block."""

    @abstractmethod
    def close(self) -> None:
        """Free its resources; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
