"""Tables of figures on stdout."""

import re

from rich.console import Console

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.cli.figures import manifest_table, print_table
from livemood.cli.summary import shares_table

METRICS = {
    **{"split": "valid", "accuracy_majority": 0.875, "accuracy_top_vote": 0.75, "macro_f1": 0.7, "ece": 0.0123},
    **{
        "aligned_accuracy_majority": 0.9,
        "aligned_accuracy_top_vote": 0.8,
        "aligned_macro_f1": 0.71,
        "aligned_ece": 0.02,
    },
    **{"recall": {"happy": 1.0, "sad": None}, "kind_accuracy": 0.5},
}


def test_manifest_table_then_figures_have_words_and_both_framings_stand_side_by_side() -> None:
    table = manifest_table(METRICS)
    assert table.title == "Figures of the valid pictures"
    assert table.rows == (
        ("accuracy, majority of the votes", "87.5 %", "90.0 %"),
        ("accuracy, top vote", "75.0 %", "80.0 %"),
        ("macro-F1", "0.700", "0.710"),
        ("calibration error (ECE)", "0.012", "0.020"),
        ("recall of happy", "100.0 %", ""),
        ("recall of sad", "–", ""),
        ("accuracy of head kind", "50.0 %", ""),
    )


def test_manifest_table_when_there_are_no_votes_then_accuracy_stands_once() -> None:
    table = manifest_table({**METRICS, "accuracy_majority": 0.75, "aligned_accuracy_majority": 0.8})
    assert next(row for row in table.rows if row[0].startswith("accuracy")) == ("accuracy", "75.0 %", "80.0 %")
    assert not any("vote" in row[0] for row in table.rows)


def test_manifest_table_when_there_is_a_head_for_smiles_then_its_figures_are_shown() -> None:
    smile = {"open_read_as_open": 0.8, "closed_read_as_closed": 0.7}
    rows = manifest_table({**METRICS, "smile": smile}).rows
    assert [row[1:] for row in rows if "smiles read as" in row[0]] == [("80.0 %", ""), ("70.0 %", "")]


def test_shares_table_then_labels_that_look_like_markup_stay(capsys) -> None:
    Console().print(shares_table({"[red]": 0.25, "sad": 0.75}))
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split() for line in lines] == [["[red]", "25.0%"], ["sad", "75.0%"]]


def test_print_table_then_names_that_look_like_markup_stay(capsys) -> None:
    print_table(manifest_table({**METRICS, "recall": {"[red]": 0.5}}))
    assert "recall of [red]" in capsys.readouterr().out


def test_figures_of_the_shipped_model_then_are_those_of_its_card() -> None:
    shown = {name: both for name, *both in manifest_table(read_bundle(default_bundle()).metrics).rows}
    card = (default_bundle() / "MODEL_CARD.md").read_text(encoding="utf-8")

    def column(protocol: str, number: int) -> list[str]:
        lines = [re.search(rf"^\| {protocol}, {framing} \|.*", card, re.M) for framing in ("as they come", "aligned")]
        return [line[0].split(" | ")[number].rstrip("| ") for line in lines if line]

    assert shown["accuracy, majority of the votes"] == column("majority", 2)
    assert shown["accuracy, top vote"] == column("top vote", 2)
    assert shown["macro-F1"] == column("top vote", 4)
    assert shown["calibration error (ECE)"] == column("top vote", 5)
