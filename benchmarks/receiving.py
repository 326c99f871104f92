"""A webhook verified and read, beside the same by hand."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from nacl.signing import SigningKey, VerifyKey

from benchmarks import deliveries
from benchmarks.contest import Contest
from benchmarks.meters import Cpu, each
from benchmarks.names import ANYMAIL_VIEW, NACL, PASSWORD, RECEIVE, UNDERSTAND
from mailcore import Context, Verification, VerifiedWebhook, WebhookReceiver, WebhookRequest
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

__all__ = ["CONTESTS", "public_key", "received", "receiver", "signed"]


def signing_key(number: int) -> SigningKey:
    """Return one of many keys."""
    return SigningKey(bytes([number]) * 32)


def public_key(number: int) -> str:
    """Return what a receiver is given of it."""
    return base64.b64encode(bytes(signing_key(number).verify_key)).decode()


def signed(body: bytes, number: int = 1) -> WebhookRequest:
    """Return a delivery of MailPace's."""
    signature = base64.b64encode(signing_key(number).sign(body).signature).decode()
    headers = [("Content-Type", "application/json"), ("X-MailPace-Signature", signature)]
    return WebhookRequest(method="POST", headers=headers, body=body)


def receiver(**settings: Any) -> WebhookReceiver:
    """Return what receives, and forgets it."""
    return WebhookReceiver.from_config(settings, on_event=_nothing, on_inbound=_nothing, environ={})


def _nothing(_: object) -> None:
    pass


def received(made: WebhookReceiver, request: WebhookRequest, kind: str) -> Callable[[], object]:
    """Return what hands a delivery over, once it is shown to be handled and not put aside."""
    again = _anew(request)

    def work() -> int:
        return made.receive(again(), kind=kind).status

    if work() != 200 or made.quarantined:
        raise RuntimeError(f"A delivery of {made.provider} is not understood.")
    return work


def _anew(request: WebhookRequest) -> Callable[[], WebhookRequest]:
    """Return what makes the request once more, as each delivery has its own: it keeps what was read of it."""
    method, pairs, body = request.method, request.headers.pairs, request.body
    return lambda: WebhookRequest(method=method, headers=pairs, body=body)  # type: ignore[arg-type]  # reason: pairs do


def _understood(request: WebhookRequest, kind: str) -> Callable[[], object]:
    """Return what has the adapter alone prove a delivery and read it: what the floor does, and no more."""
    adapter = MailPaceAdapter(MailPaceOptions(webhook_key=public_key(1)))
    again, now = _anew(request), request.received_at
    context = Context(now=now, created=now, unique="unique")
    parse = adapter.parse_inbound if kind == "inbound" else adapter.parse_events

    def work() -> object:
        asked = again()
        proof = adapter.verify_webhook(asked, context)
        assert isinstance(proof, Verification)  # noqa: S101  # reason: MailPace asks nothing back
        return parse(VerifiedWebhook(request=asked, verification=proof))

    return work


@contextmanager
def _signed(title: str, kind: str, make: Callable[[], bytes]) -> Iterator[Contest]:
    body = make()
    request, made = signed(body), receiver(provider="mailpace", webhook_key=public_key(1))
    key, signature = public_key(1), request.headers["X-MailPace-Signature"]

    def by_hand() -> object:
        VerifyKey(base64.b64decode(key)).verify(body, base64.b64decode(signature))
        return json.loads(body)

    contenders = {
        NACL: Cpu(each(by_hand)),
        UNDERSTAND: Cpu(each(_understood(request, kind))),
        RECEIVE: Cpu(each(received(made, request, kind))),
    }
    yield Contest(title=f"{title}: signed with Ed25519, verified and read", contenders=contenders)


@contextmanager
def _with_password() -> Iterator[Contest]:
    from anymail.webhooks.postmark import PostmarkTrackingWebhookView
    from django.test import RequestFactory

    body, password = deliveries.postmark_event(), "Basic " + base64.b64encode(b"user:password").decode()
    headers = [("Content-Type", "application/json"), ("Authorization", password)]
    request = WebhookRequest(method="POST", headers=headers, body=body)
    made = receiver(provider="postmark", webhook_secret="user:password")  # noqa: S106  # reason: made up
    view = PostmarkTrackingWebhookView.as_view()
    asked = RequestFactory().post(
        "/", body, content_type="application/json", headers={"Authorization": password}
    )

    def by_hand() -> object:
        if not hmac.compare_digest(request.headers["Authorization"], password):
            raise PermissionError
        return json.loads(body)

    if view(asked).status_code != 200:
        raise RuntimeError("django-anymail does not understand a delivery of Postmark.")
    contenders = {
        PASSWORD: Cpu(each(by_hand)),
        RECEIVE: Cpu(each(received(made, request, "tracking"))),
        ANYMAIL_VIEW: Cpu(each(lambda: view(asked))),
    }
    yield Contest(title="An event of Postmark: a password, and read", contenders=contenders)


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {
    "event-2kb": partial(_signed, "An event of 2 kB", "tracking", partial(deliveries.event, 2_000)),
    "event-50kb": partial(_signed, "An event of 50 kB", "tracking", partial(deliveries.event, 50_000)),
    "inbound": partial(_signed, "An incoming mail of 20 MB", "inbound", partial(deliveries.mail, 20_000_000)),
    "event-password": _with_password,
}
