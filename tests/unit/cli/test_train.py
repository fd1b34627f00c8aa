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
