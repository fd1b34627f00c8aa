"""How ``livemood train`` passes settings on."""

import pytest

from livemood.cli import run
from livemood.core.errors import LivemoodError


@pytest.mark.parametrize(
    ("words", "overrides"),
    [
        ((), {}),
        (("--epochs", "80", "--early-stop", "0"), {"epochs": 80, "early_stop": 0}),
        (("--time-budget", "1h30m", "--no-class-balance"), {"time_budget_s": 5400.0, "class_balance": False}),
    ],
)
def test_train_when_settings_are_given_then_those_alone_are_passed_on(monkeypatch, words, overrides) -> None:
    jobs = []

    def train(job, *_):
        jobs.append(job)
        raise LivemoodError("far enough")

    monkeypatch.setattr("livemood.training.run.train", train)
    assert run(["train", "faces", "--out", "mine", *words]) == 1
    assert jobs[0].overrides == overrides


def test_train_when_teachers_have_a_weight_but_there_are_none_then_a_usage_error(capsys) -> None:
    assert run(["train", "faces", "--out", "mine", "--distil-weight", "0.5"]) == 2
    said = capsys.readouterr().err
    assert "--distil-weight" in said
    assert "there is no teacher; add --teacher" in said
