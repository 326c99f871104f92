"""MailPace as one object: what it is told, and what it then does.

Rule: it knows the time only from its callers, and one lock makes each call happen whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import RLock
from types import MappingProxyType

import attrs

from mailcore import EmulatedDelivery, EmulatedMail, EndpointKind, HttpRequest, HttpResponse
from mailcore_mailpace.emulator._addresses import domain_of
from mailcore_mailpace.emulator._answers import (
    BAD_TOKEN,
    MISSING_TOKEN,
    TOO_FAST,
    AccountProblem,
    Refused,
    accepted,
    failed,
)
from mailcore_mailpace.emulator._events import event_body
from mailcore_mailpace.emulator._faults import AFTER_QUEUEING, BEFORE_QUEUEING, WITH_KEY, Fault, Faults
from mailcore_mailpace.emulator._inbound import read_mail
from mailcore_mailpace.emulator._mail import BouncedMail, SentMail
from mailcore_mailpace.emulator._outbox import Outbox
from mailcore_mailpace.emulator._replay import Replays
from mailcore_mailpace.emulator._request import SEND_PATH, ApiCall, path_of
from mailcore_mailpace.emulator._shown import shown
from mailcore_mailpace.emulator._signature import DEFAULT_SEED, public_key, sign
from mailcore_mailpace.emulator._validation import Rules, read_content, sender_domains

__all__ = ["MailPaceEmulator"]

DEFAULT_TOKEN = "mailpace-emulator-token"  # noqa: S105  # reason: opens nothing but an emulator
#: MailPace docs: 50 MB, later 30 MB. The smaller one, so that what passes here passes there.
MAX_SIZE = 30 * 1024 * 1024
SEED_LENGTH = 32


class MailPaceEmulator:
    """
    Behave as MailPace's documentation says, for one account with one token.

    `MailPaceEmulator()` is complete and always the same: ids count from 1, and the same calls bring
    the same answers and the same webhooks. Any thread may call any method.

    Args:
        token: The domain's API token.
        signing_seed: The 32 bytes of the Ed25519 key that signs webhooks. The default is a key
            printed in RFC 8032: never trust it anywhere else.
        domain: The verified domain, or several; the first is the one events are about.
        domain_id: As in the payload of every event.
        rate_limit: Most sends in a period of that length; None: unlimited.
        max_size: Bytes of bodies and decoded attachments in one mail.
        sign_inbound: False leaves inbound webhooks unsigned, as MailPace itself once did.

    Attributes:
        token: Assign to it to rotate the token; idempotency keys belong to the old one.
        account_problem: Assign one, and every send is answered 403 until it is None again.
        sign_inbound: As above; may be assigned.
        happenings: What a person lets happen → the word for `act`.
    """

    happenings: Mapping[str, str] = {
        "deliver": "delivered",
        "defer": "deferred",
        "bounce": "bounced",
        "spam": "spam",
        "unknown": "teleported",
    }

    def __init__(
        self,
        *,
        token: str | None = None,
        signing_seed: bytes | None = None,
        domain: str | Iterable[str] = "example.com",
        domain_id: int = 1,
        rate_limit: tuple[int, timedelta] | None = None,
        max_size: int = MAX_SIZE,
        sign_inbound: bool = True,
    ) -> None:
        self.token = DEFAULT_TOKEN if token is None else token
        self.account_problem: AccountProblem | None = None
        self.sign_inbound = sign_inbound
        self._seed = _checked_seed(DEFAULT_SEED if signing_seed is None else signing_seed)
        names = [domain] if isinstance(domain, str) else domain
        self._domains = {domain_of(name) for name in names}
        self._adopted: set[str] = set()
        self._domain_id = domain_id
        self._rate_limit = rate_limit
        self._max_size = max_size
        self._bases = {""}
        self._sent: dict[str, SentMail] = {}
        self._skipped = 0
        self._blocked: set[str] = set()
        self._recent: deque[datetime] = deque()
        self._received = 0
        self._replays = Replays()
        self._faults = Faults()
        self._outbox = Outbox(self._signature)
        self._lock = RLock()

    @property
    def webhook_public_key(self) -> str:
        """The domain's public key: 44 characters of base64. Needs PyNaCl."""
        return public_key(self._seed)

    @property
    def sent(self) -> list[SentMail]:
        """Every accepted mail, oldest first, as it is now."""
        with self._lock:
            return list(self._sent.values())

    @property
    def blocked(self) -> frozenset[str]:
        """The addresses that are refused, in lower case. MailPace docs: those that bounced hard."""
        with self._lock:
            return frozenset(self._blocked)

    @property
    def endpoint_disabled(self) -> bool:
        """Whether MailPace turned the event endpoint off."""
        return self._outbox.disabled

    @property
    def lost_events(self) -> list[bytes]:
        """Bodies of the event webhooks that a disabled endpoint will never get."""
        with self._lock:
            return list(self._outbox.lost)

    @property
    def bounced_inbound(self) -> list[BouncedMail]:
        """Inbound mail that was given up and returned to its sender."""
        with self._lock:
            return list(self._outbox.bounced)

    def settings(self, base_url: str) -> Mapping[str, str]:
        """
        Return the options `api_url`, `api_key` and `webhook_key` for this emulator at `base_url`.

        From then on its path is served too. Without PyNaCl, `webhook_key` is left out.
        """
        with self._lock:
            self._bases.add(path_of(base_url))
        options = {"api_url": base_url.rstrip("/") + SEND_PATH, "api_key": self.token}
        try:
            return options | {"webhook_key": self.webhook_public_key}
        except ModuleNotFoundError:
            return options

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """
        Deliver webhooks of that kind to `url`, in place of any URL before; an endpoint starts enabled.

        Userinfo in the URL becomes basic auth. What happened earlier is not delivered.

        Raises:
            ValueError: Not an http or https URL.
            ModuleNotFoundError: PyNaCl, which signs the webhooks, is not installed.
        """
        with self._lock:
            self._signature(kind, b"")  # here, and not later in the thread that delivers
            self._outbox.subscribe(kind, url)

    def enable(self) -> None:
        """Turn the event endpoint on again, as its owner would in MailPace's app."""
        with self._lock:
            self._outbox.disabled = False

    def inject(self, *faults: Fault) -> None:
        """Let each fault happen once, in order, to the next request it can happen to."""
        with self._lock:
            self._faults.add(*faults)

    def block(self, address: str) -> None:
        """Put an address on the block list, as an earlier hard bounce would have."""
        with self._lock:
            self._blocked.add(address.lower())

    def unblock(self, address: str) -> None:
        """Take an address off the block list, as MailPace's app can."""
        with self._lock:
            self._blocked.discard(address.lower())

    def adopt(self, request: HttpRequest) -> None:
        """Trust the token, the path and the sender's domain of an API request, as those of the account."""
        call = ApiCall.read(request)
        with self._lock:
            self._bases.add(call.path.removesuffix(SEND_PATH))
            self._adopted.add(call.token)
            with suppress(Refused):  # what cannot be read is refused when it is handled
                self._domains.update(sender_domains(call.payload()))

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """
        Answer one API request; whatever the request holds, there is an answer.

        Only `POST /api/v1/send` exists, at the root and below every base given to `settings`.
        """
        moment = _utc(now)
        call = ApiCall.read(request)
        with self._lock:
            try:
                return self._answer(call, moment)
            except Refused as refusal:
                return refusal.response

    def act(self, message_id: str, event: str, now: datetime) -> None:
        """
        Let an accepted mail become `queued`, `delivered`, `deferred`, `bounced`, `spam` or anything.

        `message_id` is the id of the answer to the send. One webhook per mail goes out, and a
        bounce puts the addresses of `to` on the block list.

        Raises:
            ValueError: No mail has that id.
        """
        with self._lock:
            before = self._find(message_id)
            word = event.removeprefix("email.")
            mail = attrs.evolve(before, status=word, updated_at=_utc(now))
            self._sent[message_id] = mail
            if word == "bounced":
                self._blocked.update(mailbox.address.lower() for mailbox in mail.to)
            self._outbox.add_event(event_body(mail, self._domain_id), mail.updated_at)

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
                self._replays.limit(len(self._sent))

    def receive(self, raw_mime: bytes, now: datetime) -> None:
        """Take a mail from the outside; every address of the domain is a catch-all."""
        moment = _utc(now)
        with self._lock:
            self._received += 1
            mail = read_mail(raw_mime, f"<inbound-{self._received}@mailer.mailpace.com>")
            self._outbox.add_inbound(mail.body, moment, sender=mail.sender, message_id=mail.message_id)

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
        call.check(self._bases)
        self._check_account(call.token, now)
        key = call.idempotency_key
        early = self._faults.take(BEFORE_QUEUEING)
        if early is None and key is not None:
            early = self._replays.find(call.token, key, now) or self._faults.take(WITH_KEY)
        return early or self._queue(call, key, now)

    def _check_account(self, token: str, now: datetime) -> None:
        if not token:
            raise failed(MISSING_TOKEN)
        if token != self.token and token not in self._adopted:
            raise failed(BAD_TOKEN)
        if self.account_problem is not None:
            raise failed((403, self.account_problem.value))
        if self._rate_limit is not None:
            self._count(*self._rate_limit, now)

    def _count(self, limit: int, period: timedelta, now: datetime) -> None:
        while self._recent and now - self._recent[0] >= period:
            self._recent.popleft()
        if len(self._recent) >= limit:
            raise failed(TOO_FAST)
        self._recent.append(now)

    def _queue(self, call: ApiCall, key: str | None, now: datetime) -> HttpResponse:
        rules = Rules(domains=self._domains, blocked=self._blocked, max_size=self._max_size)
        content = read_content(MappingProxyType(call.payload()), rules)
        number = self._skipped + len(self._sent) + 1
        mail = SentMail(
            **attrs.asdict(content, recurse=False),
            id=number,
            message_id=f"<msg-{number}@mailer.mailpace.com>",
            status="pending",
            created_at=now,
            updated_at=now,
            idempotency_key=key,
        )
        self._sent[str(number)] = mail
        response = accepted(number)
        if key is not None:
            self._replays.keep(call.token, key, response, now)
        self.act(str(number), "queued", now)
        return self._faults.take(AFTER_QUEUEING) or response

    def _find(self, message_id: str) -> SentMail:
        if message_id not in self._sent:
            ids = f"the known ids are {', '.join(self._sent)}" if self._sent else "none was accepted yet"
            raise ValueError(f"No mail has the id {message_id!r}; {ids}.")
        return self._sent[message_id]

    def _signature(self, kind: EndpointKind, body: bytes) -> str | None:
        if kind is EndpointKind.INBOUND and not self.sign_inbound:
            return None
        return sign(self._seed, body)


def _checked_seed(seed: bytes) -> bytes:
    if len(seed) != SEED_LENGTH:
        raise ValueError(f"signing_seed is {SEED_LENGTH} bytes, not {len(seed)}.")
    return seed


def _utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("now is an aware datetime.")
    return now.astimezone(UTC)
