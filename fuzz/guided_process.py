"""The process in which atheris calls one target, until it is told to stop or something breaks."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mailcore", "mailcore_mailpace"]):
    from fuzz.targets import TARGETS, seeds


def main(name: str, folder: Path, options: list[str]) -> None:
    """Write the seeds and begin; libFuzzer ends the process."""
    logging.disable(logging.CRITICAL)
    for number, seed in enumerate(seeds(name)):
        (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], str(folder), *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
