"""Configuration files: ``livemood.toml`` in the current folder, and one in the user's configuration folder."""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from livemood.core.errors import LivemoodError

NAME: Final = "livemood.toml"
# A configuration file has a few hundred bytes.
_MAX_BYTES: Final = 1 << 20


class ConfigError(LivemoodError, ValueError):
    """A configuration file cannot be read, or has an invalid key or value."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The content of a configuration file.

    Attributes:
        path: Of the file.
        values: Its keys and values; options at the top are for every command that has them, those in a table for the
            command of its name.
    """

    path: Path
    values: Mapping[str, Any]


def config_paths() -> tuple[Path, Path]:
    """Return the paths of configuration files: the user's, then that of the current folder, which takes precedence."""
    return user_folder() / NAME, Path(NAME)


def user_folder() -> Path:
    """Return the user's configuration folder for livemood."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or "~/AppData/Roaming"
    elif sys.platform == "darwin":
        base = "~/Library/Application Support"
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        return Path(base).expanduser() / "livemood"
    except RuntimeError:  # no home folder
        return Path(base) / "livemood"


def read_configs() -> list[ConfigFile]:
    """Read the existing configuration files; later ones take precedence.

    A file in a folder that this user may not enter counts as missing, as where a service runs with another user's HOME.

    Raises:
        ConfigError: One is not valid TOML, or cannot be read.
    """
    return [ConfigFile(path, _read(path)) for path in config_paths() if not why_unread(path)]


def why_unread(path: Path) -> str:
    """Return why ``read_configs`` leaves a file out; empty if it reads it."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return "no permission to look into its folder"
    except (OSError, ValueError):
        return "not there"
    return "" if S_ISREG(mode) else "not a file"


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path} has over {_MAX_BYTES / 1e6:.0f} MB, which is too much for settings")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows editors add a mark
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML ({error})", "see https://toml.io") from error
    except OSError as error:
        raise ConfigError(f"{path} could not be read ({error.strerror or error})") from error
