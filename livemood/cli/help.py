"""Help of commands: plain text that fits 80 columns, with examples that can be copied."""

import inspect
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from livemood.runtime.storage import is_url

_TYPES: Final = {
    "path": "PATH",
    "file": "FILE",
    "int": "N",
    "float": "X",
    "int range": "N",
    "float range": "X",
    "str": "TEXT",
}
# How typer writes arguments: {PATH...}..., {DATA}, [[CLIP]].
_ARGUMENT: Final = re.compile(r"\{(.+?)\}(?:\.\.\.)?$")
_OPTIONAL: Final = re.compile(r"\[\[(.+)\]\]$")
_EMPTY: Final = re.compile(r"(--[\w-]+)=")
# How typer writes defaults and limits, and what is shown instead.
_LIMITS: Final = (
    (re.compile(r"\[default: \(([^()]*)\)"), r"[default: \1"),
    (re.compile(r"\[default: (\d+)\.0(?=[\];])"), r"[default: \1"),
    (re.compile(r"(?<=[\[ ])x>=(\d+(?:\.\d*[1-9])?)(?:\.0)?\]$"), r"at least \1]"),
    (re.compile(r"(?<=[\[ ])([\d.]+)<=x<=([\d.]+)\]$"), r"\1 to \2]"),
)
_TYPE: Final = re.compile(r"<([^<>]+)>|\b(?:int|float) range\b")


class Command(TyperCommand):
    """A command that refuses empty and repeated values and URLs as paths, and whose help keeps indented lines."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command.

        Raises:
            BadParameter: One is empty: the path "" would mean the current folder, or the root of all. Or an option for
                one value has two, of which the first would be ignored. Or a path is a URL,
                which would mean a folder on this machine.
        """
        if ctx.resilient_parsing:  # the shell completes a word
            return super().parse_args(ctx, args)
        for before, word in pairwise(["", *args]):
            given = _EMPTY.fullmatch(word)
            if given or not word.strip():
                option = given[1] if given else before if before.startswith("--") else "an argument"
                raise typer.BadParameter("it is empty; is a variable of the shell not set?", ctx, param_hint=option)
        values, _, order = self.make_parser(ctx).parse_args(list(args))
        for param, count in Counter(order).items():
            if count > 1 and param.param_type_name == "option" and not (param.is_flag or param.multiple):
                raise typer.BadParameter(f"it takes one value, got {count}", ctx, param)
        for param in order:
            if _has_paths(param.type_descriptor.annotation):
                value = values[param.name] or ()
                for word in (value,) if isinstance(value, str) else value:
                    if is_url(word):
                        raise typer.BadParameter(f"{word!r} is a URL; give a path on this machine", ctx, param)
        return super().parse_args(ctx, args)

    def make_parser(self, ctx: Any) -> Any:
        """Return the parser, which also takes ``--no-X`` for every switch, as a file of settings may turn it on."""
        parser = super().make_parser(ctx)
        params: list[Any] = self.params
        for param in params:
            if param.param_type_name == "option" and param.is_flag and not param.secondary_opts:
                names = [f"--no-{name[2:]}" for name in param.opts if name.startswith("--")]
                parser.add_option(param, names, dest=param.name, action="store_const", const=False)
        return parser

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line: arguments by their names, in brackets if they may be left out."""
        return [_ARGUMENT.sub(r"\1", _OPTIONAL.sub(r"[\1]", piece)) for piece in super().collect_usage_pieces(ctx)]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write paragraphs filled, and indented lines unchanged."""
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n"):
            formatter.write_paragraph()
            lines = paragraph.splitlines()
            if any(line.startswith(" ") for line in lines):
                formatter.write("".join(f"  {line}\n" for line in lines))
            else:
                with formatter.indentation():
                    formatter.write_text(" ".join(paragraph.split()))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options, each with the name of its value."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            params = [param for param in self.get_params(ctx) if param.param_type_name == kind]
            found = [record for param in params if (record := param.get_help_record(ctx))]
            if found:
                with formatter.section(title):
                    formatter.write_dl([(_named(name, kind), _plain_limits(text)) for name, text in found])


class Commands(TyperGroup):
    """The list of commands, a line for each."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the first sentence of every command."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _first_sentence(self.commands[name].help or "")) for name in self.list_commands(ctx)]
            )

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options of the program as a whole."""
        self.format_commands(ctx, formatter)
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(records)


def _named(name: str, kind: str) -> str:
    """Return an option with the name of its value instead of its type; an argument has its name alone."""
    if kind == "argument":
        return _TYPE.sub("", name).strip()
    return _TYPE.sub(lambda match: _TYPES.get(match[1] or match[0], match[1] or match[0]), name)


def _plain_limits(text: str) -> str:
    """Return a description with its default and limits in words: ``[default: 1; at least 1]``."""
    for pattern, words in _LIMITS:
        text = pattern.sub(words, text)
    return text


def _first_sentence(text: str) -> str:
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return re.split(r"(?<=\w)[.:] ", paragraph, maxsplit=1)[0].removesuffix(".")


def _has_paths(annotation: Any) -> bool:
    return annotation is Path or any(map(_has_paths, get_args(annotation)))
