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

#: Seconds of work that no test needs; a mutant may never end.
TOO_LONG = 10.0
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
    """Let a test fail that does not end; work counts, not time, so that a busy machine fails none."""
    signal.signal(signal.SIGPROF, lambda *_: pytest.fail("It does not end."))
    signal.setitimer(signal.ITIMER_PROF, TOO_LONG, TOO_LONG)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
