"""Which receiver a request is for, and how much of it is read; the same for every framework.

Rule 1: a body is read as it comes, before any parser, and never further than the endpoint's limit.
Rule 2: a header that is there twice is one with a comma (RFC 9110, 5.3), since some servers say it so and
        others do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import attrs

from mailcore import (
    AsyncWebhookReceiver,
    ConfigurationError,
    EndpointKind,
    Headers,
    WebhookReceiver,
    WebhookResponse,
)

__all__ = ["CUT_OFF", "NOT_FOUND", "NO_LENGTH", "Endpoint", "Endpoints", "joined"]

R = TypeVar("R", bound=WebhookReceiver | AsyncWebhookReceiver)

_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
#: The answer where there is no endpoint.
NOT_FOUND = WebhookResponse(status=404, headers=_TEXT, body=b"There is no such endpoint.\n")
#: The answer to one who left before the body was whole: half a request is none.
CUT_OFF = WebhookResponse(status=400, headers=_TEXT, body=b"The body is shorter than was announced.\n")
#: The answer to a body in pieces where the server hands over only those whose length it knows.
NO_LENGTH = WebhookResponse(status=411, headers=_TEXT, body=b"Send the body with its length.\n")


@attrs.frozen
class Endpoint(Generic[R]):
    """One receiver, and what is sent to it."""

    receiver: R
    kind: EndpointKind

    def wanted(self, method: str, announced: int | None) -> int:
        """
        Return the most bytes of body to read; one more than allowed tells that there are too many.

        Args:
            announced: What `Content-Length` says; None: nothing.
        """
        limit = self.receiver.limit(self.kind)
        if method.upper() != "POST" or (announced or 0) > limit:
            return 0  # refused for its method or its length, whatever the body is
        return limit + 1 if announced is None else announced


class Endpoints(Generic[R]):
    """
    Find the endpoint of a path `<provider>/tracking` or `<provider>/inbound`.

    Args:
        receivers: One for each provider.

    Raises:
        ConfigurationError: There is none, or a provider has two.
    """

    def __init__(self, receivers: R | Iterable[R]) -> None:
        given = [receivers] if isinstance(receivers, WebhookReceiver | AsyncWebhookReceiver) else receivers
        self.receivers: tuple[R, ...] = tuple(given)
        self._by_provider: Mapping[str, R] = {found.provider: found for found in self.receivers}
        if not self.receivers:
            raise ConfigurationError("Webhook endpoints need at least one receiver.")
        if len(self._by_provider) < len(self.receivers):
            names = ", ".join(found.provider for found in self.receivers)
            raise ConfigurationError(f"Each provider has one receiver; there are {names}.")

    def find(self, path: str) -> Endpoint[R] | None:
        """Return the endpoint of a path, with or without a slash at its ends; None where there is none."""
        parts = _PATH.fullmatch(path)
        return self.named(*parts.groups()) if parts else None

    def named(self, provider: str, kind: str) -> Endpoint[R] | None:
        """Return a provider's endpoint of that kind; None where there is none."""
        receiver, wanted = self._by_provider.get(provider.replace("_", "-")), _KINDS.get(kind)
        return None if receiver is None or wanted is None else Endpoint(receiver, wanted)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path there is, `<provider>/<kind>/`."""
        return tuple(f"{provider}/{kind}/" for provider in self._by_provider for kind in _WRITTEN)


def joined(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return headers of which each is there once."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
    return Headers({name: ",".join(found) for name, found in values.items()})


_PATH = re.compile(r"/?([^/]+)/([^/]+)/?")
_WRITTEN = {kind.value: kind for kind in EndpointKind}
#: What a path may say. Mailgun hands a mail over as it came only to an address that ends in `mime`.
_KINDS = {**_WRITTEN, "inbound_mime": EndpointKind.INBOUND}
