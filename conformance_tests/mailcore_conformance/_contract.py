"""Which checks count, by version of the contract.

Rule: a version, once published, is never changed. A check that is newer than it runs as a preview: shown,
and not scored, until the next minor version names it.

    python -m mailcore_conformance._contract            what of the catalogue the contract does not name
    python -m mailcore_conformance._contract --write    write the contract anew from the catalogue
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import attrs

__all__ = ["CONTRACT", "Contract", "contract", "main", "since"]

#: The version this release of the suite scores by.
CONTRACT = "1.0"


@attrs.frozen(kw_only=True)
class Contract:
    """
    One version of the contract.

    Attributes:
        scored: Ids of the checks that count.
    """

    version: str
    scored: frozenset[str]


@cache
def contract(version: str = CONTRACT) -> Contract:
    """Return a version of the contract."""
    document = tomllib.loads((_folder() / f"{version}.toml").read_text(encoding="utf-8"))
    return Contract(version=document["version"], scored=frozenset(document["scored"]))


def since(check_id: str) -> str | None:
    """Return the first version that names a check, or None."""
    names = (entry.name for entry in _folder().iterdir())
    versions = [name.removesuffix(".toml") for name in names if name.endswith(".toml")]
    ordered = sorted(versions, key=lambda version: [int(part) for part in version.split(".")])
    return next((version for version in ordered if check_id in contract(version).scored), None)


def _folder() -> Traversable:
    return files("mailcore_conformance") / "contracts"


def main(arguments: Sequence[str]) -> int:
    """Compare the contract with the catalogue, or write it; return the exit code."""
    from mailcore_conformance._check import Weight, catalogue  # here: scoring needs no check

    ids = [check.id for check in catalogue().values() if check.weight is Weight.MUST]
    if "--write" in arguments:
        lines = [f'version = "{CONTRACT}"', "scored = [", *(f'    "{one}",' for one in ids), "]"]
        path = Path(str(_folder())) / f"{CONTRACT}.toml"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        sys.stdout.write(f"{path} names {len(ids)} checks.\n")
        return 0
    vanished = sorted(contract().scored.difference(ids))
    preview = [one for one in ids if one not in contract().scored]
    for words, found in (("Previews", preview), ("Named, and not in the catalogue", vanished)):
        sys.stdout.write(f"{words}: {', '.join(found) or 'none'}\n")
    return 1 if vanished else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
