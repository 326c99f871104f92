"""Postmark as one object: what it is told, and what it then does.

Rule: it knows the time only from its callers, and one lock makes each call happen whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from threading import RLock
from types import MappingProxyType
from typing import Any
from uuid import UUID

from mailcore import EmulatedDelivery, EmulatedMail, EndpointKind, HttpRequest, HttpResponse
from mailcore_postmark.emulator._answers import (
    BAD_TOKEN,
    NO_TOKEN,
    AccountProblem,
    Refused,
    accepted,
    refused,
    reply,
)
from mailcore_postmark.emulator._events import BOUNCES, RECORDS, SUPPRESSING, bounce, list_change, plain
from mailcore_postmark.emulator._faults import AFTER, BEFORE, Fault, Faults
from mailcore_postmark.emulator._inbound import inbound_body
from mailcore_postmark.emulator._mail import SentMail
from mailcore_postmark.emulator._outbox import Outbox
from mailcore_postmark.emulator._request import ApiCall, path_of
from mailcore_postmark.emulator._shown import shown
from mailcore_postmark.emulator._validation import Rules, Wrong, mail, sender_domains

__all__ = ["PostmarkEmulator"]

DEFAULT_TOKEN = "postmark-emulator-token"  # noqa: S105  # reason: opens nothing but an emulator
#: Postmark docs: checks everything, and sends nothing.
TEST_TOKEN = "POSTMARK_API_TEST"  # noqa: S105  # reason: printed in the documentation


class PostmarkEmulator:
    """
    Behave as Postmark's documentation says, for one server with one token.

    `PostmarkEmulator()` is complete and always the same: ids count from 1, and the same calls bring the same
    answers and the same webhooks. Any thread may call any method.

    Args:
        token: The server's API token.
        domain: The domain of the sender signatures, or several.
        templates: Ids and aliases of the templates; None: whichever is named exists.
        raw_email: Whether inbound webhooks hold the mail itself, as a setting of Postmark's says.

    Attributes:
        token: Assign to it to rotate the token.
        account_problem: Assign one, and every send is refused until it is None again.
        raw_email: As above; may be assigned.
        happenings: What a person lets happen → the word for `act`.
    """

    happenings: Mapping[str, str] = {
        "deliver": "Delivery",
        "defer": "Transient",
        "bounce": "HardBounce",
        "spam": "SpamComplaint",
        "unknown": "Teleportation",
    }

    def __init__(
        self,
        *,
        token: str | None = None,
        domain: str | Iterable[str] = "example.com",
        templates: Iterable[str | int] | None = None,
        raw_email: bool = False,
    ) -> None:
        self.token = DEFAULT_TOKEN if token is None else token
        self.account_problem: AccountProblem | None = None
        self.raw_email = raw_email
        self._domains = {name.lower() for name in ([domain] if isinstance(domain, str) else domain)}
        self._templates = None if templates is None else {str(name) for name in templates}
        self._adopted: set[str] = set()
        self._bases = {""}
        self._sent: dict[str, SentMail] = {}
        self._skipped = 0
        self._suppressed: dict[str, str] = {}
        self._bounces = 0
        self._received = 0
        self._faults = Faults()
        self._outbox = Outbox()
        self._lock = RLock()

    @property
    def sent(self) -> list[SentMail]:
        """Every accepted mail, oldest first."""
        with self._lock:
            return list(self._sent.values())

    @property
    def suppressed(self) -> Mapping[str, str]:
        """The inactive addresses, in lower case, each with its reason."""
        with self._lock:
            return dict(self._suppressed)

    @property
    def lost_events(self) -> list[bytes]:
        """Bodies of the event webhooks that were given up."""
        with self._lock:
            return list(self._outbox.lost[EndpointKind.TRACKING])

    @property
    def inbound_errors(self) -> list[bytes]:
        """Bodies of the inbound webhooks that were given up."""
        with self._lock:
            return list(self._outbox.lost[EndpointKind.INBOUND])

    def settings(self, base_url: str) -> Mapping[str, str]:
        """Return the options for this emulator at `base_url`; from then on its path is served too."""
        with self._lock:
            self._bases.add(path_of(base_url))
        return {"api_url": base_url.rstrip("/"), "server_token": self.token}

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """
        Deliver webhooks of that kind to `url`, in place of any URL before; userinfo becomes basic auth.

        Raises:
            ValueError: Not an http or https URL.
        """
        with self._lock:
            self._outbox.subscribe(kind, url)

    def inject(self, *faults: Fault) -> None:
        """Let each fault happen once, in order, to the next request it can happen to."""
        with self._lock:
            self._faults.add(*faults)

    def suppress(self, address: str, now: datetime) -> None:
        """Put an address on the suppression list, as the account's owner can."""
        with self._lock:
            self._suppressed[address.lower()] = "ManualSuppression"
            self._tell(list_change(None, address, "ManualSuppression", "outbound", _utc(now)), now)

    def reactivate(self, address: str, now: datetime) -> None:
        """Take an address off the suppression list; one that complained stays, as Postmark says."""
        with self._lock:
            reason = self._suppressed.get(address.lower())
            if reason not in (None, "SpamComplaint"):
                del self._suppressed[address.lower()]
                self._tell(list_change(None, address, None, "outbound", _utc(now)), now)

    def adopt(self, request: HttpRequest) -> None:
        """Trust the token, the path and the senders of an API request, as those of the account."""
        call = ApiCall.read(request)
        with self._lock:
            self._bases.add(call.base)
            self._adopted.add(call.token)
            with suppress(Refused):  # what cannot be read is refused when it is handled
                many, templates = call.endpoint(self._bases)
                for payload in call.mails(many=many, templates=templates):
                    self._domains |= sender_domains(payload)

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer one API request; whatever the request holds, there is an answer."""
        moment = _utc(now)
        call = ApiCall.read(request)
        with self._lock:
            try:
                return self._answer(call, moment)
            except Refused as refusal:
                return refusal.response

    def act(self, message_id: str, event: str, now: datetime, *, recipient: str | None = None) -> None:
        """
        Let something happen to an accepted mail: to one recipient, or to everybody who gets it.

        `event` is `Delivery`, `Open`, `Click`, `SubscriptionChange` (the recipient unsubscribes), or a type
        of bounce, such as `HardBounce` or `SpamComplaint`. After these two the address is inactive.

        Raises:
            ValueError: No mail has that id, or there is no such event.
        """
        moment = _utc(now)
        with self._lock:
            found = self._find(message_id)
            for address in found.reached if recipient is None else (recipient,):
                for body in self._happened(found, event, address, moment):
                    self._tell(body, moment)

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

    def receive(
        self, raw_mime: bytes, now: datetime, *, sender: str | None = None, recipient: str | None = None
    ) -> None:
        """Take a mail from the outside, for that envelope."""
        with self._lock:
            self._received += 1
            body = inbound_body(
                raw_mime,
                message_id=str(UUID(int=(1 << 64) + self._received)),
                sender=sender,
                recipient=recipient,
                with_source=self.raw_email,
            )
            self._outbox.add(EndpointKind.INBOUND, body, _utc(now))

    def due(self, now: datetime) -> Sequence[EmulatedDelivery]:
        """Return the webhooks to be made now; each is handed out once an attempt."""
        with self._lock:
            return self._outbox.due(_utc(now))

    def next_due(self) -> datetime | None:
        """Return when the next webhook is to be made, or None; for a driver that skips time."""
        with self._lock:
            return self._outbox.next_due()

    def answered(self, delivery_id: str, status: int | None, now: datetime) -> None:
        """
        Tell how an endpoint answered; None: it timed out or could not be reached.

        Raises:
            ValueError: No delivery with that id waits for an answer.
        """
        with self._lock:
            self._outbox.answered(delivery_id, status, _utc(now))

    def _answer(self, call: ApiCall, now: datetime) -> HttpResponse:
        many, templates = call.endpoint(self._bases)
        if not call.token:
            raise refused(NO_TOKEN, 401)
        if call.token not in {self.token, TEST_TOKEN, *self._adopted}:
            raise refused(BAD_TOKEN, 401)
        call.check_types()
        if self.account_problem is not None:
            raise refused(self.account_problem.value)
        early = self._faults.take(BEFORE)
        if early is not None:
            return early
        payloads = call.mails(many=many, templates=templates)
        test = call.token == TEST_TOKEN
        said = [self._take(payload, now, template=templates, test=test) for payload in payloads]
        if not many and said[0]["ErrorCode"]:
            return reply(said[0], 422)
        return self._faults.take(AFTER) or reply(said if many else said[0])

    def _take(
        self, payload: Mapping[str, Any], now: datetime, *, template: bool, test: bool
    ) -> dict[str, Any]:
        rules = Rules(domains=self._domains, inactive=self._suppressed, templates=self._templates)
        message_id = str(UUID(int=self._skipped + len(self._sent) + 1))
        try:
            found = mail(MappingProxyType(payload), rules, template=template, message_id=message_id)
        except Wrong as wrong:
            return wrong.why.document()
        if not test:
            self._sent[message_id] = found
        return accepted(payload.get("To") or "", message_id, found.inactive, now)

    def _find(self, message_id: str) -> SentMail:
        if message_id not in self._sent:
            raise ValueError(f"No mail has the id {message_id!r}; {len(self._sent)} were accepted.")
        return self._sent[message_id]

    def _happened(self, found: SentMail, event: str, address: str, now: datetime) -> Iterable[bytes]:
        if event in RECORDS:
            yield plain(event, found, address, now)
        elif event == "SubscriptionChange":
            self._suppressed[address.lower()] = "ManualSuppression"
            yield list_change(found, address, "ManualSuppression", found.stream, now)
        elif event in BOUNCES:
            self._bounces += 1
            yield bounce(event, found, address, self._bounces, now)
            if event in SUPPRESSING:
                self._suppressed[address.lower()] = event
                yield list_change(found, address, event, found.stream, now)
        else:
            known = ", ".join((*RECORDS, "SubscriptionChange", *BOUNCES))
            raise ValueError(f"There is no event {event!r}; there are {known}.")

    def _tell(self, body: bytes, now: datetime) -> None:
        self._outbox.add(EndpointKind.TRACKING, body, _utc(now))


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now is an aware datetime.")
    return now.astimezone(UTC)
