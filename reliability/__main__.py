"""
Run one proof.

    python reliability faults            every fault, and the documented ending
    python reliability soak              many sends through chaos: nothing lost, nothing twice
    python reliability storm             many threads, and a provider that is down
    python reliability leaks             many sends: memory and open files stay as they are
    python reliability load              many sends at once: how near to what waiting alone would allow
    python reliability embeddings        the same webhooks in every framework: the same answers
    python reliability acknowledgements  many webhooks and a slow handler: who waits, and for how long
    python reliability workers           a queue that is full: how fast one process empties it, or many
    python reliability kills             workers of a queue that are killed: nothing lost, nothing twice

Each has --help, prints its figures with machine, date and commit, and exits 1 where a promise is broken.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # started by the folder's name
    # Last on the path: mailcore is the installed one, where one is installed.
    sys.path[0:1] = []
    sys.path.append(str(Path(__file__).resolve().parent.parent))

PROOFS = {
    "faults": "matrix",
    "soak": "soak",
    "storm": "storm",
    "leaks": "leaks",
    "load": "load",
    "embeddings": "embeddings",
    "acknowledgements": "acknowledgements",
    "workers": "workers",
    "kills": "kills",
}


def main(arguments: list[str]) -> int:
    """Run the proof that is named, and return the exit code."""
    name = arguments[0] if arguments else ""
    if name not in PROOFS:
        print((__doc__ or "").strip())
        return 0 if name in ("", "-h", "--help") else 2
    return int(import_module(f"reliability.{PROOFS[name]}").main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
