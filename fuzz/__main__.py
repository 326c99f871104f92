"""Run one attack: `python -m fuzz webhooks` is `python -m fuzz.webhooks`."""

from __future__ import annotations

import sys
from importlib import import_module

import fuzz

NAMES = ("inbound", "webhooks", "flips", "replays", "messages", "speed", "guided")


def main(arguments: list[str]) -> int:
    """Run the attack that is named, and return the exit code."""
    name = arguments[0] if arguments else ""
    if name not in NAMES:
        print((fuzz.__doc__ or "").strip())
        return 0 if name in ("", "-h", "--help") else 2
    sys.argv = [f"{name}.py", *arguments[1:]]
    return int(import_module(f"fuzz.{name}").main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
