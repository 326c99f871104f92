"""What a report comes down to, in words; the terminal, Markdown and pytest show the same.

Rule: only the JSON document is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from mailcore_conformance._report import BAD, Document, Status, Verdict
from mailcore_conformance._report_file import counted

__all__ = [
    "GROUPS",
    "Finding",
    "SectionCount",
    "closing",
    "exit_code",
    "facts",
    "findings",
    "passing",
    "sections",
    "unscored",
]

Entry = Mapping[str, Any]

#: What is shown of each result that is not a pass: status → heading, worst first.
GROUPS: Mapping[Status, str] = {
    Status.ERROR: "error of the suite",
    Status.FAIL: "failed",
    Status.BLOCKED: "blocked",
    Status.KNOWN_DEVIATION: "known deviation",
}


@attrs.frozen(kw_only=True)
class SectionCount:
    """
    How the checks of one section ended.

    Attributes:
        applicable: Checks that apply; of these, `passed` hold.
        notes: What else there is to say, in a few words each.
    """

    name: str
    passed: int
    applicable: int
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """The numbers as people write them."""
        return f"{self.passed}/{self.applicable}" if self.applicable else "-"


@attrs.frozen(kw_only=True)
class Finding:
    """
    Checks that ended in the same way for the same reason.

    Attributes:
        advice: A word, and what to do or to know.
        after: Id of the check from which these failures may follow; each then has a reason of its own.
    """

    status: Status
    reason: str
    checks: tuple[Entry, ...]
    advice: tuple[tuple[str, str], ...]
    after: str = ""

    @property
    def lead(self) -> Entry:
        """The check that stands for all."""
        return self.checks[0]


def facts(document: Document) -> Mapping[str, str]:
    """Return what was run on what."""
    adapter, suite, run = document["adapter"], document["suite"], document["run"]
    package = " ".join(filter(None, [adapter.get("distribution"), adapter.get("version")]))
    return {
        "adapter": " ".join(filter(None, [adapter.get("name"), package and f"({package})"])),
        "contract": document["contract"],
        "suite": " ".join(filter(None, [suite.get("version"), f"(catalogue {suite.get('catalogue')})"])),
        "core": run.get("core") or "not installed",
        "python": run.get("python", ""),
        "repeat": run.get("command", ""),
    }


def sections(document: Document) -> list[SectionCount]:
    """Return the sections in the order of the catalogue."""
    found: dict[str, list[Entry]] = {}
    for check in document["checks"]:
        found.setdefault(check["section"], []).append(check)
    return [_section(name, checks, whole=document["whole"]) for name, checks in found.items()]


def _section(name: str, checks: list[Entry], *, whole: bool) -> SectionCount:
    relevant = [check for check in checks if check["status"] != Status.NOT_APPLICABLE.value]
    counting = [check for check in relevant if check["scored"] or not whole]
    passed = [check for check in counting if check["status"] == Status.PASS.value]
    notes = [f"{len(members)} {GROUPS[status]}" for status, members in _by_status(counting) if members]
    notes += _beside(len(relevant) - len(counting), "not scored")
    notes += _beside(len(checks) - len(relevant), "not applicable")
    return SectionCount(name=name, passed=len(passed), applicable=len(counting), notes=tuple(notes))


def _beside(number: int, words: str) -> list[str]:
    return [f"{number} {words}"] if number else []


def _by_status(checks: list[Entry]) -> Iterator[tuple[Status, list[Entry]]]:
    for status in GROUPS:
        yield status, [check for check in checks if check["status"] == status.value]


def findings(document: Document) -> Iterator[Finding]:
    """
    Yield what is neither a pass nor beside the point, worst first.

    One reason is told once. Of failures, those that others may follow from come first, and what may follow
    from them comes last.
    """
    for status, checks in _by_status(document["checks"]):
        groups = [_finding(status, group, document) for group in _by_reason(checks, document)]
        groups.sort(key=lambda found: found.lead["id"] not in _anchors(document))
        yield from (found for found in groups if not found.after)
        for anchor in dict.fromkeys(found.after for found in groups if found.after):
            yield _following(anchor, [found for found in groups if found.after == anchor])


def _anchors(document: Document) -> set[str]:
    """Return the checks that others rest on."""
    return {anchor for check in document["checks"] for anchor in check["rests_on"]}


def _by_reason(checks: list[Entry], document: Document) -> Iterator[list[Entry]]:
    """Yield the checks of each reason; one that others rest on stands first."""
    reasons: dict[str, list[Entry]] = {}
    for check in checks:
        reasons.setdefault(check["reason"], []).append(check)
    anchors = _anchors(document)
    for found in reasons.values():
        yield sorted(found, key=lambda check: check["id"] not in anchors)


def _finding(status: Status, checks: list[Entry], document: Document) -> Finding:
    after = ""
    if status is Status.FAIL:
        failing = {check["id"] for check in document["checks"] if check["status"] == status.value}
        rests = [next((anchor for anchor in check["rests_on"] if anchor in failing), "") for check in checks]
        after = rests[0] if all(rests) else ""
    return Finding(
        status=status,
        reason=checks[0]["reason"],
        checks=tuple(checks),
        advice=tuple(_advice(status, checks, document)),
        after=after,
    )


def _following(anchor: str, found: list[Finding]) -> Finding:
    return Finding(
        status=Status.FAIL,
        reason=f"{anchor} fails, and these, told in short, perhaps only because of that. Mend that first.",
        checks=tuple(check for finding in found for check in finding.checks),
        advice=(),
        after=anchor,
    )


def _advice(status: Status, checks: list[Entry], document: Document) -> Iterator[tuple[str, str]]:
    if status is Status.ERROR:
        yield "do", "Nothing: this is a bug of the suite. Please report it."
    if status is Status.FAIL:
        same = {check["fix"] for check in checks}
        yield "do", same.pop() if len(same) == 1 else "Mend what was seen; it is one reason for all of these."
    ids = {check["id"] for check in checks} if status is Status.KNOWN_DEVIATION else set()
    for known in document["deviations"]:
        if known["id"] in ids:
            yield "known", f"{known['reason']} {known['url']}"


def unscored(check: Entry) -> str:
    """Return why a check does not count, or nothing where it does."""
    if check["scored"]:
        return ""
    return "good manners, not scored" if check["weight"] == "should" else "preview, not scored"


def passing(document: Document) -> tuple[int, int]:
    """Return how many of the checks that count hold, and how many apply; of a part, all count."""
    if document["whole"]:
        counts = counted(document)
        return counts[Status.PASS], sum(counts.values()) - counts[Status.NOT_APPLICABLE]
    found = sections(document)
    return sum(one.passed for one in found), sum(one.applicable for one in found)


def closing(document: Document) -> str:
    """Return the verdict as a sentence or two."""
    name, contract, verdict = document["adapter"]["name"], document["contract"], Verdict(document["verdict"])
    passed, applicable = passing(document)
    fraction = f"{passed} of {applicable} checks that apply hold"
    if verdict is Verdict.PART:
        return f"A part of the catalogue, which proves nothing of the whole: {fraction}."
    if not applicable:
        return f"{name} is not conformant with contract {contract}: nothing that counts applies to it."
    deviations = counted(document)[Status.KNOWN_DEVIATION]
    words = {
        Verdict.CONFORMANT: f"is conformant with contract {contract}",
        Verdict.WITH_DEVIATIONS: f"is conformant with contract {contract} but for {_deviations(deviations)}",
        Verdict.NOT_CONFORMANT: f"is not conformant with contract {contract}",
    }
    stale = ", ".join(document["stale_deviations"])
    more = f" No deviation any more, so remove it from the file: {stale}." if stale else ""
    return f"{name} {words[verdict]}: {fraction}.{more}"


def _deviations(number: int) -> str:
    return "1 known deviation" if number == 1 else f"{number} known deviations"


def exit_code(document: Document) -> int:
    """Return 0 where all that was asked for holds or is explained, 1 where not, 2 where nothing applies."""
    if not passing(document)[1]:
        return 2
    if document["whole"]:
        return 0 if Verdict(document["verdict"]) is not Verdict.NOT_CONFORMANT else 1
    bad = {status.value for status in BAD}
    failed = any(check["status"] in bad for check in document["checks"])
    return 1 if failed or document["stale_deviations"] else 0
