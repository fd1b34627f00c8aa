"""Hooks of MkDocs: the page on commands shows their help; links to files beside docs/ lead to the repository."""

import contextlib
import io
import os
import re
from pathlib import Path
from typing import Any

MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Put every command's help in place of the mark, and lead links to files beside docs/ to the repository."""
    root = Path(config["docs_dir"]).parent

    def led(match: re.Match[str]) -> str:
        # A file that is not there stays a link that leads nowhere, which ends a strict build.
        return f"]({config['repo_url']}/blob/main/{match[1]}" if (root / match[1]).is_file() else match[0]

    if "/" not in page.file.src_uri:
        markdown = re.sub(r"\]\(\.\./([\w./-]+)", led, markdown)
    return markdown.replace(MARK, commands()) if MARK in markdown else markdown


def commands() -> str:
    """Return a section for every command."""
    from livemood.cli import program, run

    os.environ["COLUMNS"] = "80"
    parts = []
    for name in program().commands:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            run([name, "--help"])
        parts.append(f"## livemood {name}\n\n```text\n{said.getvalue().strip()}\n```\n")
    return "\n".join(parts)
