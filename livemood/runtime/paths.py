"""What is at a path: checks that never raise.

A name that is too long, a loop of links, and what a folder that may not be entered holds count as not there.
"""

import os
from pathlib import Path


def is_there(path: Path | str) -> bool:
    """Return whether there is a file, folder or device, or a link to one."""
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises


def is_file(path: Path | str) -> bool:
    """Return whether there is a file, or a link to one."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path | str) -> bool:
    """Return whether there is a folder, or a link to one."""
    return os.path.isdir(path)  # noqa: PTH112


def is_link(path: Path | str) -> bool:
    """Return whether there is a symbolic link, wherever it leads."""
    return os.path.islink(path)  # noqa: PTH114


def bytes_of(path: Path | str) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    try:
        return os.path.getsize(path)  # noqa: PTH202
    except (OSError, ValueError):
        return 0


def name_of(path: Path) -> str:
    """Return the name of a file or folder without its folders, also that of the current folder."""
    return path.name or real_path(path).name


def real_path(path: Path | str) -> Path:
    """Return the absolute path with its links resolved, as far as they do not loop."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # a null byte, which no path has
        return Path(path)
