"""Local files and files in object stores through one interface: paths directly, URLs through fsspec."""

import glob
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from livemood.core.errors import LivemoodError, SinkError, SourceError
from livemood.runtime.atomic_io import awaited_folder, claimed
from livemood.runtime.optional_deps import required

REMOTE: Final = "'livemood[remote]'"
"""The extra that installs fsspec."""
MANIFEST_FOLDER: Final = "_manifest"
"""Folder inside a store beside its data; Parquet readers ignore names that begin with an underscore."""


def is_url(path: str) -> bool:
    """Return whether a path is a URL, such as ``s3://bucket/key``."""
    scheme, found, _ = path.partition("://")
    return bool(found) and scheme.isidentifier() and len(scheme) > 1


def filesystem(url: str) -> Any:
    """Return fsspec's file system for a URL.

    Raises:
        LivemoodError: fsspec, or the driver of this kind of store, is not installed; or the kind is unknown.
        SourceError: The store does not answer, or needs more than a URL says.
    """
    scheme = url.partition("://")[0]
    try:
        required("fsspec", REMOTE).get_filesystem_class(scheme)
    except ImportError as error:
        raise LivemoodError(f"{url}: the driver for {scheme}:// is not installed ({error})") from error
    except ValueError as error:
        raise LivemoodError(f"{url}: there is no kind of store called {scheme}://") from error
    try:
        return required("fsspec.core", REMOTE).url_to_fs(url)[0]
    except Exception as error:  # drivers raise what their own libraries do
        raise SourceError(f"{url} could not be opened ({_short(error)})") from error


def place_of(url: str) -> str:
    """Return where a URL leads in its file system: without the scheme, and without the host where there is one."""
    return str(required("fsspec.core", REMOTE).url_to_fs(url)[1])


def read_bytes(path: str) -> bytes:
    """Return the content of a file in a store.

    Raises:
        SourceError: It cannot be read.
    """
    with _reading(path):
        data: bytes = filesystem(path).cat_file(path)
    return data


@contextmanager
def local_copy(path: str) -> Iterator[Path]:
    """Yield a temporary local copy of a file in a store; it is removed at the end.

    Raises:
        SourceError: It cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="livemood-") as folder:
        local = Path(folder) / (path.rpartition("/")[2] or "file")
        with _reading(path):
            filesystem(path).get_file(path, str(local))
        yield local


class Store:
    """A folder, local or in an object store, in which files appear only when they are complete.

    Args:
        root: Path or URL.
        setting: Setting that named it, for the remedy of an error.

    Raises:
        LivemoodError: The driver of a URL is not installed.
        SinkError: The root is empty, which would mean the root of all folders.
    """

    def __init__(self, root: str, setting: str) -> None:
        if not root:
            raise SinkError("the name of the folder is empty", f"give {{{setting}}} one")
        self.root, self._setting = root.rstrip("/") or "/", setting
        self._remote: Any = filesystem(root) if is_url(root) else None

    @property
    def is_remote(self) -> bool:
        """Whether it is in an object store."""
        return self._remote is not None

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the files in the folder, or in a subfolder; none where it does not exist.

        Raises:
            SourceError: The folder cannot be read.
        """
        where = self._path(folder)
        with _reading(where), suppress(FileNotFoundError):
            if self._remote is None:
                return sorted(entry.name for entry in os.scandir(where) if entry.is_file())
            self._remote.invalidate_cache()
            found = self._remote.ls(where, detail=True)
            return sorted(str(one["name"]).rpartition("/")[2] for one in found if one["type"] != "directory")
        return []

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            SourceError: It cannot be read.
        """
        where = self._path(name)
        with _reading(where):
            opened: BinaryIO = open(where, "rb") if self._remote is None else self._remote.open(where, "rb")  # noqa: PTH123, SIM115
        return opened

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Have other runs wait that would change files of the folder too; object stores have no locks.

        Raises:
            SinkError: The folder cannot be written.
        """
        if self._remote is not None:
            yield
            return
        with ExitStack() as lock:
            where = self._path(MANIFEST_FOLDER)
            try:
                lock.enter_context(awaited_folder(Path(where)))
            except OSError as error:
                raise self._unwritable(where, error) from error
            yield

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Yield a temporary file that becomes ``name`` at the end, in one step.

        Raises:
            SinkError: It cannot be written.
        """
        where = self._path(name)
        try:
            if self._remote is None:
                with self._replacing_local(Path(where)) as scratch:
                    yield scratch
                return
            with tempfile.TemporaryDirectory(prefix="livemood-") as folder:
                scratch = Path(folder) / "part"
                yield scratch
                self._put(scratch, where)
        except LivemoodError:
            raise
        except Exception as error:
            raise self._unwritable(where, error) from error

    def _unwritable(self, where: str, error: Exception) -> SinkError:
        return SinkError(f"{where} could not be written ({_short(error)})", f"try another {{{self._setting}}}")

    @contextmanager
    def _replacing_local(self, target: Path) -> Iterator[Path]:
        scratch = Path(self._scratch(target.name))
        scratch.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned(scratch.parent, target)
        try:
            with claimed(scratch, target, self._setting):
                yield scratch
                scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)

    def _put(self, local: Path, where: str) -> None:
        """Copy a file to its place: an object appears when it is complete, a file is renamed when it is."""
        parent, _, name = where.rpartition("/")
        has_folders = self._remote.root_marker or place_of(parent).startswith("/")
        if not has_folders:  # but buckets: a folder would be a new one
            self._remote.put_file(str(local), where)
            return
        scratch = self._scratch(name)
        for folder in (parent, self._path(MANIFEST_FOLDER)):
            self._remote.makedirs(folder, exist_ok=True)
        try:
            self._remote.put_file(str(local), scratch)
            if self._remote.exists(where):  # SMB and HDFS do not rename to a name that is taken
                self._remote.rm_file(where)
            self._remote.mv(scratch, where)
        except BaseException:
            with suppress(Exception):
                self._remote.rm_file(scratch)
            raise

    def _scratch(self, name: str) -> str:
        return self._path(f"{MANIFEST_FOLDER}/{name}.{uuid.uuid4().hex}.part")

    def _remove_abandoned(self, folder: Path, target: Path) -> None:
        """Remove the temporary files of processes that were killed; those of other runs are locked, and stay."""
        for left in folder.glob(f"{glob.escape(target.name)}.*.part"):
            with suppress(LivemoodError, OSError), claimed(left, target, self._setting):
                left.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            SinkError: It cannot be removed.
        """
        try:
            with suppress(FileNotFoundError):
                if self._remote is None:
                    Path(self._path(name)).unlink()
                else:
                    self._remote.rm_file(self._path(name))
        except Exception as error:
            raise SinkError(f"{self._path(name)} could not be removed ({_short(error)})") from error

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Raise a SourceError in place of any error of a driver, which raises what its own libraries do."""
    try:
        yield
    except LivemoodError:
        raise
    except Exception as error:
        raise SourceError(f"{where} could not be read ({_short(error)})") from error


def _short(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]
