"""A report as Markdown, for a pull request, a release or a page of documentation.

Rule: only the JSON document is read, and its text is text: an adapter's words cannot become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mailcore_conformance._report import Document, Status
from mailcore_conformance._summary import GROUPS, Finding, closing, facts, findings, sections, unscored

__all__ = ["code", "escaped", "markdown", "table"]

Entry = Mapping[str, Any]

_CODE = re.compile(r"(`[^`\n]+`)")
_MARKUP = re.compile(r"([\\`*_\[\]<>|#&~])")

_STATUSES = {
    Status.PASS: "holds",
    Status.NOT_APPLICABLE: "not applicable",
    **GROUPS,
}


def markdown(document: Document) -> str:
    """Return a report as a page of Markdown."""
    title = document["adapter"].get("title") or document["adapter"]["name"]
    parts = [
        f"# Conformance of {escaped(title)}",
        escaped(closing(document)),
        table(["", ""], [(name, code(value)) for name, value in facts(document).items() if value]),
        "## Sections",
        table(
            ["section", "hold", "of", "beside"],
            [(one.name, one.passed, one.applicable, ", ".join(one.notes)) for one in sections(document)],
        ),
        *_findings(document),
        "## Every check",
        table(["check", "what must hold", "result"], [_row(check) for check in document["checks"]]),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is; what stands in backquotes stays code."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if index % 2 else _MARKUP.sub(r"\\\1", part) for index, part in enumerate(parts))


def code(text: str) -> str:
    """Return text as code."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a table; its cells are Markdown already."""
    found = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in found)


def _cell(value: object) -> str:
    # Within a table, a bar ends the cell even where it stands in backquotes.
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(str(value).split()))


def _findings(document: Document) -> Iterator[str]:
    status = None
    for finding in findings(document):
        if finding.status is not status:
            status = finding.status
            yield f"## {GROUPS[status].capitalize()}"
        yield _finding(finding)


def _finding(finding: Finding) -> str:
    lines = []
    for check in finding.checks:
        aside = f" ({unscored(check)})" if unscored(check) else ""
        own = f" {escaped(check['reason'])}" if finding.after else ""
        lines.append(f"- {code(check['id'])} {escaped(check['title'])}{aside}{own}")
    told = [("follows" if finding.after else "seen", finding.reason), *finding.advice]
    return "\n".join([*lines, "", *(f"{word}: {escaped(text)}\n" for word, text in told)]).strip()


def _row(check: Entry) -> tuple[str, str, str]:
    status = Status(check["status"])
    said = _STATUSES[status]
    if status is Status.NOT_APPLICABLE:
        said = f"{said}: {escaped(check['reason'])}"
    aside = unscored(check)
    return code(check["id"]), escaped(check["title"]), f"{said} ({aside})" if aside else said
