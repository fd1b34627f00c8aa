"""Options of the commands. Those that are settings are derived from the settings' dataclasses."""

import dataclasses
import functools
import inspect
import json
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer

from livemood.core.durations import parse_duration
from livemood.core.errors import LivemoodError
from livemood.core.settings import ReaderSettings
from livemood.runtime.atomic_io import same_file
from livemood.runtime.paths import real_path
from livemood.sinks.open import SINKS, STDOUT, Output, SinkKind

if TYPE_CHECKING:
    from rich.console import Console

    from livemood.apps.session import Session

# Width that every table fits, characters.
_WIDE = 10_000

VideoOutputs = Annotated[tuple[Output, ...], "video"]
"""Type of a parameter that becomes an option for every sink for video files."""
LiveOutputs = Annotated[tuple[Output, ...], "live"]
"""Type of a parameter that becomes an option for every sink for cameras and streams."""
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]


def option_name(setting: str) -> str:
    """Return the option of a setting, such as ``--pixel-format``; a suffix ``_s`` is dropped."""
    return f"--{setting.removesuffix('_s').replace('_', '-')}"


def seconds(text: str | float) -> float:
    """Parse a length of time, s; a number, such as a default, is returned as it is."""
    try:
        return float(text) if isinstance(text, int | float) else parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def names(text: str) -> tuple[str, ...]:
    """Parse comma-separated names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclasses.dataclass(frozen=True)
class Only:
    """Restricts a parameter to some settings of its dataclass: ``Annotated[Settings, Only("model")]``."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclasses.dataclass(frozen=True)
class Changes:
    """Makes a parameter a mapping of those settings of a dataclass that were given, by name.

    Attributes:
        settings: The dataclass.
        words: Further arguments of ``typer.Option`` by setting.
    """

    settings: type[Any]
    words: Mapping[str, Mapping[str, Any]]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameters that are dataclasses by one option for each of their settings.

    A parameter annotated with a dataclass whose fields were made by ``livemood.core.settings.setting`` is replaced by
    one option for each field, with its default and help text; the command is called with the filled dataclass. One
    annotated with ``Changes`` is called with what was given.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, tuple[Callable[..., Any], list[str]]] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        kind, only, changes = _settings_class(hints[name])
        if hints[name] in (VideoOutputs, LiveOutputs):
            sinks = [sink for sink in SINKS if (sink.for_video if hints[name] == VideoOutputs else sink.for_live)]
            groups[name] = _outputs, [sink.name for sink in sinks]
            parameters += map(_sink_option, sinks)
            continue
        if kind is None:
            parameters.append(parameter.replace(annotation=hints[name]))
            continue
        types_of = typing.get_type_hints(kind)
        fields = [f for f in dataclasses.fields(kind) if "help" in f.metadata and (not only or f.name in only)]
        groups[name] = _given if changes else kind, [field.name for field in fields]
        parameters += [_option(field, types_of[field.name], changes) for field in fields]

    @functools.wraps(command)
    def filled(**given: Any) -> None:
        for name, (kind, fields) in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in fields})
        with stdout_free(given.get("outputs", ()), given.get("json_", False)):
            command(**given)

    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    filled.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    filled.__annotations__ = {p.name: p.annotation for p in keyword}
    del filled.__wrapped__  # typer would use the command's own signature
    return filled


def _outputs(**targets: Any) -> tuple[Output, ...]:
    """Return the requested sinks, given the target or flag of each kind."""
    wanted = {name: target for name, target in targets.items() if target not in (None, False)}
    return tuple(Output(name, "" if target is True else str(target)) for name, target in wanted.items())


def _given(**settings: Any) -> dict[str, Any]:
    """Return the settings that were given."""
    return {name: value for name, value in settings.items() if value is not None}


def _sink_option(sink: SinkKind) -> inspect.Parameter:
    words: dict[str, Any] = {"help": sink.help, **({"metavar": sink.metavar} if sink.metavar else {})}
    kind = str | None if sink.metavar else bool
    return inspect.Parameter(
        sink.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if sink.metavar else False,
        annotation=Annotated[kind, typer.Option(option_name(sink.name), **words)],
    )


def _settings_class(hint: Any) -> tuple[type[Any] | None, tuple[str, ...], Changes | None]:
    """Return the dataclass of a parameter, None if it has none, and how it is annotated."""
    only = next((extra.names for extra in get_args(hint)[1:] if isinstance(extra, Only)), ())
    changes = next((extra for extra in get_args(hint)[1:] if isinstance(extra, Changes)), None)
    kind = changes.settings if changes else get_args(hint)[0] if get_origin(hint) is Annotated else hint
    is_settings = dataclasses.is_dataclass(kind) and any("help" in f.metadata for f in dataclasses.fields(kind))
    return (kind, only, changes) if is_settings else (None, (), None)


def _option(field: "dataclasses.Field[Any]", kind: Any, changes: Changes | None) -> inspect.Parameter:
    words, default = dict(field.metadata), field.default
    if field.name.endswith("_s"):
        kind, words = (float | None if field.default is None else float), {**words, "parser": seconds}
    elif get_origin(_without_none(kind)) is tuple:
        kind, words = Any, {**words, "parser": names}
    name = option_name(field.name)
    if changes:
        shown = name[2:] if default is True else default is not None and str(default)
        words = {**words, "show_default": shown, **changes.words.get(field.name, {})}
        kind, default = kind | None, None
    option = typer.Option(f"{name}/--no-{name[2:]}" if field.default is True else name, **words)
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = (part for part in get_args(kind) if part is not type(None))
    return kind


def refuse_idle(context: typer.Context, settings: Sequence[str], why: str) -> None:
    """Raise a usage error for a setting without effect that the command line gives; turned off, it is fine."""
    for name in settings:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and context.params[name] is not False:
            raise typer.BadParameter(why, param_hint=option_name(name))


@contextmanager
def stdout_free(outputs: Sequence[Output], json_: bool) -> Iterator[None]:
    """Print on stderr in the block, if records go to stdout."""
    if not any(output.target == STDOUT for output in outputs):
        yield
        return
    if json_:
        raise typer.BadParameter(
            "stdout takes the records; write those to a file, or leave this out", param_hint="--json"
        )
    with redirect_stdout(sys.stderr):
        yield


def files_of(outputs: Sequence[Output]) -> dict[str, Path]:
    """Return the requested files, by the name of their sink."""
    return {output.name: output.file for output in outputs if output.file}


def refuse_shared(targets: Sequence[tuple[str, Path | None]]) -> None:
    """Raise a usage error when two settings name one file, where the last to be written would replace the others."""
    taken: list[tuple[str, Path]] = []
    for setting, path in targets:
        if path is None:
            continue
        place = real_path(path)
        for other, there in taken:
            if place == there or same_file(place, there):
                raise typer.BadParameter(
                    f"{path} is the file of {option_name(other)}; give each a file of its own",
                    param_hint=option_name(setting),
                )
        taken.append((setting, place))


@contextmanager
def opened(settings: ReaderSettings) -> "Iterator[Session]":
    """Open the models; a wrong choice of emotions is a usage error."""
    from livemood.apps.session import Session
    from livemood.runtime.stopping import held

    with _known_emotions(), held():  # an interrupt during an import could be reported as a missing library
        session = Session(settings)
    with session:
        yield session


def heads_of(settings: ReaderSettings) -> Mapping[str, tuple[str, ...]]:
    """Return labels by head of the model, which is not opened; a wrong choice of emotions is a usage error."""
    from livemood.bundles.heads import heads_of_bundle

    with _known_emotions():
        return heads_of_bundle(settings.model, settings.emotions)


@contextmanager
def _known_emotions() -> Iterator[None]:
    """Make a ValueError of the block, which a wrong choice of emotions raises, a usage error."""
    try:
        yield
    except LivemoodError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--emotions") from error


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def console_for_tables() -> "Console":
    """Return a console on stdout: as wide as the terminal, or without a limit if stdout is not one."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE)
