"""What a run found, and what follows from it.

Rule 1: the verdict is derived from the list of results, never set. What does not apply counts for nothing,
        and an adapter to which nothing applies is not conformant.
Rule 2: whatever is not a pass says why.
Rule 3: all that is ever shown is made from the JSON document, so one that is read from a file looks the same.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs

from mailcore import AdapterSpec
from mailcore_conformance._check import ANCHORS, Check, Section, Weight

__all__ = [
    "BAD",
    "SCHEMA",
    "CheckResult",
    "Deviation",
    "Document",
    "Report",
    "Status",
    "Verdict",
    "counts_for_verdict",
    "derived",
]

#: A report as JSON, made here or read from a file.
Document = dict[str, Any]

#: Names the form of the JSON document; `schema/report-1.json` describes it.
SCHEMA = "mailcore-conformance/report-1"


class Status(enum.Enum):
    """How a check ended."""

    #: It holds.
    PASS = "pass"  # noqa: S105  # reason: a verdict, not a credential
    #: It does not.
    FAIL = "fail"
    #: It has no meaning for this adapter; the reason says why.
    NOT_APPLICABLE = "not_applicable"
    #: It would hold, but an anchor of its section does not: there was nothing to look at.
    BLOCKED = "blocked"
    #: It does not hold, and the author says why.
    KNOWN_DEVIATION = "known_deviation"
    #: The suite itself failed.
    ERROR = "error"


#: What no adapter may have among the checks that count.
BAD = (Status.FAIL, Status.ERROR, Status.BLOCKED)


class Verdict(enum.Enum):
    """What a run says of an adapter."""

    #: Every check that counts and applies holds.
    CONFORMANT = "conformant"
    #: What does not hold is explained.
    WITH_DEVIATIONS = "conformant_with_deviations"
    #: Something does not hold, or nothing was shown.
    NOT_CONFORMANT = "not_conformant"
    #: A part of the catalogue was run, which proves nothing of the whole.
    PART = "part"


@attrs.frozen(kw_only=True)
class Deviation:
    """
    A check that an adapter fails for a reason.

    Attributes:
        id: The check's.
        reason: Why it cannot hold, in a sentence.
        url: Where that is said or discussed.
    """

    id: str
    reason: str
    url: str


@attrs.frozen(kw_only=True)
class CheckResult:
    """
    How one check ended.

    Attributes:
        scored: Whether it counts for the verdict: a part of the contract, and no matter of manners.
        reason: What was seen; empty where it holds, and only there.
    """

    check: Check
    status: Status
    reason: str = ""
    scored: bool = True


@attrs.frozen(kw_only=True)
class Report:
    """
    One run of the suite.

    Attributes:
        contract: Version of the contract that decides which checks count.
        suite: Version and digest of the catalogue.
        adapter: Name, title, distribution and version.
        stale: Deviations whose check no longer fails.
        whole: Whether every check was run; a part of the catalogue proves nothing.
        run: What differs from run to run: time, versions, and the command that repeats it.
    """

    contract: str
    suite: Mapping[str, str]
    adapter: Mapping[str, str]
    spec: AdapterSpec = attrs.field(repr=False)
    results: tuple[CheckResult, ...] = attrs.field(repr=False)
    deviations: tuple[Deviation, ...] = ()
    stale: tuple[str, ...] = ()
    whole: bool = True
    run: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many of the checks that count ended in each way."""
        found = Counter(result.status for result in self.results if result.scored)
        return {status: found[status] for status in Status}

    @property
    def applicable(self) -> int:
        """How many checks count and apply."""
        return sum(self.counts.values()) - self.counts[Status.NOT_APPLICABLE]

    @property
    def verdict(self) -> Verdict:
        """What follows from the results."""
        return derived(self.counts, stale=bool(self.stale), whole=self.whole)

    def of(self, section: Section) -> tuple[CheckResult, ...]:
        """Return the results of one section."""
        return tuple(result for result in self.results if result.check.section is section)

    def document(self) -> Document:
        """Return the report as JSON; but for `run`, the same adapter gives the same document."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict.value,
            "contract": self.contract,
            "whole": self.whole,
            "suite": dict(self.suite),
            "adapter": dict(self.adapter),
            "counts": {status.value: number for status, number in self.counts.items()},
            "capabilities": {
                name.value: attrs.asdict(support, value_serializer=_plain)
                for name, support in sorted(self.spec.capabilities.items())
            },
            "checks": [_result(result) for result in self.results],
            "deviations": [attrs.asdict(deviation) for deviation in self.deviations],
            "stale_deviations": list(self.stale),
            "run": dict(self.run),
        }


def derived(counts: Mapping[Status, int], *, stale: bool, whole: bool) -> Verdict:
    """Return what follows from how the checks that count ended."""
    if not whole:
        return Verdict.PART
    if stale or not counts[Status.PASS] or any(counts[status] for status in BAD):
        return Verdict.NOT_CONFORMANT
    return Verdict.WITH_DEVIATIONS if counts[Status.KNOWN_DEVIATION] else Verdict.CONFORMANT


def _plain(_: object, __: object, value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _result(result: CheckResult) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "title": check.title,
        "section": check.section.value,
        "weight": check.weight.value,
        "capability": None if check.capability is None else check.capability.value,
        "scored": result.scored,
        "status": result.status.value,
        "reason": result.reason,
        "fix": check.fix,
        "rests_on": [anchor for anchor in ANCHORS[check.section] if anchor != check.id],
        "spec": check.spec,
    }


def counts_for_verdict(check: Check, frozen: frozenset[str]) -> bool:
    """Return whether a check counts: the contract names it, and it is no matter of manners."""
    return check.id in frozen and check.weight is Weight.MUST
