"""Names with control characters, as commands print them."""

import re
from pathlib import Path

import numpy as np
import pytest

from livemood.apps.video_batch import Outcome
from livemood.apps.video_job import VideoJob
from livemood.cli import run
from livemood.cli.bars import progress_bars
from livemood.cli.figures import print_table
from livemood.cli.summary import note, print_outcomes
from livemood.cli.training import Display
from livemood.core.errors import VideoUnreadable
from livemood.datasets.dataset import Dataset
from livemood.datasets.samples import SPLITS
from livemood.datasets.split import Split
from livemood.reporting.tables import Table

NAME = "a\x1b[31m\x07\u202e\nb"
SHOWN = "a\\x1b[31m\\x07\\u202e\\nb"


def check(text: str) -> None:
    """Check that a name is shown, and none of its control characters was sent."""
    assert SHOWN in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("words", "work", "result"),
    [
        (["markers", "r.csv", "--out", NAME], "livemood.apps.markers.write_markers", None),
        (["merge-people", "r.csv", "--same", "1,2", "--out", NAME], "livemood.apps.merge_people.merge_people", {}),
        (["report", "r.csv", "--out", NAME], "livemood.reporting.page.write_report", None),
        (["web", "--out", NAME], "livemood.apps.web.write_page", 1),
        (["export", "default", "--to", "tflite", "--out", NAME], "livemood.training.export.formats.write", 0.0),
    ],
)
def test_command_when_an_output_has_control_characters_then_they_are_escaped(
    words, work, result, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(work, lambda *_, **__: result)
    assert run(words) == 0
    check(capsys.readouterr().out)


def test_lines_and_tables_when_names_have_control_characters_then_they_are_escaped(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    note(f"{NAME} is damaged")
    check(capsys.readouterr().err)
    print_outcomes([Outcome(VideoJob(Path(NAME), ()), None, VideoUnreadable("damaged"))], json_=False)
    check(capsys.readouterr().out)
    print_table(Table(NAME, (NAME, ""), ((NAME, "1"),), NAME))
    told = capsys.readouterr().out
    check(told)
    assert told.count(SHOWN) == 4
    heads, votes = {"emotion": (NAME, "sad")}, {"emotion": np.zeros((0, 2), np.int64)}
    split = Split(np.zeros((1, 2, 48, 48, 1), np.uint8), np.zeros(0, np.int64), np.array([], "U1"), votes, heads)
    data = Dataset(heads, dict.fromkeys(SPLITS, split), 0, (), (), (NAME,), 1.0)
    with Display(None, find_faces=False) as display:
        display.watcher().on_data(data)
    check(capsys.readouterr().err)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_bars(1) as bars:
        bars.begin(Path(NAME), 2)
    check(re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", capsys.readouterr().err))  # without the bar's colours and moves


def test_config_when_a_file_holds_control_characters_then_they_are_escaped(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("livemood.toml").write_text('detector = "far"\n[image]\nemotions = "happy,sa\\u001bd"\n', encoding="utf-8")
    assert run(["config"]) == 0
    told = capsys.readouterr().out
    assert "happy,sa\\x1bd" in told
    assert "\x1b" not in told
