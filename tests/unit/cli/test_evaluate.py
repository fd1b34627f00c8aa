"""What ``livemood evaluate`` refuses before anything is read."""

import pytest

from livemood.cli import run


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("data.zip", "data.zip does not end in .html or .htm; give --html a name that does"),
        ("groups.html", "groups.html is one of the inputs; choose another --html"),
    ],
)
def test_evaluate_when_the_page_would_replace_data_then_refused_and_it_stays(
    tmp_path, monkeypatch, capsys, page, said
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data.zip", "groups.html"):
        (tmp_path / name).write_text("mine")
    assert run(["evaluate", "default", "data.zip", "--groups", "groups.html", "--html", page, "--force"]) == 1
    assert capsys.readouterr().err == f"livemood: {said}\n"
    assert (tmp_path / page).read_text() == "mine"
