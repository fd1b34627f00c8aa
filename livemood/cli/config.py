"""Defaults of options from configuration files, and ``livemood config``, which shows them and where they come from."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_origin

import typer

from livemood.cli.config_files import ConfigError, ConfigFile, config_paths, read_configs, why_unread
from livemood.cli.options import Json, print_json
from livemood.cli.terminal import plain
from livemood.cli.usage import reason_of

# A configuration file in the current folder may come from someone else, so it cannot set what is opened, where results
# go and what is replaced.
_UNSETTABLE: Final = {
    "force", "json_", "resume", "virtual_camera", "thumbnails", "move", "copy", "link", "xmp", "card", "live", "full",
    "help", "retry_failed", "shard",
}  # fmt: skip
_SETTABLE_WORDS: Final = {"model", "pixel_format", "size", "preset", "emotions"}

Commands = Mapping[str, Any]
"""Commands of the program by name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A default set in a configuration file.

    Attributes:
        command: Whose option it is.
        name: The option, without dashes.
        value: As the file has it.
        path: The file.
    """

    command: str
    name: str
    value: Any
    path: Path


def settings_in(files: list[ConfigFile], commands: Commands) -> list[Setting]:
    """Return all settings of configuration files; those of later files come later.

    Raises:
        ConfigError: A key is not an option or may not be set in a file, or a value has a wrong type.
    """
    found: dict[tuple[str, str], Setting] = {}
    for file in files:
        general = {key: value for key, value in file.values.items() if not isinstance(value, dict)}
        for key, value in general.items():
            for command in _owners(key, file.path, commands):
                found[command, key] = _checked(Setting(command, key, value, file.path), commands[command])
        for name, table in file.values.items():
            if not isinstance(table, dict):
                continue
            if name not in commands:
                raise ConfigError(f"{file.path}: {_unknown(name, 'there is no command', list(commands))}")
            options = _options(commands[name])
            for key, value in table.items():
                if key not in options:
                    known = [option for option, param in options.items() if _is_settable(param)]
                    raise ConfigError(f"{file.path}: {_unknown(key, f'{name} has no option', known)}")
                found[name, key] = _checked(Setting(name, key, value, file.path), commands[name])
    return list(found.values())


def _owners(key: str, path: Path, commands: Commands) -> list[str]:
    """Return the commands that have an option, which must mean the same in all of them."""
    if key in commands:
        raise ConfigError(f"{path}: {key} is a command", "write [{0}], and its options below", key)
    owners = {name: _options(command)[key] for name, command in commands.items() if key in _options(command)}
    if not owners:
        known = {
            name for command in commands.values() for name, param in _options(command).items() if _is_settable(param)
        }
        raise ConfigError(f"{path}: {_unknown(key, 'no command has an option', sorted(known | set(commands)))}")
    settable = [name for name, param in owners.items() if _is_settable(param)]
    if settable and len({param.type_descriptor.annotation for param in owners.values()}) > 1:
        remedy = "set it for one command, in the table [{0}]"
        raise ConfigError(f"{path}: {key} differs between {', '.join(owners)}", remedy, settable[0])
    return list(owners)


def default_map(commands: Commands) -> dict[str, dict[str, Any]]:
    """Return the defaults from configuration files, by command and parameter, as typer takes them.

    Raises:
        ConfigError: As ``settings_in``.
    """
    defaults: dict[str, dict[str, Any]] = {}
    files = read_configs()
    for setting in settings_in(files, commands) if files else ():
        param = _options(commands[setting.command])[setting.name]
        defaults.setdefault(setting.command, {})[param.name] = _as_typed(setting.value)
    return defaults


def config(
    context: typer.Context,
    command: Annotated[
        str | None, typer.Argument(metavar="[COMMAND]", help="Show all options of this command that a file can set.")
    ] = None,
    json_: Json = False,
) -> None:
    """Show the defaults that livemood.toml sets, and where they come from.

    The file is read from the current folder, which takes precedence, and from your own configuration folder. Options at
    its top are for every command that has them, those in a table for one command: detector = "far", [video] crf = 24.

    Examples:
      livemood config
      livemood config video
    """
    program: Any = context.find_root().command
    commands: Commands = program.commands
    if command is not None and command not in commands:
        raise typer.BadParameter(_unknown(command, "there is no command", list(commands)), param_hint="COMMAND")
    settings = settings_in(read_configs(), commands)
    rows = list(_all_of(command, commands[command], settings)) if command else [_row(setting) for setting in settings]
    files = {str(path.absolute()): why_unread(path) for path in config_paths()}
    if json_:
        keys = ("command", "option", "value", "from")
        print_json(
            {
                "files": {path: not why for path, why in files.items()},
                "settings": [dict(zip(keys, row, strict=True)) for row in rows],
            }
        )
        return
    for path, why in files.items():
        print(plain(path) + (f" ({why})" if why else ""))
    if rows:
        print()
    cells = [(command, option, plain(_shown(value)), plain(place)) for command, option, value, place in rows]
    widths = [max((len(row[place]) for row in cells), default=0) for place in range(3)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)).rstrip())


def _row(setting: Setting) -> tuple[str, str, Any, str]:
    return setting.command, setting.name, setting.value, str(setting.path)


def _all_of(name: str, command: Any, settings: list[Setting]) -> Iterator[tuple[str, str, Any, str]]:
    given = {setting.name: setting for setting in settings if setting.command == name}
    for option, param in _options(command).items():
        if option in given:
            yield _row(given[option])
        elif _is_settable(param):
            yield name, option, param.default, "built in"


def _shown(value: Any) -> str:
    """Return a value without quotes, switches as in TOML; nothing if there is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "" if value is None else str(value)


def _options(command: Any) -> dict[str, Any]:
    """Return a command's options by name, without dashes."""
    params = (param for param in command.params if param.param_type_name == "option")
    return {max(param.opts, key=len).lstrip("-"): param for param in params}


def _is_settable(param: Any) -> bool:
    if param.name in _UNSETTABLE:
        return False
    kind = param.type_descriptor.annotation
    return (kind not in (str, Path) and get_origin(kind) is not list) or param.name in _SETTABLE_WORDS


def _checked(setting: Setting, command: Any) -> Setting:
    param = _options(command)[setting.name]
    shown = repr(setting.value) if isinstance(setting.value, str | list) else _shown(setting.value)
    where = f"{setting.path}: {setting.name} = {shown}"
    if not _is_settable(param):
        raise ConfigError(f"{where} cannot be set in a file", "give it on the command line")
    try:
        if problem := _unfit(setting.value, param):
            raise typer.BadParameter(problem)
        param.process_value(typer.Context(command), _as_typed(setting.value))
    except (typer.BadParameter, ValueError, TypeError) as error:
        reason = reason_of(error) if isinstance(error, typer.BadParameter) else str(error)
        raise ConfigError(
            f"{where} cannot be used ({reason.removesuffix('.')})", "see livemood {0} --help", setting.command
        ) from error
    return setting


def _unfit(value: Any, param: Any) -> str:
    """Return why a value of a file is not one of an option, whatever it says; empty if it may be one."""
    if param.is_flag:
        return "" if isinstance(value, bool) else "it is true or false"
    if isinstance(value, bool):
        return "it is not a switch"
    several = param.type_descriptor.annotation is Any
    if isinstance(value, list) and several:
        return "" if all(isinstance(one, str) for one in value) else "it takes words in quotes"
    if isinstance(value, list):
        return "it takes one value"
    return "" if isinstance(value, str | int | float) else "it takes a number or words in quotes"


def _as_typed(value: Any) -> Any:
    """Return a value as it would be written on the command line."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, bool) else str(value)


def _unknown(name: str, what: str, known: list[str]) -> str:
    if not known:
        return f"{what} {name!r}; no option of this command can be set in a file"
    near = difflib.get_close_matches(name, known, 1)
    return f"{what} {name!r}; did you mean {near[0]!r}?" if near else f"{what} {name!r}; there are {', '.join(known)}"
