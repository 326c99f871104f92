"""Prints what an attack found, as the reliability harness prints its figures."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from reliability.figures import print_figures

__all__ = ["show"]


def show(title: str, figures: Mapping[str, object]) -> None:
    """Print figures of an attack, and how they came about."""
    command = ["-m", f"fuzz.{Path(sys.argv[0]).stem}", *sys.argv[1:]]
    print_figures(title, figures, command=command, folder="fuzz")
