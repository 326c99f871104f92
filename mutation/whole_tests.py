"""
The trial's conftest: a test with parameters is run with all of them, and tests in the order they are written.

mutmut asks for the tests of a mutant by their names, and pytest cannot read every name back that it gives to
a test with parameters. The order it asks for is none; the quick ones are written first.
"""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Leave the parameters out of what is asked for."""
    config.args = list(dict.fromkeys(name.partition("[")[0] for name in config.args))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file and line."""
    items.sort(key=lambda item: (item.location[0], item.location[1] or 0))
