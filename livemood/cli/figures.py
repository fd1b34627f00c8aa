"""Tables of figures on stdout."""

from collections.abc import Mapping
from typing import Any, Final

from livemood.cli.terminal import plain
from livemood.reporting.tables import Table, measured

_FRAMINGS: Final = ("as they come", "aligned")
# Figures of a manifest in the order shown, with their words and form; those with ``aligned_`` in front stand beside.
_SHOWN: Final = (
    ("accuracy_majority", "accuracy, majority of the votes", "%"),
    ("accuracy_top_vote", "accuracy, top vote", "%"),
    ("macro_f1", "macro-F1", ""),
    ("ece", "calibration error (ECE)", ""),
    ("happy_versus_sad", "happy versus sad", "%"),
    ("accuracy_without_near_copies", "accuracy without near-copies", "%"),
)
_SMILES: Final = (
    ("open_read_as_open", "open smiles read as open"),
    ("closed_read_as_closed", "closed smiles read as closed"),
)
_HEAD: Final = "_accuracy"
_PREFIXES: Final = ("", "aligned_")


def print_table(table: Table) -> None:
    """Print a table with its title and note."""
    from rich import table as rich_table
    from rich.console import Console

    # Names of classes, groups and bundles may contain [ and :, which are not markup here.
    console = Console(markup=False, emoji=False)
    header, title = map(plain, table.header), plain(table.title)
    drawn = rich_table.Table(*header, title=title, title_justify="left", box=None, header_style="dim")
    for row in table.rows:
        drawn.add_row(*map(plain, row))
    console.print(drawn)
    console.print(f"{plain(table.note)}\n" if table.note else "", style="dim", highlight=False)


def manifest_table(metrics: Mapping[str, Any]) -> Table:
    """Return the figures that a bundle's manifest holds of its own test pictures.

    Args:
        metrics: See ``livemood.training.export.finish.measure``.
    """
    votes_agree = all(
        metrics.get(f"{prefix}accuracy_majority") == metrics.get(f"{prefix}accuracy_top_vote") for prefix in _PREFIXES
    )
    rows = []
    for name, words, form in _SHOWN[1:] if votes_agree else _SHOWN:
        both = [_text(metrics[prefix + name], form) if prefix + name in metrics else "" for prefix in _PREFIXES]
        if any(both):
            rows.append(("accuracy" if votes_agree and name == "accuracy_top_vote" else words, *both))
    rows += [(f"recall of {label}", _text(value, "%"), "") for label, value in metrics.get("recall", {}).items()]
    heads = [name for name in metrics if name.endswith(_HEAD) and not name.startswith(_PREFIXES[1])]
    rows += [(f"accuracy of head {name.removesuffix(_HEAD)}", _text(metrics[name], "%"), "") for name in heads]
    rows += [
        (words, measured(metrics["smile"][name]), "") for name, words in _SMILES if name in metrics.get("smile", {})
    ]
    return Table(f"Figures of the {metrics.get('split', 'test')} pictures", ("figure", *_FRAMINGS), tuple(rows))


def _text(value: float | None, form: str) -> str:
    return measured(value) if form else f"{value:.3f}"
