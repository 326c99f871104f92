"""One check: what must hold of every adapter, and what to do where it does not.

Rule 1: ids are stable. An author cannot override or leave out a check, only explain a deviation.
Rule 2: a check returns where the adapter holds, and raises `Failed` with what it saw where it does not.
        Anything the adapter itself raises is a failure too, with the place in its code.
Rule 3: the absence of evidence proves nothing: what passes in a section counts only where the section's
        anchors pass, which show that there is something to look at.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import attrs

from mailcore import Capability

if TYPE_CHECKING:
    from mailcore_conformance._subject import Subject

__all__ = [
    "Check",
    "Failed",
    "NotApplicable",
    "Section",
    "Weight",
    "catalogue",
    "check",
    "not_applicable_unless",
    "require",
    "require_none",
]

#: Most findings one reason lists.
MAX_FINDINGS = 5


class Failed(Exception):
    """What must hold does not; the text is the reason that is shown."""


class NotApplicable(Exception):
    """The check has no meaning for this adapter; the text says why."""


class Weight(enum.Enum):
    """How much a check counts."""

    #: The contract: an adapter that fails one is not conformant.
    MUST = "must"
    #: Good manners: shown, and not scored.
    SHOULD = "should"


class Section(enum.Enum):
    """What a check is about; the value is the module that holds its checks."""

    #: Registering, loading, settings.
    PLUGIN = "plugin"
    #: A message's fields in the request.
    MAPPING = "mapping"
    #: The capability table against behaviour, both ways.
    CAPABILITIES = "capabilities"
    #: Files, byte for byte.
    ATTACHMENTS = "attachments"
    #: What a hostile value may not do.
    INJECTION = "injection"
    #: Credentials and hidden recipients.
    SECRETS = "secrets"
    #: Values in, values out, and nothing else.
    PURITY = "purity"
    #: What the provider's answers mean.
    RESPONSES = "responses"
    #: Many messages in one request.
    BATCH = "batch"
    #: Keys under which a repeated request is taken once.
    IDEMPOTENCY = "idempotency"
    #: Who may deliver a webhook.
    SIGNATURES = "signatures"
    #: What is answered to a delivery.
    DISPOSITIONS = "dispositions"
    #: What deliveries say of sent mail.
    EVENTS = "events"
    #: Mail from the outside.
    INBOUND = "inbound"
    #: The local provider.
    EMULATOR = "emulator"


#: Section → the checks that show that there is something to look at.
ANCHORS: Mapping[Section, tuple[str, ...]] = {
    Section.PLUGIN: ("L00", "B01"),
    Section.MAPPING: ("B01",),
    Section.CAPABILITIES: ("B01",),
    Section.ATTACHMENTS: ("B01", "B13.bytes"),
    Section.INJECTION: ("B01",),
    Section.SECRETS: ("B01",),
    Section.PURITY: ("B01",),
    Section.RESPONSES: ("P01",),
    Section.BATCH: ("Q01",),
    Section.IDEMPOTENCY: ("K01",),
    Section.SIGNATURES: ("W01",),
    Section.DISPOSITIONS: ("W01",),
    Section.EVENTS: ("W10",),
    Section.INBOUND: ("W20",),
    Section.EMULATOR: ("B01", "P01", "E01"),
}


@attrs.frozen(kw_only=True)
class Check:
    """
    One thing that must hold of every adapter.

    Attributes:
        id: Stable: a letter and a number, and what it is about where there is a family of them.
        title: What must hold, as a sentence.
        why: What goes wrong for a user where it does not.
        fix: What the author of an adapter does about it.
        capability: Needed for the check to apply; None: it always does.
        run: Raises `Failed` or `NotApplicable`.
    """

    id: str
    title: str
    section: Section
    why: str
    fix: str
    run: Callable[[Subject], None] = attrs.field(repr=False, eq=False)
    weight: Weight = Weight.MUST
    capability: Capability | None = None

    @property
    def spec(self) -> str:
        """Where the contract says it: a page and a heading of the documentation."""
        return f"docs/reference/conformance.md#{self.section.value}"


Run = Callable[["Subject"], None]

_CATALOGUE: dict[str, Check] = {}


def check(
    check_id: str,
    title: str,
    *,
    why: str,
    fix: str,
    weight: Weight = Weight.MUST,
    capability: Capability | None = None,
) -> Callable[[Run], Run]:
    """Add the decorated function to the catalogue, in the section its module is named after."""

    def add(run: Run) -> Run:
        if check_id in _CATALOGUE:
            raise ValueError(f"There are two checks {check_id}.")
        _CATALOGUE[check_id] = Check(
            id=check_id,
            title=title,
            section=Section(run.__module__.rpartition(".")[2]),
            why=why,
            fix=fix,
            run=run,
            weight=weight,
            capability=capability,
        )
        return run

    return add


@cache
def catalogue() -> Mapping[str, Check]:
    """Return every check by id, section by section."""
    for section in Section:
        import_module(f"mailcore_conformance.checks.{section.value}")
    order = list(Section)
    found = sorted(_CATALOGUE.values(), key=lambda one: order.index(one.section))
    return {one.id: one for one in found}


def require(holds: object, reason: str) -> None:
    """Raise `Failed` with a reason unless `holds` is true."""
    if not holds:
        raise Failed(reason)


def require_none(findings: Iterable[str]) -> None:
    """Raise `Failed` with the first few findings, unless there are none."""
    found: list[str] = []
    for finding in findings:
        if len(found) == MAX_FINDINGS:
            found.append("And more.")
            break
        found.append(finding)
    if found:
        raise Failed(" ".join(found))


def not_applicable_unless(applies: object, why_not: str) -> None:
    """Raise `NotApplicable` unless `applies` is true."""
    if not applies:
        raise NotApplicable(why_not)
