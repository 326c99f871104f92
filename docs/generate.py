"""
Write the parts of the documentation that the code already says.

    python docs/generate.py            write them into the pages
    python docs/generate.py --check    name the pages that are not current, and exit 1
    python docs/generate.py PAGE...    write or check these pages only

A part stands between `<!-- name:begin -->` and `<!-- name:end -->`.
Run this with a Python that has mailcore and every adapter of this repository: `.tox/docs/bin/python` has.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _adapters import adapter_code
from _benchmarks import BENCHMARKS
from _commands import commands, demo, exit_codes
from _conformance import checks, conformance_commands, conformance_exit_codes, conformance_statuses
from _corpus import corpus
from _diagrams import layers, phases, road
from _embeddings import deliveries
from _errors import error_tree, other_errors, send_errors
from _faults import faults
from _limits import limits
from _markdown import values
from _names import emulators, hooks, names
from _providers import capabilities, notes, own_capabilities, proofs, provider_events, providers, specs
from _settings import provider_settings, settings
from _statuses import dispositions, statuses

from mailcore import BounceClass, EventType, RejectReason

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python docs/generate.py"
PART = re.compile(r"(<!-- ([a-z-]+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Write or check, and return the exit code."""
    check = "--check" in arguments
    only = [Path(name).resolve() for name in arguments if name != "--check"]
    current = map(_current, only or pages())
    stale = {page: text for page, text in current if text != page.read_text(encoding="utf-8")}
    for page, text in stale.items():
        name = page.relative_to(ROOT).as_posix()
        if check:
            print(f"{name} is not current. Run: {COMMAND}", file=sys.stderr)
        else:
            page.write_text(text, encoding="utf-8")
            print(f"{name} is written.")
    return 1 if stale and check else 0


def pages() -> list[Path]:
    """List every page of the documentation."""
    return [
        ROOT / "README.md",
        *sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("adapters/*/README.md")]),
        ROOT / "conformance_tests" / "README.md",
    ]


def _current(page: Path) -> tuple[Path, str]:
    return page, PART.sub(_written, page.read_text(encoding="utf-8"))


def _written(match: re.Match[str]) -> str:
    begin, name, end = match.groups()
    return f"{begin}\n{PARTS[name]()}\n\n{end}"


PARTS: dict[str, Callable[[], str]] = {
    "adapter-code": adapter_code,
    **BENCHMARKS,
    "bounce-classes": lambda: values(BounceClass),
    "capabilities": capabilities,
    "checks": checks,
    "commands": commands,
    "conformance-commands": conformance_commands,
    "conformance-exit-codes": conformance_exit_codes,
    "conformance-statuses": conformance_statuses,
    "deliveries": deliveries,
    "demo": demo,
    "dispositions": dispositions,
    "emulators": emulators,
    "error-tree": error_tree,
    "event-types": lambda: values(EventType),
    "exit-codes": exit_codes,
    "fault-matrix": faults,
    "hooks": hooks,
    "hostile-corpus": corpus,
    "layers": layers,
    "limits": limits,
    "names": names,
    "notes": notes,
    "other-errors": other_errors,
    "phases": phases,
    "proofs": proofs,
    "provider-events": provider_events,
    "provider-settings": provider_settings,
    "providers": providers,
    "reject-reasons": lambda: values(RejectReason),
    "road": road,
    "send-errors": send_errors,
    "settings": settings,
    "statuses": statuses,
    **{f"{spec.name}-capabilities": partial(own_capabilities, spec.name) for spec in specs()},
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
