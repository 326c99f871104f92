"""Options of pytest that say which adapter `mailcore_conformance.suite` is to prove.

Rule: pytest loads this file whenever the package is installed, for anybody's tests. So it imports pytest and
nothing else, and does nothing but add options.
"""

from __future__ import annotations

import pytest

__all__ = ["pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("mailcore", "conformance of an adapter for mailcore")
    group.addoption(
        "--mailcore-adapter",
        metavar="NAME",
        help="the adapter to prove: pytest --pyargs mailcore_conformance.suite --mailcore-adapter=mailpace",
    )
    group.addoption(
        "--mailcore-kit",
        metavar="PLACE",
        help="its kit, path.py:NAME or package.module:NAME; without it, the one that the adapter names",
    )
    group.addoption(
        "--mailcore-deviations",
        metavar="FILE",
        help="what is known to fail; without it, deviations.toml beside the folder of the kit",
    )
