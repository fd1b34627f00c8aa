"""Files that appear whole or not at all, and never over another one unasked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livemood.errors import LivemoodError, SinkError


@contextmanager
def whole_file(path: Path, option: str, force: bool = False) -> Iterator[Path]:
    """Yield a scratch name beside ``path``, which takes its place at the end, or goes away when the block fails.

    Missing folders are made.

    Args:
        path: The file to make.
        option: What to name in messages, such as ``--out``.
        force: Replace a file that is there.

    Raises:
        SinkError: A file is there already, or an OSError in the block: it is taken for a failure to write.
    """
    make_room(path, option, force)
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            yield part
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except LivemoodError:
        raise
    except OSError as error:
        raise unwritable(path, option, error) from error


def make_room(path: Path, option: str, force: bool) -> None:
    """Make the folder of a file that is to be written.

    Raises:
        SinkError: A file is there already, or the folder cannot be made.
    """
    refuse_to_overwrite(path, option, force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, option, error) from error


def refuse_to_overwrite(path: Path, option: str, force: bool) -> None:
    """Raise a ``SinkError`` when ``path`` is a folder, or a file that ``force`` does not give up."""
    if path.is_dir():
        raise SinkError(f"{path} is a folder; give {option} a file")
    if path.exists() and not force:
        raise SinkError(f"{path} is there already; use --force or another {option}")


def unwritable(path: Path, option: str, error: OSError) -> SinkError:
    """Return the error to raise when writing ``path`` failed with ``error``."""
    return SinkError(f"{path} could not be written ({error.strerror or error}); try another {option}")
