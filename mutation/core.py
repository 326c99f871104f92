"""
What decides about a mail, judged by the tests of those very modules.

Rule: a module is judged by the few test files named beside it here. What only a test of something larger
      would notice survives, and so asks for a test where the decision is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from mutation.options import parser
from mutation.page import Page
from mutation.report import report
from mutation.trial import ROOT, Trial

__all__ = ["KINDS", "Kind", "main"]

#: Where the packages are in the repository, by the name that they are imported by.
PACKAGES = {
    "mailcore": ROOT / "mailcore",
    "mailcore_mailpace": ROOT / "adapters" / "mailpace" / "mailcore_mailpace",
}
#: The tests, and what they ask for.
COPIED = ("pyproject.toml", "tests", "adapters/mailpace/tests", "reliability")


@attrs.frozen
class Kind:
    """
    Modules that decide one thing, and the tests that judge them.

    Attributes:
        but: What tells pytest which of these tests do not: mutmut counts calls first, which makes one with
            millions of them slow; and what runs none of these modules cannot judge them.
    """

    modules: Sequence[str]
    tests: Sequence[str]
    but: Sequence[str] = ()


KINDS: Mapping[str, Kind] = {
    "outcomes": Kind(
        modules=(
            "mailcore/_driver.py",
            "mailcore/_status.py",
            "mailcore/_steps.py",
            "mailcore/transports/_failure.py",
            "mailcore/transports/_header_fields.py",
            "mailcore/transports/_watched.py",
            "mailcore/transports/requests.py",
            "mailcore_mailpace/_identifier.py",
            "mailcore_mailpace/_responses.py",
        ),
        tests=(
            "tests/test_driver.py",
            "tests/test_header_fields.py",
            "tests/test_status.py",
            "tests/test_http_transports.py",
            "tests/test_transport_failure.py",
            "tests/test_transport_requests.py",
            "adapters/mailpace/tests/test_identifier.py",
            "adapters/mailpace/tests/test_responses.py",
        ),
        but=("-k", "not aiohttp"),
    ),
    "retry": Kind(
        modules=(
            "mailcore/_failover.py",
            "mailcore/_fingerprint.py",
            "mailcore/_group.py",
            "mailcore/_retry.py",
        ),
        tests=("tests/test_group.py", "tests/test_repeats.py", "tests/test_retry.py"),
    ),
    "signature": Kind(
        modules=("mailcore_mailpace/_base64.py", "mailcore_mailpace/_signature.py"),
        tests=("adapters/mailpace/tests/test_signature.py",),
    ),
    "json": Kind(modules=("mailcore/_strict_json.py",), tests=("tests/test_strict_json.py",)),
    "address": Kind(
        modules=("mailcore/_address.py", "mailcore/_address_grammar.py"),
        tests=("tests/test_address.py",),
        but=("--deselect", "tests/test_address.py::TestReading::test_bounded_work"),
    ),
    "filename": Kind(modules=("mailcore/_inbound/filename.py",), tests=("tests/test_inbound.py",)),
}


def main(arguments: Sequence[str]) -> int:
    """Try every mutant of the kinds that are named, or of all, and return the exit code."""
    words = parser("core", __doc__ or "")
    words.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)} (all)")
    options = words.parse_args(arguments)
    unknown = set(options.kinds) - set(KINDS)
    if unknown:
        words.error(f"no kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    names = options.kinds or list(KINDS)
    found = [trial(name).run(children=options.children, only=options.only) for name in names]
    whole = not options.kinds and not options.only
    return report("The modules' own tests", found, page=Page.of("core"), whole=whole)


def trial(name: str) -> Trial:
    """Return the trial of one kind."""
    kind = KINDS[name]
    return Trial(
        name=name,
        packages=PACKAGES,
        changed=kind.modules,
        copied={path: ROOT / path for path in COPIED},
        tests=(*kind.tests, *kind.but),
    )
