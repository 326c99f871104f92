"""
The hostile corpus: mails, and webhook bodies, that were written to do harm.

    python -m fuzz.corpus FOLDER    write it as files, to try on another program
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from fuzz import hostile_content, hostile_headers, hostile_payloads, hostile_structure
from fuzz.construct import Construct, registry

__all__ = ["CONSTRUCTS", "items"]

#: What each construct is registered by: importing its file.
FILES = (hostile_structure, hostile_headers, hostile_content, hostile_payloads)
CONSTRUCTS: tuple[Construct, ...] = tuple(registry)


def items() -> Iterator[tuple[Construct, int, bytes]]:
    """Yield each item with its construct and its number within it."""
    for made in CONSTRUCTS:
        for number, data in enumerate(made.items(), 1):
            yield made, number, data


def main(arguments: list[str]) -> int:
    """Write the corpus into a folder, one file an item."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print((__doc__ or "").strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for made, number, data in items():
        suffix = "json" if made.is_payload else "eml"
        (folder / f"{made.name.replace(' ', '-')}-{number}.{suffix}").write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
