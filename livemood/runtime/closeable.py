"""The base of whatever is open once it is made."""

from abc import ABC, abstractmethod
from typing import Self


class Closeable(ABC):
    """Closes itself at the end of its ``with`` block."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
