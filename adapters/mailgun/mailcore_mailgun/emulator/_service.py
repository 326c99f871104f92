"""Mailgun as one object: what it is told, and what it then does.

Rule: it knows the time only from its callers, and one lock makes each call happen whole.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import RLock
from urllib.parse import unquote, urlsplit

from mailcore import EmulatedDelivery, EmulatedMail, EndpointKind, HttpRequest, HttpResponse
from mailcore_mailgun.emulator._answers import (
    FORBIDDEN,
    NO_METHOD,
    NO_PAGE,
    Refused,
    accepted,
    front_page,
    plain,
    refused,
    server_error,
    too_fast,
)
from mailcore_mailgun.emulator._content import read_mail
from mailcore_mailgun.emulator._events import WORDS, event_data
from mailcore_mailgun.emulator._faults import Fault
from mailcore_mailgun.emulator._form import Form
from mailcore_mailgun.emulator._inbound import form_of
from mailcore_mailgun.emulator._mail import Mailbox, SentMail
from mailcore_mailgun.emulator._outbox import Outbox
from mailcore_mailgun.emulator._shown import shown
from mailcore_mailgun.emulator._signature import signed

__all__ = ["MailgunEmulator"]

DEFAULT_KEY = "mailgun-emulator-key"
DEFAULT_SIGNING_KEY = "mailgun-emulator-signing-key"
MAX_SIZE = 25 * 1024 * 1024
_ENDPOINT = re.compile(r"/v3/([^/]+)/messages(\.mime)?")
#: Event → what befalls later mail to the same address.
_SUPPRESSED = {
    "failed": "bounced before",
    "permanent_fail": "bounced before",
    "unsubscribed": "unsubscribed before",
    "complained": "complained before",
}


class MailgunEmulator:
    """
    Behave as Mailgun's documentation says, for one account.

    `MailgunEmulator()` is complete and always the same: the same calls bring the same answers and the
    same webhooks. Any thread may call any method.

    Args:
        api_key: The account's API key.
        signing_key: The account's HTTP webhook signing key.
        domain: The domain it sends from, or several.
        rate_limit: Most sends in a period of that length; None: unlimited.
        max_size: Bytes of bodies and files in one mail.

    Attributes:
        api_key: Assign to it to change the key.
        signing_key: Likewise, for the webhooks of later events.
        happenings: What a person lets happen → the word for `act`.
    """

    happenings: Mapping[str, str] = {
        "deliver": "delivered",
        "defer": "temporary_fail",
        "bounce": "permanent_fail",
        "spam": "complained",
        "unknown": "teleported",
    }

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_KEY,
        signing_key: str = DEFAULT_SIGNING_KEY,
        domain: str | Iterable[str] = "example.com",
        rate_limit: tuple[int, timedelta] | None = None,
        max_size: int = MAX_SIZE,
    ) -> None:
        self.api_key = api_key
        self.signing_key = signing_key
        self._domains = {domain} if isinstance(domain, str) else set(domain)
        self._adopted: set[str] = set()
        self._rate_limit = rate_limit
        self._max_size = max_size
        self._bases = {""}
        self._sent: dict[str, SentMail] = {}
        self._skipped = 0
        self._suppressed: dict[str, str] = {}
        self._recent: deque[datetime] = deque()
        self._faults: deque[Fault] = deque()
        self._outbox = Outbox()
        self._events = 0
        self._signed = 0
        self._lock = RLock()

    @property
    def sent(self) -> list[SentMail]:
        """Every accepted mail, oldest first."""
        with self._lock:
            return list(self._sent.values())

    @property
    def suppressed(self) -> Mapping[str, str]:
        """Address → why nothing is delivered to it any longer."""
        with self._lock:
            return dict(self._suppressed)

    @property
    def lost_webhooks(self) -> list[bytes]:
        """Bodies of the webhooks that were given up, or refused with 406."""
        with self._lock:
            return list(self._outbox.lost)

    def settings(self, base_url: str) -> Mapping[str, str]:
        """Return the options `api_url`, `api_key` and `webhook_key` for this emulator at `base_url`."""
        with self._lock:
            self._bases.add(_path(base_url))
        return {
            "api_url": base_url.rstrip("/"),
            "api_key": self.api_key,
            "webhook_key": self.signing_key,
        }

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """
        Deliver webhooks of that kind to `url`; incoming mail comes raw where its path ends in `mime`.

        Raises:
            ValueError: It is no URL of an endpoint.
        """
        with self._lock:
            self._outbox.subscribe(kind, url)

    def inject(self, *faults: Fault) -> None:
        """Let these happen, one after the other, to the next requests that are otherwise fine."""
        with self._lock:
            self._faults.extend(Fault(fault) for fault in faults)

    def adopt(self, request: HttpRequest) -> None:
        """Take whoever makes this request for the owner: its key, path and domain are good from then on."""
        headers = _headers(request)
        path = _path(request.url)
        found = re.search(_ENDPOINT.pattern + r"\Z", path)
        with self._lock:
            self._adopted.add(_key(headers))
            if found:
                self._bases.add(path[: found.start()])
                self._domains.add(unquote(found[1]))

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer one API request."""
        with self._lock:
            try:
                return self._answer(request, _utc(now))
            except Refused as refusal:
                return refusal.response

    def act(self, message_id: str, event: str, now: datetime) -> None:
        """
        Let something happen to an accepted mail, to each of its recipients.

        `event` is Mailgun's word for the event or for its webhook: `failed` and `permanent_fail` are the
        same, and `temporary_fail` is the other one.

        Raises:
            ValueError: No mail has that id, or there is no such event.
        """
        with self._lock:
            mail = self._sent.get(message_id.strip("<>"))
            if mail is None:
                raise ValueError(f"No mail has the id {message_id!r}.")
            if event not in WORDS:
                raise ValueError(f"There is no event {event!r}; there are {', '.join(WORDS)}.")
            for recipient in mail.recipients:
                self._happen(mail, recipient, event, _utc(now))

    def taken(self, after: int) -> Sequence[EmulatedMail]:
        """Return the accepted mails as people see them, oldest first, without the first `after`."""
        with self._lock:
            new = islice(reversed(self._sent.values()), max(len(self._sent) - after, 0))
            return [shown(mail) for mail in new][::-1]

    def skip(self, count: int) -> None:
        """Give out the next `count` ids to no mail."""
        with self._lock:
            self._skipped += count

    def forget(self, message_id: str) -> None:
        """Let go of a mail: nothing can happen to it any longer, and no other one gets its id."""
        with self._lock:
            if self._sent.pop(message_id.strip("<>"), None) is not None:
                self._skipped += 1

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        """Take a mail from the outside: one route forwards all of it."""
        moment = _utc(now)
        with self._lock:
            signature = self._signature(moment)
            content_type, body = form_of(raw_mime, signature, as_mime=self._outbox.takes_mime())
            self._outbox.add(EndpointKind.INBOUND, content_type, body, moment)

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the webhooks to be made now; each is handed out once an attempt."""
        with self._lock:
            return self._outbox.due(_utc(now))

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """
        Tell how an endpoint answered; None: it timed out or could not be reached.

        Raises:
            ValueError: No delivery with that id waits for an answer.
        """
        with self._lock:
            self._outbox.answered(delivery_id, status, _utc(now))

    # The API ------------------------------------------------------------------------------------

    def _answer(self, request: HttpRequest, now: datetime) -> HttpResponse:
        path, headers = _path(request.url), _headers(request)
        if path in self._bases:
            return front_page()
        base = max((base for base in self._bases if path.startswith(f"{base}/")), key=len, default="")
        found = _ENDPOINT.fullmatch(path.removeprefix(base))
        if found is None:
            return plain(NO_PAGE)
        if request.method != "POST":
            return plain(NO_METHOD)
        key = _key(headers)
        if key != self.api_key and (not key or key not in self._adopted):
            return plain(FORBIDDEN)
        return self._accept(request, headers, unquote(found[1]), now, as_mime=bool(found[2]))

    def _accept(
        self, request: HttpRequest, headers: Mapping[str, str], domain: str, now: datetime, *, as_mime: bool
    ) -> HttpResponse:
        if domain.lower() not in {known.lower() for known in self._domains}:
            raise refused(f"Domain not found: {domain}", status=404)
        fault = self._faults.popleft() if self._faults else None
        if fault is Fault.RATE_LIMITED or self._is_too_fast(now):
            return too_fast(domain, 120)
        if fault is Fault.ERROR_BEFORE_QUEUEING:
            return server_error()
        mail = self._queue(Form.read(headers, _body(request)), domain, now, as_mime=as_mime)
        return server_error() if fault is Fault.ERROR_AFTER_QUEUEING else accepted(mail.id)

    def _is_too_fast(self, now: datetime) -> bool:
        if self._rate_limit is None:
            return False
        most, period = self._rate_limit
        while self._recent and now - self._recent[0] >= period:
            self._recent.popleft()
        if len(self._recent) >= most:
            return True
        self._recent.append(now)
        return False

    def _queue(self, form: Form, domain: str, now: datetime, *, as_mime: bool) -> SentMail:
        number = self._skipped + len(self._sent) + 1
        mail = read_mail(
            form, domain=domain, number=number, now=now, as_mime=as_mime, max_size=self._max_size
        )
        self._sent[mail.id.strip("<>")] = mail
        for recipient in mail.recipients:
            self._happen(mail, recipient, "accepted", now)
            before = self._suppressed.get(recipient.address.lower())
            after = before or ("test mode" if mail.test_mode else None)
            if after:
                self._happen(mail, recipient, after, max(now, mail.deliver_at))
        return mail

    def _happen(self, mail: SentMail, recipient: Mailbox, word: str, now: datetime) -> None:
        self._events += 1
        if word in _SUPPRESSED:
            self._suppressed[recipient.address.lower()] = _SUPPRESSED[word]
        document = {
            "signature": self._signature(now),
            "event-data": event_data(mail, recipient, word, self._events, now),
        }
        body = json.dumps(document).encode()
        self._outbox.add(EndpointKind.TRACKING, "application/json", body, now)

    def _signature(self, now: datetime) -> dict[str, str]:
        self._signed += 1
        return signed(self.signing_key, self._signed, now)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return "/unreadable"


def _headers(request: HttpRequest) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        # A Secret is revealed by what stands in for the wire, and that is us.
        text = value if isinstance(value, str) else value.reveal()
        headers.setdefault(name.lower(), text.strip())
    return headers


def _body(request: HttpRequest) -> bytes:
    return request.body if isinstance(request.body, bytes) else b"".join(request.body)


def _key(headers: Mapping[str, str]) -> str:
    """Return the password of the user `api`; empty where there is none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    try:
        user, _, key = b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return key if scheme.lower() == "basic" and user == "api" else ""


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now is an aware datetime.")
    return now.astimezone(UTC)
