"""Command lines that repeat what was done."""

from livemood.cli.command_lines import card_command


def test_card_command_then_it_names_every_file_that_was_measured_on():
    report = {
        **{"data": "faces", "split": "all", "heads": {}, "heads_table": "mouths.csv", "groups_table": "ages.csv"},
        **{"against": {"bundle": "models/other"}, "smiles": {"file": "my smiles.zip"}, "people": {"file": "p.zip"}},
    }
    assert card_command(report) == (
        "livemood evaluate BUNDLE faces --split all --heads mouths.csv --groups ages.csv --against other "
        "--smiles 'my smiles.zip' --people p.zip --card"
    )
