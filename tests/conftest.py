"""Settings of the whole suite."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy with something else is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

INTEGRATION = Path(__file__).parent / "integration"


def pytest_configure() -> None:
    """Take signals as in a terminal, even if the suite was started in the background or by nohup, which ignore some."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by where they stand: ``slow`` with real files and processes, ``screen`` and ``browser`` with those."""
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(pytest.mark.slow)
        if INTEGRATION / "web" in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if "display" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.screen)
