"""Settings of the whole suite."""

import compileall
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from livemood.runtime.processes import usable_cores

# A machine that is busy with something else is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Tests run on all cores already: threads of one would take time from the others. Processes that tests start inherit it.
for name in ("OPENBLAS_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(name, "1")

INTEGRATION = Path(__file__).parent / "integration"
SLOWEST_FIRST = (
    INTEGRATION / "training",
    INTEGRATION / "test_docs.py",
    INTEGRATION / "web",
    INTEGRATION / "test_house.py",
    INTEGRATION / "test_privacy.py",
    INTEGRATION / "cli",
    INTEGRATION / "apps",
    INTEGRATION,
)
"""The order in which files are dealt out to the cores, so that none works on a slow one alone at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package once, not in each process that tests start.

    And take signals as in a terminal, even if the suite was started in the background or by nohup, which ignore some.
    """
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(INTEGRATION.parents[1] / "livemood", quiet=2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one worker more than there are cores, as many tests wait for processes."""
    return usable_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by where they stand: ``slow`` with real files and processes, ``screen`` and ``browser`` with those.

    And order them by their files, the slowest first.
    """

    def place(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(SLOWEST_FIRST) if item.path.is_relative_to(path)), len(SLOWEST_FIRST))

    items.sort(key=place)
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(pytest.mark.slow)
        if INTEGRATION / "web" in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if "display" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.screen)
