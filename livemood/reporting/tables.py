"""Figures as text: tables for terminal, web page and Markdown, times and shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


class Raw(str):
    """HTML that is not escaped, unlike all other text."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title, for a terminal or a page.

    Attributes:
        title: What it shows.
        header: Names of the columns; the first column names the rows.
        rows: Cells as text.
        note: A line below.
        texts: Columns that hold words rather than numbers.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    texts: tuple[int, ...] = (0,)

    def markdown(self) -> str:
        """Return it as Markdown, without the title; no text in it is taken for HTML."""
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
        return escape(f"{table}\n\n{self.note}".strip(), quote=False)

    def html(self) -> str:
        """Return it as accessible HTML, in a region that scrolls by itself."""
        names = "".join(f'<th scope="col"{self._class(at)}>{escape(name)}</th>' for at, name in enumerate(self.header))
        body = "\n".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        note = f'\n<p class="soft">{escape(self.note)}</p>' if self.note else ""
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(self.title)}">\n'
            f"<table>\n<caption>{escape(self.title)}</caption>\n"
            f"<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>{note}"
        )

    def _row(self, row: Sequence[str]) -> str:
        cells = []
        for place, cell in enumerate(row):
            tag = 'th scope="row"' if place == 0 else "td"
            content = cell if isinstance(cell, Raw) else escape(cell)
            cells.append(f"<{tag}{self._class(place)}>{content}</{tag.split()[0]}>")
        return "".join(cells)

    def _class(self, place: int) -> str:
        return ' class="text"' if place in self.texts else ""


def clock(time_s: float, digits: int = 1) -> str:
    """Return seconds as 0:05.2, -0:05.2, 12:00.0 or 3:04:05."""
    whole = round(time_s * 10**digits)
    seconds, part = divmod(abs(whole), 10**digits)
    sign = "-" if whole < 0 else ""
    if seconds >= 3600:
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{sign}{seconds // 60}:{seconds % 60:02}" + (f".{part:0{digits}}" if digits else "")


def percent(share: float) -> str:
    """Return a share of 0..1, rounded, as <0.1 %, 0.4 %, 12 % or 100 %."""
    value = share * 100
    if 0 < value < 0.05:
        return "<0.1 %"
    return f"{value:.1f} %" if 0 < value < 9.95 else f"{value:.0f} %"


def measured(share: float | None) -> str:
    """Return a measured share of 0..1 as 87.7 %, or a dash for None."""
    return "–" if share is None else f"{100 * share:.1f} %"


def interval(ends: Sequence[float] | None) -> str:
    """Return an interval of shares as 80.1 to 90.3, or a dash for None."""
    return "–" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"


def short(text: str, most: int) -> str:
    """Return text of at most ``most`` characters, and an ellipsis if it is longer."""
    return text if len(text) <= most else f"{text[:most]}\u2026"
