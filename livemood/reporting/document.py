"""The HTML template of every page: one self-contained file that loads nothing."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Literal

from livemood.core.text_tables import utf8


def document(
    title: str, facts: str, content: str, method: str, scripts: Sequence[str] = (), data: str = "", style: str = ""
) -> str:
    """Return a complete page.

    Args:
        title: Its heading, as text.
        facts: A line below the heading, as text.
        content: Its body, as HTML.
        method: How it was made, as HTML.
        scripts: JavaScript; the page's policy allows only these scripts.
        data: An element with the data of the scripts, as HTML.
        style: Further CSS.
    """
    elements = [data] if data else []
    elements += [f"<script>{script}</script>" for script in scripts]
    page = Template(asset("document.html")).substitute(
        policy=policy(scripts),
        title=escape(title),
        style=f"{style}\n{asset('document.css')}".lstrip(),
        facts=escape(facts),
        content=content,
        method=method,
        scripts="\n".join(elements),
    )
    return utf8(page)  # names of files may be of any bytes


def asset(name: str) -> str:
    """Return a text file of this package."""
    return files("livemood.reporting").joinpath(name).read_text(encoding="utf-8")


def data_uri(picture: bytes, kind: Literal["png", "jpeg"]) -> str:
    """Return the content of a picture's file as a data URI."""
    return f"data:image/{kind};base64,{b64encode(picture).decode('ascii')}"


def policy(scripts: Sequence[str]) -> str:
    """Return a Content Security Policy under which only these scripts run and nothing is loaded."""
    hashes = (b64encode(sha256(script.encode()).digest()).decode("ascii") for script in scripts)
    allowed = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
