"""Figures as text: tables that a screen reader can walk through, times and shares."""

from collections.abc import Iterable, Sequence
from html import escape


class Raw(str):
    """Text that is HTML already; everything else is escaped."""


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], texts: Sequence[int] = ()) -> str:
    """Return a table whose first column names its rows, in a region that scrolls by itself.

    Args:
        caption: Says what the table shows.
        head: Column names.
        rows: Cells as text.
        texts: Columns that hold words rather than numbers.
    """
    names = "".join(f'<th scope="col"{_class(place, texts)}>{escape(name)}</th>' for place, name in enumerate(head))
    body = "\n".join(f"<tr>{_row(row, texts)}</tr>" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">\n'
        f"<table>\n<caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def clock(time_s: float, digits: int = 1) -> str:
    """Return seconds as 0:05.2, 12:00.0 or 3:04:05."""
    whole = round(time_s * 10**digits)
    seconds, part = divmod(whole, 10**digits)
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{seconds // 60}:{seconds % 60:02}" + (f".{part:0{digits}}" if digits else "")


def percent(share: float) -> str:
    """Return a share of 0..1 as <0.1 %, 0.4 %, 12 % or 100 %."""
    value = share * 100
    if 0 < value < 0.05:
        return "<0.1 %"
    return f"{value:.1f} %" if 0 < value < 9.95 else f"{value:.0f} %"


def _row(row: Sequence[str], texts: Sequence[int]) -> str:
    cells = []
    for place, cell in enumerate(row):
        tag = 'th scope="row"' if place == 0 else "td"
        content = cell if isinstance(cell, Raw) else escape(cell)
        cells.append(f"<{tag}{_class(place, texts)}>{content}</{tag.split()[0]}>")
    return "".join(cells)


def _class(place: int, texts: Sequence[int]) -> str:
    return ' class="text"' if place in texts else ""
