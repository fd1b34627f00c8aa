"""Command lines that repeat what was done."""

from pathlib import Path

import pytest

from livemood.bundles.manifest import default_bundle
from livemood.cli.command_lines import card_command
from livemood.datasets.open import DataSource


@pytest.mark.parametrize(("bundle", "said"), [("models/other", "other"), (str(default_bundle()), "default")])
def test_card_command_then_it_names_every_file_and_bundle_that_was_measured_on(bundle, said):
    report = {
        **{"data": "faces", "split": "all", "heads": {}, "heads_table": "mouths.csv", "groups_table": "ages.csv"},
        **{"prior": "balanced", "against": {"bundle": bundle}},
        **{"smiles": {"file": "my smiles.zip"}, "people": {"file": "p.zip"}},
    }
    assert card_command(report) == (
        f"livemood evaluate BUNDLE faces --split all --heads mouths.csv --prior balanced --groups ages.csv "
        f"--against {said} --smiles 'my smiles.zip' --people p.zip --card"
    )


def test_card_command_when_the_current_folder_was_given_then_it_is_named(tmp_path, monkeypatch):
    (tmp_path / "faces").mkdir()
    monkeypatch.chdir(tmp_path / "faces")
    report = {**DataSource(Path()).record(), "split": "test", "prior": "training", "against": {"bundle": "."}}
    assert card_command(report) == "livemood evaluate BUNDLE faces --split test --against faces --card"
