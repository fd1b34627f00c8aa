"""Lines about wrong usage of the command line, which name the value."""

import math
from collections.abc import Callable
from typing import Any, Final

import typer

# What is wrong with a value, by pydantic's name of the error, which typer passes on.
_WRONG: Final[dict[str, Callable[[Any, Any], str]]] = {
    "int_parsing": lambda value, _: f"{value!r} is not a whole number",
    "int_from_float": lambda value, _: f"{value!r} is not a whole number",
    "float_parsing": lambda value, _: f"{value!r} is not a number",
    "greater_than_equal": lambda value, limits: _below(value, limits["ge"]),
    "less_than_equal": lambda value, limits: f"{value} is too large; {limits['le']:g} is the most",
    "value_error": lambda _, limits: str(limits["error"]).removesuffix("."),
}


def usage_line(error: typer.TyperException) -> str:
    """Return what is wrong with a command line, with the name of the option."""
    error.message = reason_of(error)
    return error.format_message().removesuffix(".")


def reason_of(error: typer.TyperException) -> str:
    """Return what is wrong with the value of an option."""
    found: Any = next(iter(getattr(error.__cause__, "errors", tuple)()), None)
    if not found:
        return error.message
    describe = _WRONG.get(found["type"], lambda value, _: f"{value!r}: {found['msg']}")
    return describe(found["input"], found.get("ctx", {}))


def _below(value: Any, least: float) -> str:
    return f"{value} is not a number" if math.isnan(float(value)) else f"{value} is too small; {least:g} is the least"
