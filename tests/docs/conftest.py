"""What the tests of the documentation share."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("adapters/*/README.md")]),
    ROOT / "conformance_tests" / "README.md",
    ROOT / "examples" / "README.md",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `page` once for each page."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])


@pytest.fixture
def root() -> Path:
    """Return the repository."""
    return ROOT


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs an example to its end, once for all tests that look at it."""
    environment = {name: value for name, value in os.environ.items() if "MAIL" not in name}
    environment["SHOP_DATABASE"] = str(tmp_path_factory.mktemp("shop") / "shop.sqlite3")

    @functools.cache
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    return run
