"""What the tests of the documentation share."""

from __future__ import annotations

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
