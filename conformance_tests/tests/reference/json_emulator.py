"""The invented provider as one object that is told the time and opens no socket.

Rule: it shares no code with the adapter, so neither can confirm the other's mistake.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.utils import getaddresses
from threading import RLock
from typing import Any

import attrs

from mailcore import EmulatedDelivery, EndpointKind, HttpRequest, HttpResponse
from reference.json_rules import Refusal, addresses, check

__all__ = ["JsonEmulator"]

TOKEN = "json-emulator-token"
KEY = "reference-key-0"
#: How long the answer to a key is kept.
KEPT = timedelta(hours=1)
MAX_KEY = 64
MAX_BATCH = 3
#: Seconds between two tries of a webhook.
GAPS = (60, 300, 1800)

#: The provider's kinds of events, and what each says more.
EVENTS: Mapping[str, Mapping[str, str]] = {
    "accepted": {},
    "sent": {},
    "dropped": {"reason": "blocked", "description": "A policy forbids it."},
    "errored": {"reason": "expired", "description": "Given up after two days."},
    "bounced": {"reason": "malformed", "bounce": "hard", "mta": "550 5.1.1 No such user"},
    "deferred": {"bounce": "soft", "mta": "451 4.7.1 Try again later"},
    "delivered": {"mta": "250 OK"},
    "autoreplied": {},
    "opened": {"user_agent": "Mozilla/5.0"},
    "clicked": {"user_agent": "Mozilla/5.0", "url": "https://example.com/"},
    "complained": {},
    "unsubscribed": {},
    "subscribed": {},
}


@attrs.define(kw_only=True)
class Hook:
    """One webhook, until it is answered for good."""

    number: int
    kind: EndpointKind
    body: bytes
    due_at: datetime
    tries: int = 0


class JsonEmulator:
    """
    Behave as the invented documentation says, for one account with one token.

    Args:
        token: The account's token.
    """

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self._adopted: set[str] = set()
        self._sent: dict[str, dict[str, Any]] = {}
        self._kept: dict[str, tuple[datetime, HttpResponse]] = {}
        self._urls: dict[EndpointKind, str] = {}
        self._waiting: list[Hook] = []
        self._in_flight: dict[str, Hook] = {}
        self._counted = 0
        self._lock = RLock()

    def settings(self, base_url: str) -> Mapping[str, str]:
        """Return the options `api_url`, `api_key` and `webhook_key` for this emulator."""
        return {"api_url": f"{base_url.rstrip('/')}/v1", "api_key": self.token, "webhook_key": KEY}

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """Deliver webhooks of that kind to `url`; what happened earlier is not delivered."""
        with self._lock:
            self._urls[kind] = url

    # Sending ------------------------------------------------------------------------------------

    def adopt(self, request: HttpRequest) -> None:
        """Trust the token of an API request as the account's; any sender is good here anyway."""
        with self._lock:
            self._adopted.add(_headers(request).get("x-api-key", ""))

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer one API request; whatever it holds, there is an answer."""
        with self._lock:
            try:
                return self._answer(request, now)
            except Refusal as refusal:
                return _answer(refusal.status, refusal.document)

    def _answer(self, request: HttpRequest, now: datetime) -> HttpResponse:
        headers = _headers(request)
        path = request.url.partition("?")[0]
        batch = path.endswith("/v1/messages/batch")
        if not (batch or path.endswith("/v1/messages")) or request.method != "POST":
            raise Refusal(404, "not_found", "There is nothing here.", {})
        if headers.get("x-api-key", "") not in {self.token, *self._adopted}:
            raise Refusal(401, "invalid_token", "The token is not known.", {})
        if headers.get("content-type") != "application/json":
            raise Refusal(415, "invalid", "The body is application/json.", {})
        key = headers.get("idempotency-key", "")
        if len(key) > MAX_KEY:
            raise Refusal(400, "invalid", f"A key has at most {MAX_KEY} characters.", {})
        stored_at, answer = self._kept.get(key, (None, None))
        if stored_at is not None and answer is not None and now - stored_at < KEPT:
            return answer
        document = _payload(request)
        answer = _answer(202, self._take_batch(document) if batch else self._take(document))
        if key:
            self._kept[key] = (now, answer)  # the answer to a refused request is not kept
        return answer

    def _take(self, message: Any) -> dict[str, Any]:
        check(message)
        message_id = f"m-{len(self._sent) + 1}"
        self._sent[message_id] = message
        rows = {email: _row(email) for email in addresses(message)}
        return {"id": message_id, "status": "queued", "recipients": rows}

    def _take_batch(self, document: Any) -> dict[str, Any]:
        messages = document.get("messages") if isinstance(document, dict) else None
        if not isinstance(messages, list) or not 0 < len(messages) <= MAX_BATCH:
            raise Refusal(400, "invalid", f"A batch is a list of 1 to {MAX_BATCH} messages.", {})
        return {"results": [self._verdict(message) for message in messages]}

    def _verdict(self, message: Any) -> dict[str, Any]:
        try:
            return self._take(message)
        except Refusal as refusal:
            return refusal.document

    # Webhooks -----------------------------------------------------------------------------------

    def act(self, message_id: str, event: str, now: datetime) -> None:
        """
        Let something happen to an accepted message, for each of its recipients.

        Raises:
            ValueError: No message has that id, or there is no such event.
        """
        with self._lock:
            message = self._sent.get(message_id)
            if message is None or event not in EVENTS:
                raise ValueError(f"There is no message {message_id!r} that can become {event!r}.")
            events = [self._event(message_id, event, email, now) for email in addresses(message)]
            self._add(EndpointKind.TRACKING, {"events": events}, now)

    def _event(self, message_id: str, event: str, email: str, now: datetime) -> dict[str, Any]:
        message = self._sent[message_id]
        own = message.get("merge_metadata", {}).get(email, {})
        return {
            "id": f"e-{self._count()}",
            "type": event,
            "at": _iso(now),
            "message": message_id,
            "rfc_message_id": f"<{message_id}@json-api.example>",
            "recipient": email,
            "tags": message.get("tags", []),
            "metadata": {**message.get("metadata", {}), **own},
            **EVENTS[event],
        }

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        """Take a mail from the outside; its envelope is what its own headers say."""
        mail = message_from_bytes(raw_mime)
        senders = getaddresses([str(value) for value in mail.get_all("From", [])])
        readers = getaddresses([str(value) for name in ("To", "Cc") for value in mail.get_all(name, [])])
        with self._lock:
            element = {
                "id": f"i-{self._count()}",
                "received_at": _iso(now),
                "envelope": {
                    "from": senders[0][1] if senders else "",
                    "to": [email for _, email in readers if email],
                },
                **_source(raw_mime),
            }
            self._add(EndpointKind.INBOUND, {"mail": element}, now)

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the webhooks to be made now; each is handed out once an attempt."""
        with self._lock:
            ready = sorted(
                (hook for hook in self._waiting if hook.due_at <= now), key=lambda hook: hook.due_at
            )
            self._waiting = [hook for hook in self._waiting if hook.due_at > now]
            return [self._hand_out(hook, now) for hook in ready]

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """
        Settle a webhook, or let it wait for the next try.

        Raises:
            ValueError: No webhook with that id waits for an answer.
        """
        with self._lock:
            if delivery_id not in self._in_flight:
                raise ValueError(f"No delivery {delivery_id!r} waits for an answer.")
            hook = self._in_flight.pop(delivery_id)
            failed = status is None or not 200 <= status < 300
            if failed and hook.tries <= len(GAPS):
                hook.due_at = now + timedelta(seconds=GAPS[hook.tries - 1])
                self._waiting.append(hook)

    def _count(self) -> int:
        self._counted += 1
        return self._counted

    def _add(self, kind: EndpointKind, document: Mapping[str, Any], now: datetime) -> None:
        if kind in self._urls:
            body = json.dumps(document).encode()
            self._waiting.append(Hook(number=self._count(), kind=kind, body=body, due_at=now))

    def _hand_out(self, hook: Hook, now: datetime) -> EmulatedDelivery:
        hook.tries += 1
        delivery_id = f"d-{hook.number}"  # the same for every try
        self._in_flight[delivery_id] = hook
        moment = str(int(now.timestamp()))
        signed = f"{moment}.{delivery_id}.".encode() + hook.body
        headers = [
            ("Content-Type", "application/json"),
            ("X-Json-Timestamp", moment),
            ("X-Json-Delivery", delivery_id),
            ("X-Json-Signature", hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()),
        ]
        request = HttpRequest(
            method="POST", url=self._urls[hook.kind], headers=headers, body=hook.body, commits=False
        )
        return EmulatedDelivery(delivery_id=delivery_id, kind=hook.kind, request=request)


def _headers(request: HttpRequest) -> dict[str, str]:
    """Return the headers by lower-case name; the emulator is the wire, so a secret is revealed."""
    return {
        name.lower(): value if isinstance(value, str) else value.reveal() for name, value in request.headers
    }


def _payload(request: HttpRequest) -> Any:
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid", "The body is not JSON.", {}) from None


def _row(email: str) -> dict[str, str]:
    if email.lower().endswith("@suppressed.example"):
        return {"status": "suppressed", "reason": "unsubscribed before", "code": "S1"}
    return {"status": "queued"}


def _source(raw: bytes) -> dict[str, str]:
    """Return the source as text; in base64 where JSON text could not hold every byte."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"raw_base64": b64encode(raw).decode()} if "\0" in text else {"raw": text}


def _answer(status: int, document: Mapping[str, Any]) -> HttpResponse:
    headers = [("Content-Type", "application/json")]
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
