"""docs/design.md names packages, functions and files of the code: each of them is there."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "livemood"
TEXT = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
_TYPESCRIPT = re.compile(r"`([a-z/]+\.ts)` `([A-Za-z.]+)`")


def _packages():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return folders | {"pipeline", "testing", "interop"}


def _named():
    starts = "|".join(sorted(_packages()))
    return sorted(set(re.findall(rf"`((?:{starts})\.[\w.]+)`", TEXT)) - {"pipeline.py"})


def _resolve(name):
    words = name.split(".")
    for count in range(len(words), 0, -1):
        try:
            found = importlib.import_module(".".join(["livemood", *words[:count]]))
        except ModuleNotFoundError:
            continue
        for word in words[count:]:
            found = getattr(found, word)
        return found
    raise AttributeError(name)


@pytest.mark.parametrize("name", _named())
def test_design_when_it_names_a_function_then_the_function_is_there(name):
    assert _resolve(name) is not None


def test_design_when_it_lists_packages_then_none_is_missing():
    table = [row.split("|")[1] for row in TEXT.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(table))) == _packages()


@pytest.mark.parametrize(("file", "name"), sorted(set(_TYPESCRIPT.findall(TEXT))))
def test_design_when_it_names_a_part_of_the_page_then_it_is_there(file, name):
    source = (PACKAGE / "web" / "src" / file).read_text(encoding="utf-8")
    assert all(re.search(rf"\b{word}\b", source) for word in name.split("."))


def test_design_when_it_walks_a_frame_then_every_walk_names_steps():
    walks = re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]
    assert len(walks) == 5
    assert all(len(re.findall(r"^\s*\d+\. ", walk, flags=re.MULTILINE)) >= 8 for walk in walks)
