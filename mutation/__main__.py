"""
Change code in every small way there is, and see what its judge notices.

    python mutation suite          an adapter; the conformance suite alone judges
    python mutation core           what decides about a mail; the modules' own tests judge
    python mutation core retry     one kind of it

Each has --help, prints its figures with machine, date and commit, and exits 1 where too little is noticed,
or where a mutant that survives is not explained on its page (suite.md, core.md).

It needs mutmut and a machine with fork().
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # started by the folder's name
    # Last on the path: mailcore is the installed one, where one is installed.
    sys.path[0:1] = []
    sys.path.append(str(Path(__file__).resolve().parent.parent))

JUDGES = ("suite", "core")


def main(arguments: list[str]) -> int:
    """Let the judge that is named judge, and return the exit code."""
    name = arguments[0] if arguments else ""
    if name not in JUDGES:
        print((__doc__ or "").strip())
        return 0 if name in ("", "-h", "--help") else 2
    return int(import_module(f"mutation.{name}").main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
