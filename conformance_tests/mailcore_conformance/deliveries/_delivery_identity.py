"""By what an adapter tells one event or mail from another.

Rule: where the provider sends an id of the event, that decides, and must be taken whole. The rest of the
delivery has to do where it does not, so it is looked at with the provider's id taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from mailcore import WebhookRequest
from mailcore_conformance._check import Failed
from mailcore_conformance.deliveries._delivery_document import GONE, Document, Place, as_text

__all__ = ["OwnId", "find_own_id"]

#: Reads a delivery; returns the id of its one event or mail, or None where there is not one.
Identify = Callable[[WebhookRequest], str | None]

NO_ID = (
    "`event_id` stays the same for another {what} of the same provider, and no single value of the delivery "
    "decides it."
)


@attrs.frozen
class OwnId:
    """
    Where the provider's own id of an event stands: a place of the body, or a header; or nowhere.

    Attributes:
        request: The sample.
    """

    request: WebhookRequest
    document: Document
    place: Place | None = None
    header: str = ""

    @property
    def exists(self) -> bool:
        """Whether the provider sends one."""
        return self.place is not None or bool(self.header)

    def put(self, value: str) -> WebhookRequest:
        """Return the delivery with another id."""
        if self.place is not None:
            return attrs.evolve(self.request, body=self.document.write({self.place: value}))
        return _with_header(self.request, self.header, value)

    def removed(self, changes: Mapping[Place, Any]) -> WebhookRequest:
        """Return the delivery without the id and with other values at some places."""
        gone: dict[Place, Any] = {}
        if self.place is not None:
            gone[self.place] = None if isinstance(self.place[-1], int) else GONE
        request = attrs.evolve(self.request, body=self.document.write({**changes, **gone}))
        return _with_header(request, self.header, None) if self.header else request


def find_own_id(
    identify: Identify,
    request: WebhookRequest,
    document: Document,
    *,
    another: WebhookRequest,
    besides: Iterable[Place],
    what: str,
) -> OwnId:
    """
    Return where the provider's own id stands.

    Args:
        another: The delivery of another event of the same mail (or of another mail) under the same
            own id.
        besides: Places that hold no id of the event, whatever depends on them.

    Raises:
        Failed: `another` has the same id, and no single other value decides it.
    """
    id_ = identify(request)
    if identify(another) not in (None, id_):
        return OwnId(request, document)
    passed_over = set(besides)
    changed = {
        place: attrs.evolve(request, body=document.write({place: _other(value)}))
        for place, value in document.leaves()
        if place not in passed_over and as_text(value)
    }
    places = [place for place, other in changed.items() if identify(other) not in (None, id_)]
    headers = [
        name
        for name, value in request.headers.pairs
        if identify(_with_header(request, name, _other(value))) not in (None, id_)
    ]
    if len(places) + len(headers) != 1:
        raise Failed(NO_ID.format(what=what))
    return OwnId(request, document, places[0] if places else None, headers[0] if headers else "")


def _other(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else f"{value}9"


def _with_header(request: WebhookRequest, name: str, value: str | None) -> WebhookRequest:
    kept = [pair for pair in request.headers.pairs if pair[0].lower() != name.lower()]
    return attrs.evolve(request, headers=kept if value is None else [*kept, (name, value)])
