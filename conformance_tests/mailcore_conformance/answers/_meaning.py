"""What an answer must mean: as its sample says, or as its HTTP status says where nothing else does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from mailcore import (
    MaybeSent,
    Outcome,
    RateLimited,
    RecipientResult,
    Scope,
    SendError,
    SendResult,
    TooLarge,
)

__all__ = ["STATUSES", "TAKEN", "Meaning", "differences", "ids_seen", "partial", "relabelled", "told"]


#: Statuses under which the provider has the mail.
TAKEN = frozenset({"queued", "sent", "unknown"})


def told(found: SendResult | SendError) -> str:
    """Return what became of an answer, in a few words."""
    return "accepted" if isinstance(found, SendResult) else type(found).__name__


# As a sample says -----------------------------------------------------------------------------------


def differences(name: str, found: SendResult | SendError, expected: Mapping[str, Any]) -> Iterator[str]:
    """Return how what an answer became differs from what its sample says; only what it says counts."""
    if isinstance(found, SendResult) is ("error" in expected):
        yield f"{name} becomes {told(found)}, and it means {expected.get('error', 'accepted')}."
        return
    seen = _of_result(found, expected) if isinstance(found, SendResult) else _of_error(found)
    for key, value in seen.items():
        if key in expected and value != expected[key]:
            yield f"{name}: {key} is {value!r}, and should be {expected[key]!r}."


def _of_result(found: SendResult, expected: Mapping[str, Any]) -> Mapping[str, Any]:
    seen = {
        "message_id": found.message_id,
        "message_ids": list(found.message_ids),
        "scope": found.scope,
    }
    rows = expected.get("recipients")
    if rows is None:
        return {**seen, "status": ", ".join(sorted({row.status.value for row in found.recipients.values()}))}
    return {
        **seen,  # a status beside them is the mail's, which a result does not have
        "recipients": {address: _row(row, rows.get(address)) for address, row in found.recipients.items()},
    }


def _row(row: RecipientResult, expected: Any) -> Any:
    """Return what was said of one recipient, in the words that a sample uses."""
    if not isinstance(expected, Mapping):
        return row.status.value
    found = {**attrs.asdict(row), "status": row.status.value}
    return {key: found.get(key) for key in expected}


def ids_seen(found: SendResult, expected: Mapping[str, Any]) -> list[str | None]:
    """Return the ids of a result that a sample speaks of."""
    rows = [address for address, row in expected.get("recipients", {}).items() if "message_id" in _table(row)]
    given = [found.recipients[one].message_id if one in found.recipients else None for one in rows]
    return [*([found.message_id] if "message_id" in expected else []), *given]


def relabelled(expected: Mapping[str, Any], new: Mapping[str, str]) -> list[str | None]:
    """Return the ids that a sample speaks of, with others in their places."""
    rows = [_table(row) for row in expected.get("recipients", {}).values()]
    named = [one["message_id"] for one in (expected, *rows) if "message_id" in one]
    return [new.get(one) if one else None for one in named]


def _table(row: Any) -> Mapping[str, Any]:
    return row if isinstance(row, Mapping) else {}


def partial(expected: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return two recipients of which one was taken and the other was not; None where there are none."""
    statuses = {
        address: row if isinstance(row, str) else _table(row).get("status")
        for address, row in expected.get("recipients", {}).items()
    }
    taken = [address for address, status in statuses.items() if status in TAKEN]
    others = [address for address, status in statuses.items() if status not in TAKEN]
    return (taken[0], others[0]) if taken and others else None


def _of_error(error: SendError) -> Mapping[str, Any]:
    return {
        "error": type(error).__name__,
        "outcome": error.outcome.value,
        "scope": error.scope.value,
        "retriable": error.retriable,
        "retry_after": error.retry_after,
        "text": str(error),
        "code": error.code,
        "fields": {name: list(words) for name, words in error.fields.items()},
    }


# As a status says -----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Meaning:
    """
    What an HTTP status means without a word of the provider (reliability, "Fault table").

    Attributes:
        words: The status, as a reason says it.
        cls: The class of the error, where callers tell it from others.
        scope: What else it stops, where there is one right answer.
    """

    words: str
    outcomes: tuple[Outcome, ...]
    retriable: bool
    cls: type[SendError] = SendError
    scope: Scope | None = None

    def differences(self, found: SendResult | SendError) -> Iterator[str]:
        """Return how what an answer became differs from what its status means."""
        if not isinstance(found, SendError) or found.outcome not in self.outcomes:
            wanted = " or ".join(one.value.replace("_", " ") for one in self.outcomes)
            yield f"{self.words}: it becomes {told(found)}, and it means {wanted}."
            return
        if not isinstance(found, self.cls):
            yield f"{self.words}: it becomes {told(found)}, and should be {self.cls.__name__}."
        if self.scope not in (None, found.scope):
            yield f"{self.words}: its scope is {found.scope.value}, and should be {self.scope.value}."
        if found.retriable is not self.retriable:
            yield f"{self.words}: retriable is {found.retriable}, and should be {self.retriable}."


_REJECTED = (Outcome.REJECTED,)
_UNKNOWN = (Outcome.UNKNOWN,)
_DOWN = (Outcome.NOT_ACCEPTED, Outcome.UNKNOWN)

#: Status → what it means where the answer says no more.
STATUSES: Mapping[int, Meaning] = {
    400: Meaning(words="400 (bad request)", outcomes=_REJECTED, retriable=False),
    401: Meaning(words="401 (credentials)", outcomes=_REJECTED, retriable=False, scope=Scope.ACCOUNT),
    403: Meaning(words="403 (not allowed)", outcomes=_REJECTED, retriable=False),
    404: Meaning(words="404 (no such place)", outcomes=_REJECTED, retriable=False),
    408: Meaning(words="408 (request took too long)", outcomes=_DOWN, retriable=True),
    413: Meaning(words="413 (too large)", outcomes=_REJECTED, retriable=False, cls=TooLarge),
    415: Meaning(words="415 (content type)", outcomes=_REJECTED, retriable=False),
    422: Meaning(words="422 (content)", outcomes=_REJECTED, retriable=False),
    429: Meaning(words="429 (too fast)", outcomes=(Outcome.NOT_ACCEPTED,), retriable=True, cls=RateLimited),
    500: Meaning(words="500 (server error)", outcomes=_UNKNOWN, retriable=True, cls=MaybeSent),
    502: Meaning(words="502 (bad gateway)", outcomes=_UNKNOWN, retriable=True, cls=MaybeSent),
    503: Meaning(words="503 (unavailable)", outcomes=_DOWN, retriable=True),
    504: Meaning(words="504 (gateway timeout)", outcomes=_UNKNOWN, retriable=True, cls=MaybeSent),
}
