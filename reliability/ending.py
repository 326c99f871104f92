"""How a send ended, in the words a table can show.

Rule: whatever is neither a result nor a `SendError` is unclassified, and so a defect.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from mailcore import SendError, SendResult

__all__ = ["ACCEPTED", "UNKNOWN", "Ending", "ended", "not_accepted", "rejected"]

#: Seconds a `retry_after` made from a date may differ.
SLACK = 1.5


@attrs.frozen
class Ending:
    """
    One way for a send to end.

    Attributes:
        name: Class of the result or the error.
        scope: What else the error stops; empty for a result.
    """

    outcome: str
    name: str
    scope: str = ""
    retriable: bool = False
    retry_after: float | None = None

    def without_keys(self) -> Ending:
        """Return what it is at a provider that knows no keys: what is unknown must not be repeated."""
        return attrs.evolve(self, retriable=False) if self.outcome == "unknown" else self

    def in_queue(self) -> str:
        """Return what a queue does with a mail that ended so."""
        if self.outcome == "accepted":
            return "done"
        if self.retriable:
            return "again"
        # An account or a provider that refuses mail refuses the next one too.
        return "parked" if self.scope != "message" and self.outcome != "unknown" else "review"

    def fits(self, other: Ending) -> bool:
        """Return whether the other one is the same, give or take the moment."""
        wanted, found = self.retry_after, other.retry_after
        if wanted is None or found is None:
            return self == other
        return abs(wanted - found) <= SLACK and attrs.evolve(self, retry_after=found) == other

    def __str__(self) -> str:
        details = [self.scope, "retriable" if self.retriable else ""]
        if self.retry_after is not None:
            details.append(f"after {self.retry_after:.0f} s")
        return f"{self.outcome}: {self.name} ({', '.join(filter(None, details))})".removesuffix(" ()")


# The documented endings. Nothing here is read from the classes: they are what is being tried.
ACCEPTED = Ending("accepted", "SendResult")
UNKNOWN = Ending("unknown", "MaybeSent", "provider", retriable=True)


def not_accepted(name: str, *, retriable: bool = True, after: float | None = None) -> Ending:
    """Return the ending in an error that says nothing was sent."""
    return Ending("not_accepted", name, "provider", retriable, after)


def rejected(name: str, scope: str = "message") -> Ending:
    """Return the ending in an error that says it is useless to repeat."""
    return Ending("rejected", name, scope)


def ended(send: Callable[[], SendResult]) -> tuple[Ending, SendResult | Exception]:
    """Send, and return how that ended, with what was returned or raised."""
    try:
        result = send()
    except SendError as error:
        scope, after = error.scope.value, error.retry_after
        return Ending(error.outcome.value, type(error).__name__, scope, error.retriable, after), error
    except Exception as error:  # noqa: BLE001  # reason: to find those is the purpose
        return Ending("unclassified", f"{type(error).__module__}.{type(error).__qualname__}"), error
    return ACCEPTED, result
