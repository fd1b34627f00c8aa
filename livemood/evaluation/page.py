"""An evaluation as one web page that needs nothing beside it: tables, and pictures inside the file."""

import base64
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from livemood.evaluation.tables import Table, tables
from livemood.reporting import plots
from livemood.runtime.atomic_io import atomic_write

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2937 }
table { border-collapse: collapse; margin: .5rem 0 } th, td { padding: .25rem .8rem; text-align: right }
th { border-bottom: 1px solid #9ca3af } td:first-child, th:first-child { text-align: left }
tr:nth-child(even) td { background: #f3f4f6 } figure { display: inline-block; margin: 0 1rem 1rem 0 }
.note { color: #6b7280 }
"""


def write_html(report: Mapping[str, Any], file: Path) -> None:
    """Write a report of ``examine``.

    Raises:
        SinkError: matplotlib is missing, or the file cannot be written.
    """
    title = f"{report['bundle']} on {report['data']}, {report['split']} split"
    parts = [f"<h1>{escape(title)}</h1>", *(_picture(name, data) for name, data in _pictures(report))]
    parts += [_table(table) for table in tables(report)]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )
    with atomic_write(file, "html", force=True) as part:
        part.write_text(page, encoding="utf-8")


def _pictures(report: Mapping[str, Any]) -> Sequence[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as scratch:
        files = plots.report_pictures(report, Path(scratch))
        return [(file.stem, file.read_bytes()) for file in files]


def _picture(name: str, data: bytes) -> str:
    coded = base64.b64encode(data).decode()
    return f'<figure><img alt="{escape(name)}" src="data:image/png;base64,{coded}"></figure>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f"<h2>{escape(table.title)}</h2><table><tr>{head}</tr>{rows}</table>{note}"
