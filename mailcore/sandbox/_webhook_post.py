"""Makes webhooks: the emulator's own, signed, to the endpoint that is configured.

Rule: what an endpoint answers, or that it does not, is kept with the webhook; nothing is made twice unasked.
"""

from __future__ import annotations

import time
from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit, urlunsplit

import attrs

from mailcore._closing import Closing
from mailcore._emulator import EmulatedDelivery
from mailcore._http import Body, HttpRequest
from mailcore._settings import Settings
from mailcore._transport import Deadline, TransportFailure
from mailcore.sandbox._kept import Webhook
from mailcore.sandbox._mailbox import Mailbox
from mailcore.sandbox._masking import masked
from mailcore.transports.requests import RequestsTransport

__all__ = ["WebhookPost"]

SECONDS = 10.0
#: As much of an answer is kept.
MAX_ANSWER = 64 * 1024


class WebhookPost(Closing):
    """
    Make webhooks and keep them in a mailbox.

    Attributes:
        endpoint: The URL as configured, userinfo and all; `{provider}` and `{kind}` are filled in.
    """

    def __init__(self, mailbox: Mailbox, endpoint: str) -> None:
        self.endpoint = endpoint
        self._mailbox = mailbox
        self._transport = RequestsTransport(Settings())

    def make(self, provider: str, delivery: EmulatedDelivery, *, mail: int | None, happening: str) -> Webhook:
        """Make a webhook that an emulator is to make."""
        webhook = Webhook(
            mail=mail,
            provider=provider,
            kind=delivery.kind.value,
            happening=happening,
            at=datetime.now(UTC),
            method=delivery.request.method,
            url=delivery.request.url,
            headers=masked(delivery.request.headers),
            body=_bytes(delivery.request.body),
        )
        return self._answered(webhook, delivery.request)

    def repeat(self, webhook: Webhook) -> Webhook:
        """Make a webhook again, the same headers and bytes, to the endpoint of now."""
        endpoint = self.url(webhook.provider, webhook.kind)
        headers = [pair for pair in webhook.headers if pair[0].lower() != "authorization"]
        url, authorization = _parts(endpoint) if endpoint else (webhook.url, [])
        again = attrs.evolve(
            webhook, id=0, at=datetime.now(UTC), happening=f"replay of {webhook.id}", url=url
        )
        request = HttpRequest(
            method=webhook.method,
            url=url,
            headers=[*headers, *authorization],
            body=webhook.body,
            commits=False,
        )
        return self._answered(again, request)

    def url(self, provider: str, kind: str) -> str:
        """Return the endpoint for webhooks of that kind; empty where there is none."""
        return self.endpoint.replace("{provider}", provider).replace("{kind}", kind)

    def _answered(self, webhook: Webhook, request: HttpRequest) -> Webhook:
        started = time.perf_counter()
        try:
            answer = self._transport.exchange(request, deadline=Deadline(SECONDS))
        except TransportFailure as failure:
            # What it says of settings is about sending mail.
            why = str(failure).partition(" Check the")[0]
            found = attrs.evolve(webhook, error=why, status=None, answer_headers=(), answer_body=b"")
        else:
            found = attrs.evolve(
                webhook,
                error="",
                status=answer.status,
                answer_headers=masked(answer.headers.pairs),
                answer_body=answer.body[:MAX_ANSWER],
            )
        return self._mailbox.add_webhook(attrs.evolve(found, seconds=time.perf_counter() - started))

    def close(self) -> None:
        """Close the connections to endpoints."""
        self._transport.close()


def _bytes(body: bytes | Body) -> bytes:
    return body if isinstance(body, bytes) else b"".join(body)


def _parts(endpoint: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a URL without its userinfo, and the header that this becomes."""
    parts = urlsplit(endpoint)
    if parts.username is None:
        return endpoint, []
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return url, [("Authorization", f"Basic {b64encode(pair.encode()).decode()}")]
