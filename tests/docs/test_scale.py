"""What the page on scale calls measured is what the page of measurements says."""

from __future__ import annotations

import re
from pathlib import Path


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has that heading."""
    [table] = re.findall(rf"^(\| {heading} \|.*\n(?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_measured_figures(root: Path) -> None:
    """Each figure of one process is there, letter for letter."""
    scale = (root / "docs" / "explanation" / "scale.md").read_text(encoding="utf-8")
    measured = (root / "docs" / "reference" / "reliability.md").read_text(encoding="utf-8")
    figures = [cells[1].removesuffix(" in a minute") for cells in rows(scale, "what")]
    assert len(figures) == 6
    assert [figure for figure in figures if figure not in measured] == []


def test_measured_workers(root: Path) -> None:
    """The table of workers is the one there, without what it is of the ideal."""
    scale = (root / "docs" / "explanation" / "scale.md").read_text(encoding="utf-8")
    measured = (root / "docs" / "reference" / "reliability.md").read_text(encoding="utf-8")
    there = [[re.split("[ ,]", cell)[0] for cell in cells] for cells in rows(measured, "processes")]
    assert rows(scale, "processes") == there
