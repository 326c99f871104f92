"""
The trial's conftest: the tests that are asked for run in the order they are written, and each ends.

mutmut asks for them by their names, in no order; the quick ones are written first. And pytest cannot read
every name back that it gives to a test with parameters, so these are looked for among all of them.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from typing import Any

import pytest

#: Seconds of work that no test needs, and of time: a mutant may never end, or wait for what never comes. What
#: counts first is work, so that a busy machine fails no test.
WORK, TIME = 10.0, 120.0
NAMES = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Leave the parameters out of what pytest is asked for."""
    config.stash[NAMES] = {name for name in config.args if "::" in name}
    config.args = list(dict.fromkeys(name.partition("[")[0] for name in config.args))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take those that are asked for, sorted by file and line."""
    names = config.stash[NAMES]
    found = [item for item in items if not names or item.nodeid in names]
    items[:] = sorted(found, key=lambda item: (item.location[0], item.location[1] or 0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    """Let a test fail that does not end."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, lambda *_: pytest.fail("It does not end."))
    signal.setitimer(signal.ITIMER_PROF, WORK, WORK)
    signal.setitimer(signal.ITIMER_REAL, TIME, TIME)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


#: Fixtures too may wait for a mutant.
pytest_runtest_setup = pytest_runtest_teardown = pytest_runtest_call
