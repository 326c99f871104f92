"""Resend as one object: what it is told, and what it then does.

Rule: it knows the time only from its callers, and one lock makes each call happen whole.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

from mailcore import EmulatedDelivery, EmulatedMail, EndpointKind, HttpRequest, HttpResponse
from mailcore_resend.emulator._answers import Refused, answer
from mailcore_resend.emulator._events import WORDS, event_body, timestamp
from mailcore_resend.emulator._inbound import VALID, file_documents, files, mail_document
from mailcore_resend.emulator._inbound import event_body as received_body
from mailcore_resend.emulator._mail import SentMail
from mailcore_resend.emulator._outbox import Outbox
from mailcore_resend.emulator._shown import shown
from mailcore_resend.emulator._validation import read_mail

__all__ = ["ResendEmulator"]

DEFAULT_KEY = "re_emulator"
DEFAULT_SECRET = "whsec_cmVzZW5kLWVtdWxhdG9yLXNlY3JldA=="  # noqa: S105  # reason: a stand-in's, known to everybody
MAX_BATCH = 100
KEPT = timedelta(hours=24)
#: So many received mails wait to be asked for; the oldest go.
MAX_RECEIVED = 1000
_RECEIVING = "/emails/receiving/"
_SOURCES = "/sources/"


class ResendEmulator:
    """
    Behave as Resend's documentation says, for one account.

    `ResendEmulator()` is complete and always the same: the same calls bring the same answers and the same
    webhooks. Any thread may call any method.

    Args:
        api_key: The account's API key.
        signing_secret: What webhooks are signed with.
        domain: The verified domain, or several.
        rate_limit: Most requests in a second; None: unlimited.
        offers_source: Whether the source of received mail can be downloaded.

    Attributes:
        api_key: Assign to it to change the key.
        signing_secret: Likewise, for the webhooks that are made from then on.
        happenings: What a person lets happen → the word for `act`.
    """

    happenings: Mapping[str, str] = {
        "deliver": "email.delivered",
        "defer": "email.delivery_delayed",
        "bounce": "email.bounced",
        "spam": "email.complained",
        "unknown": "email.teleported",
    }

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_KEY,
        signing_secret: str = DEFAULT_SECRET,
        domain: str | Iterable[str] = ("example.com", "resend.dev"),
        rate_limit: int | None = None,
        offers_source: bool = True,
    ) -> None:
        self.api_key = api_key
        self.signing_secret = signing_secret
        self._domains = {domain} if isinstance(domain, str) else set(domain)
        self._rate_limit = rate_limit
        self._offers_source = offers_source
        self._adopted: set[str] = set()
        self._base_url = ""
        self._bases = {""}
        self._sent: dict[str, SentMail] = {}
        self._skipped = 0
        self._received: dict[str, tuple[bytes, datetime]] = {}
        self._counted = 0
        self._answers: dict[tuple[str, str], tuple[datetime, str, HttpResponse]] = {}
        self._recent: deque[datetime] = deque()
        self._outbox = Outbox()
        self._lock = RLock()

    @property
    def sent(self) -> list[SentMail]:
        """Every accepted mail, oldest first."""
        with self._lock:
            return list(self._sent.values())

    @property
    def lost_webhooks(self) -> list[bytes]:
        """Bodies of the webhooks that were given up."""
        with self._lock:
            return list(self._outbox.lost)

    def settings(self, base_url: str) -> Mapping[str, str]:
        """Return the options `api_url`, `api_key` and `webhook_key` for this emulator at `base_url`."""
        url = base_url.rstrip("/")
        with self._lock:
            self._base_url = url
            self._bases.add(_path(url))
        return {"api_url": url, "api_key": self.api_key, "webhook_key": self.signing_secret}

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """
        Deliver webhooks of that kind to `url`.

        Raises:
            ValueError: It is no URL of an endpoint.
        """
        with self._lock:
            self._outbox.subscribe(kind, url)

    def adopt(self, request: HttpRequest) -> None:
        """Take whoever makes this request for the owner: key, path and domains are good from then on."""
        path = _path(request.url)
        with self._lock:
            self._adopted.add(_headers(request).get("authorization", ""))
            for end in ("/emails", "/emails/batch"):
                if path.endswith(end):
                    self._bases.add(path.removesuffix(end))
            try:
                found = json.loads(_body(request))
            except (ValueError, RecursionError):
                return
            for element in found if isinstance(found, list) else [found]:
                sender = element.get("from") if isinstance(element, dict) else None
                if isinstance(sender, str):
                    self._domains.add(sender.rpartition("@")[2].strip("> ").lower())

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer one API request."""
        with self._lock:
            try:
                return self._answer(request, _utc(now))
            except Refused as refusal:
                return refusal.response

    def act(self, message_id: str, event: str, now: datetime) -> None:
        """
        Let something happen to an accepted mail; `event` is Resend's kind.

        Raises:
            ValueError: No mail has that id, or there is no such event.
        """
        with self._lock:
            mail = self._sent.get(message_id)
            if mail is None:
                raise ValueError(f"No mail has the id {message_id!r}.")
            if event not in WORDS:
                raise ValueError(f"There is no event {event!r}; there are {', '.join(WORDS)}.")
            self._happen(mail, event, _utc(now))

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
            if self._sent.pop(message_id, None) is not None:
                self._skipped += 1
            while len(self._answers) > len(self._sent):
                del self._answers[next(iter(self._answers))]

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        """Take a mail from the outside; it waits here until it is asked for."""
        moment = _utc(now)
        with self._lock:
            self._counted += 1
            mail_id = _uuid(self._counted, "a")
            self._received[mail_id] = (raw_mime, moment)
            while len(self._received) > MAX_RECEIVED:
                del self._received[next(iter(self._received))]
            self._outbox.add(EndpointKind.INBOUND, received_body(raw_mime, mail_id, moment), moment)

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the webhooks to be made now; each is handed out once an attempt."""
        with self._lock:
            return self._outbox.due(_utc(now), self.signing_secret)

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
        path, headers = self._local_path(request.url), _headers(request)
        if path.startswith(_SOURCES):  # the address is the permission
            return HttpResponse(status=200, body=self._download(path.removeprefix(_SOURCES)))
        receiving = path.startswith(_RECEIVING)
        if not receiving and path not in {"/emails", "/emails/batch"}:
            raise Refused(404, "not_found", "The requested endpoint does not exist.")
        if request.method != ("GET" if receiving else "POST"):
            raise Refused(405, "method_not_allowed", "Method is not allowed for the requested path.")
        self._check_key(headers.get("authorization", ""), status=400 if receiving else 401)
        self._check_rate(now)
        if receiving:
            return answer(self._told(path.removeprefix(_RECEIVING), now))
        return self._once(request, headers, path, now)

    def _local_path(self, url: str) -> str:
        path = _path(url)
        bases = [base for base in self._bases if path.startswith(f"{base}/")]
        return path.removeprefix(max(bases, key=len, default=""))

    def _check_key(self, given: str, *, status: int) -> None:
        if not given:
            raise Refused(401, "missing_api_key", "Missing API key in the authorization header.")
        if given != f"Bearer {self.api_key}" and given not in self._adopted:
            raise Refused(status, "validation_error", "API key is invalid")

    def _check_rate(self, now: datetime) -> None:
        if self._rate_limit is None:
            return
        while self._recent and now - self._recent[0] >= timedelta(seconds=1):
            self._recent.popleft()
        if len(self._recent) >= self._rate_limit:
            words = f"Too many requests. You can only make {self._rate_limit} requests per second."
            raise Refused(429, "rate_limit_exceeded", words, ("retry-after", "1"))
        self._recent.append(now)

    def _stored(self, mail_id: str) -> tuple[bytes, datetime]:
        if mail_id not in self._received:
            raise Refused(404, "not_found", "Email not found")
        return self._received[mail_id]

    def _told(self, path: str, now: datetime) -> Any:
        """Return what is told of a received mail, of all its files, or of one of them."""
        mail_id, *rest = path.split("/")
        raw, moment = self._stored(mail_id)
        url = f"{self._base_url}{_SOURCES}{mail_id}"
        if not rest:
            return {**mail_document(raw, mail_id, moment, url if self._offers_source else None)}
        listed = [
            {**one, "download_url": f"{url}/{number}", "expires_at": timestamp(now + VALID)}
            for number, one in enumerate(file_documents(raw, mail_id))
        ]
        if rest == ["attachments"]:
            return {"object": "list", "has_more": False, "data": listed}
        found = [one for one in listed if rest == ["attachments", one["id"]]]
        if not found:
            raise Refused(404, "not_found", "Attachment not found")
        return {"object": "attachment", **found[0]}

    def _download(self, path: str) -> bytes:
        mail_id, _, number = path.partition("/")
        raw, _ = self._stored(mail_id)
        if not number:
            return raw
        found = files(raw)
        if not number.isascii() or not number.isdigit() or int(number[:4]) >= len(found):
            raise Refused(404, "not_found", "Attachment not found")
        content = found[int(number)].get_payload(decode=True)
        return content if isinstance(content, bytes) else b""

    def _once(
        self, request: HttpRequest, headers: Mapping[str, str], path: str, now: datetime
    ) -> HttpResponse:
        """Answer a send; under the same key, with what was answered before."""
        key, body = headers.get("idempotency-key"), _body(request)
        digest = hashlib.sha256(body).hexdigest()
        if key is not None and not 0 < len(key) <= 256:
            words = "Idempotency keys, if present, must have between 1 and 256 characters."
            raise Refused(400, "invalid_idempotency_key", words)
        if key is not None and (path, key) in self._answers:
            at, before, response = self._answers[path, key]
            if now - at < KEPT:
                if before != digest:
                    words = "This idempotency key has been used, but the request body was modified."
                    raise Refused(409, "invalid_idempotent_request", words)
                return response
        permissive = headers.get("x-batch-validation") == "permissive"
        response = self._send(body, path, now, permissive=permissive)
        if key is not None:
            self._answers[path, key] = (now, digest, response)
        return response

    def _send(self, body: bytes, path: str, now: datetime, *, permissive: bool) -> HttpResponse:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused(400, "validation_error", "The body is not valid JSON.") from None
        if path == "/emails":
            [mail], _ = self._read([document], now, batch=False, permissive=False)
            self._accept([mail], now)
            return answer({"id": mail.id})
        if not isinstance(document, list) or not 0 < len(document) <= MAX_BATCH:
            raise Refused(422, "validation_error", f"A batch is a list of 1 to {MAX_BATCH} emails.")
        mails, errors = self._read(document, now, batch=True, permissive=permissive)
        self._accept(mails, now)
        return answer(
            {"data": [{"id": mail.id} for mail in mails], **({"errors": errors} if permissive else {})}
        )

    def _read(
        self, elements: Sequence[Any], now: datetime, *, batch: bool, permissive: bool
    ) -> tuple[list[SentMail], list[dict[str, Any]]]:
        mails: list[SentMail] = []
        errors: list[dict[str, Any]] = []
        for index, element in enumerate(elements):
            mail_id = _uuid(self._skipped + len(self._sent) + len(mails) + 1, "0")
            try:
                mails.append(read_mail(element, mail_id=mail_id, domains=self._domains, now=now, batch=batch))
            except Refused as refusal:
                if not permissive:
                    raise
                errors.append({"index": index, "message": str(refusal)})
        return mails, errors

    def _accept(self, mails: Sequence[SentMail], now: datetime) -> None:
        for mail in mails:
            self._sent[mail.id] = mail
            if mail.deliver_at > now:
                self._happen(mail, "email.scheduled", now)
            self._happen(mail, "email.sent", mail.deliver_at)

    def _happen(self, mail: SentMail, word: str, now: datetime) -> None:
        self._outbox.add(EndpointKind.TRACKING, event_body(mail, word, now), now)


def _uuid(number: int, digit: str) -> str:
    return f"{digit * 8}-0000-4000-8000-{number:012}"


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


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now is an aware datetime.")
    return now.astimezone(UTC)
