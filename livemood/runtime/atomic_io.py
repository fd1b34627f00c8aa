"""Files that appear complete or not at all, and replace an existing file only if requested."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Final

from livemood.core.errors import LivemoodError, SinkError
from livemood.runtime.paths import is_file, is_folder, is_link, is_there, real_path

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_NAME_BYTES: Final = 255  # of a file's name, on most file systems

_written: dict[Path | str, None] = {}


def note_written(path: Path | str) -> None:
    """Note that this process, or one of its child processes, has completed a file or folder, here or at a URL."""
    _written[path] = None


def forget_written() -> None:
    """Clear the list of completed files, at the start of a command."""
    _written.clear()


def written() -> list[Path | str]:
    """Return the completed files and folders that still exist, and URLs, in order."""
    return [path for path in _written if isinstance(path, str) or path.exists()]


@contextmanager
def atomic_write(path: Path, setting: str | None, force: bool = False) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; the file is renamed at the end, or removed when the block fails.

    Missing folders are made. Where ``path`` is a link, the file is made where it leads. A replaced file's permissions
    are kept. A file that appears under ``path`` meanwhile is replaced only with ``force``; otherwise the new one keeps
    its temporary name.

    Args:
        path: The file to make.
        setting: Which setting named the file, for the remedy of an error, such as ``out``; None if none did.
        force: Replace a file that is there.

    Raises:
        SinkError: A file is there already or being written by another run, or a device or a pipe is there. An OSError
            in the block counts as a failure to write.
    """
    refuse_device(path, setting)
    make_room(path, setting, force)
    place = link_target(path)
    part = hidden_beside(place, "part")
    try:
        with claimed(part, path, setting):
            try:
                yield part
                in_the_way = path.exists() and not force
                if not in_the_way:
                    with suppress(OSError):  # there is none, or its file system has no permissions
                        shutil.copymode(place, part)
                    part.replace(place)
                    note_written(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        if in_the_way:
            raise SinkError(f"{path} was created meanwhile and is not replaced; the result is in {part}")
    except LivemoodError:
        raise
    except OSError as error:
        raise unwritable(path, setting, error) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside a file of a run's own folder; it is renamed at the end, or removed on failure.

    Unlike with ``atomic_write``, the file is not locked and not listed as completed, and an OSError stays one.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def hidden_beside(path: Path, ending: str) -> Path:
    """Return a hidden name beside a file: ``.NAME.ending``, or a hash in place of a name that would be too long."""
    name = f".{path.name}.{ending}"
    if len(os.fsencode(name)) > _NAME_BYTES:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()}.{ending}"
    return path.with_name(name)


@contextmanager
def claimed(part: Path, path: Path, setting: str | None) -> Iterator[None]:
    """Lock a file against other runs, and make it; one left by a killed run has no lock and is reused.

    Args:
        part: The file to lock: a temporary one, or ``path`` itself if that is written from the start.
        path: The file that it will become, for the error.
        setting: Which setting named the file, for the remedy of the error; None if none did.

    Raises:
        SinkError: Another run has locked it.
    """
    if fcntl is None:
        yield
        return
    with part.open("ab") as file:
        _lock(file.fileno(), path, setting)
        yield


@contextmanager
def claimed_folder(folder: Path, setting: str | None) -> Iterator[None]:
    """Lock a folder against other runs that would claim it too; make it, and remove it again if it stays empty.

    Args:
        folder: The folder.
        setting: Which setting named it, for the remedy of an error; None if none did.

    Raises:
        SinkError: Another run has locked it, or it cannot be made.
    """
    made = [place for place in (folder, *folder.parents) if not is_there(place)]
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if fcntl:
                handle = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, handle)
                _lock(handle, folder, setting)
        except LivemoodError:
            raise
        except OSError as error:
            raise unwritable(folder, setting, error) from error
        try:
            yield
        finally:
            with suppress(OSError):
                for place in made:
                    place.rmdir()


@contextmanager
def awaited_folder(folder: Path) -> Iterator[None]:
    """Lock a folder, once other runs that do so too are through; where the file system has no locks, do nothing.

    Args:
        folder: The folder; it is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: Path, setting: str | None) -> None:
    assert fcntl
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        remedy = f"wait, or use another {{{setting}}}" if setting else "wait until it ends"
        raise SinkError(f"{path} is being written by another run", remedy) from error
    except OSError:  # a file system without locks
        pass


def make_room(path: Path, setting: str | None, force: bool) -> None:
    """Make the folder of a file that will be written.

    Raises:
        SinkError: A file is there already, or the folder cannot be made.
    """
    refuse_to_overwrite(path, setting, force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, setting, error) from error


def link_target(path: Path) -> Path:
    """Return where a link leads, so that what it leads to is replaced and not the link; other paths as they are."""
    return real_path(path) if is_link(path) else path


def refuse_to_overwrite(path: Path, setting: str | None, force: bool) -> None:
    """Raise a ``SinkError`` when ``path`` is a folder or below a file, or when it is a file and ``force`` is false."""
    refuse_below_file(path, setting)
    if is_folder(path):
        raise SinkError(f"{path} is a folder", f"give {{{setting}}} a file" if setting else "move it away")
    if is_there(path) and not force:
        raise SinkError(f"{path} is there already", f"use {{force}} or another {{{setting}}}" if setting else "")


def refuse_device(path: Path, setting: str | None) -> None:
    """Raise a ``SinkError`` when ``path`` is a device or a pipe, which no file may replace."""
    if is_there(path) and not is_file(path) and not is_folder(path):
        raise SinkError(f"{path} is a device or a pipe", f"give {{{setting}}} a file" if setting else "")


def refuse_below_file(path: Path, setting: str | None) -> None:
    """Raise a ``SinkError`` when a folder in which ``path`` would lie is a file."""
    for place in path.parents:
        if is_there(place) and not is_folder(place):
            remedy = f"try another {{{setting}}}" if setting else ""
            raise SinkError(f"{path} could not be written ({place} is a file)", remedy)


def refuse_inputs(path: Path, setting: str, inputs: Iterable[str | Path]) -> None:
    """Raise a ``SinkError`` when a file to write is one of the inputs, given as paths or ``file:`` URLs."""
    if any(same_file(path, Path(str(one).removeprefix("file:"))) for one in inputs):
        raise SinkError(f"{path} is one of the inputs", f"choose another {{{setting}}}")


def same_file(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file that is there, also through links."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def refuse_file_as_folder(path: Path, setting: str) -> None:
    """Raise a ``SinkError`` when ``path``, or a folder in which it would lie, is a file or a link to nothing."""
    for place in (path, *path.parents):
        if is_there(place) and not is_folder(place):
            raise SinkError(f"{place} is a file", f"give {{{setting}}} a folder")
        if is_link(place) and not is_there(place):
            raise SinkError(f"{place} is a broken link", f"give {{{setting}}} a folder")


def refuse_other_suffix(path: Path, setting: str, *suffixes: str) -> None:
    """Raise a ``SinkError`` when a file's name does not end as its format requires."""
    if path.suffix.lower() not in suffixes:
        wanted = " or ".join(filter(None, (", ".join(suffixes[:-1]), suffixes[-1])))
        raise SinkError(f"{path} does not end in {wanted}", f"give {{{setting}}} a name that does")


def unwritable(path: Path, setting: str | None, error: OSError) -> SinkError:
    """Return the error to raise when writing ``path`` failed with ``error``; ``setting`` named it, if any did."""
    remedy = f"try another {{{setting}}}" if setting else ""
    return SinkError(f"{path} could not be written ({error.strerror or error})", remedy)
