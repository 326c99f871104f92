"""The options that every judge has."""

from __future__ import annotations

import argparse
import os

__all__ = ["parser"]


def parser(name: str, text: str) -> argparse.ArgumentParser:
    """Return what reads a judge's options; the judge may add some of its own."""
    words = argparse.ArgumentParser(
        prog=f"mutation {name}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    words.add_argument(
        "--only", nargs="*", default=[], metavar="PATTERN", help="mutants with such names only"
    )
    words.add_argument("--children", type=int, default=os.cpu_count(), help="processes (%(default)s)")
    return words
