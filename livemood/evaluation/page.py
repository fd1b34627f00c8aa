"""An evaluation as one self-contained HTML page: tables and plots."""

import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from livemood.evaluation.pictures import report_pictures
from livemood.evaluation.tables import tables
from livemood.reporting.document import data_uri, document
from livemood.runtime.atomic_io import atomic_write

_METHOD = (
    "<p>Measured by livemood evaluate with the model as it is served. Everything on this page is inside this one "
    "file, which loads nothing from a network.</p>"
)


def write_html(report: Mapping[str, Any], file: Path) -> None:
    """Write a report of ``examine``.

    Raises:
        LivemoodError: matplotlib is not installed.
        SinkError: The file cannot be written.
    """
    title = f"{report['bundle']} on {report['data']}, {report['split']} split"
    shown = [f"<section>\n<h2>{escape(table.title)}</h2>\n{table.html()}\n</section>" for table in tables(report)]
    content = "\n".join((*_pictures(report), *shown))
    page = document(title, f"{report['pictures']:,} pictures", content, _METHOD)
    with atomic_write(file, "html", force=True) as part:
        part.write_text(page, encoding="utf-8")


def _pictures(report: Mapping[str, Any]) -> list[str]:
    with tempfile.TemporaryDirectory() as scratch:
        return [_figure(file) for file in report_pictures(report, Path(scratch))]


def _figure(file: Path) -> str:
    uri = data_uri(file.read_bytes(), "png")
    return f'<figure><img alt="{escape(file.stem)}" src="{uri}"></figure>'
