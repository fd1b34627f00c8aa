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
    "greater_than_equal": lambda value, limits: _out_of_range(value, "small", limits["ge"], "least"),
    "less_than_equal": lambda value, limits: _out_of_range(value, "large", limits["le"], "most"),
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


def _out_of_range(value: Any, size: str, limit: float, end: str) -> str:
    # Fifteen digits show every whole number that is a limit, and no error of a float.
    wrong = f"{value} is too {size}; {limit:.15g} is the {end}"
    return f"{value} is not a number" if math.isnan(float(value)) else wrong
