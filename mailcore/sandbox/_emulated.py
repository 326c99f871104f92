"""One provider of a sandbox: its emulator, which answers, and the mailbox, which keeps what it took.

Rule: one lock holds a request, the mail that came of it and its webhooks together. No webhook is made under
it: an endpoint may ask the provider something before it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock

from mailcore._delivery import EndpointKind
from mailcore._emulator import EmulatedDelivery, EmulatedMail, EmulatedMailbox, Emulator
from mailcore._http import Body, HttpRequest, HttpResponse
from mailcore._inbound.message import InboundMessage
from mailcore._spec import AdapterSpec, load_object
from mailcore.exceptions import ConfigurationError, MailcoreError, MissingDependency
from mailcore.sandbox._kept import Exchange, Mail
from mailcore.sandbox._mailbox import Mailbox
from mailcore.sandbox._masking import masked
from mailcore.sandbox._source import source_of

__all__ = ["EmulatedProvider", "exchange_of", "words_of"]

#: As much of a body can be searched.
MAX_WORDS = 4 * 1024

#: A delivery, and the mail that it is about.
About = tuple[EmulatedDelivery, int | None]


class EmulatedProvider:
    """
    Serve an adapter's emulator below a URL.

    Args:
        strict: Whether only the emulator's own key and senders are good; else whoever asks is adopted.

    Attributes:
        settings: Options that select it, for the adapter.
        happenings: What a person can let happen to its mail.
    """

    def __init__(self, spec: AdapterSpec, url: str, mailbox: Mailbox, *, strict: bool = False) -> None:
        self.spec = spec
        self.url = url
        self._mailbox = mailbox
        self._gone = mailbox.gone(spec.name)
        self._strict = strict
        self._lock = Lock()
        self._endpoints: dict[EndpointKind, str] = {}
        self._start()
        for exchange in mailbox.exchanges(spec.name):
            self._repeat(exchange)
        self._skip_to(mailbox.taken(spec.name))

    def _start(self) -> None:
        self.emulator: Emulator = load_object(self.spec.emulator)()
        self.settings = self.emulator.settings(self.url)
        self._looks = self.emulator if isinstance(self.emulator, EmulatedMailbox) else None
        self._shown = self._skipped = 0

    @property
    def happenings(self) -> Sequence[str]:
        """What a person can let happen; empty where nothing can."""
        return tuple(self._looks.happenings) if self._looks else ()

    def restart(self) -> None:
        """Forget all mail, and who bounced; ids go on, and endpoints stay."""
        with self._lock:
            taken = self._skipped + self._shown
            self._start()
            self._skip_to(taken)
        for kind, url in self._endpoints.items():
            self.subscribe(kind, url)

    def subscribe(self, kind: EndpointKind, url: str) -> None:
        """
        Make webhooks of that kind to `url`.

        Raises:
            MissingDependency: What signs them is not installed.
            ConfigurationError: It is no URL of an endpoint.
        """
        try:
            self.emulator.subscribe(kind, url)
        except ModuleNotFoundError as error:
            raise MissingDependency(f"{error}") from None
        except ValueError as error:
            raise ConfigurationError(f"The webhook URL cannot be used: {error}") from None
        self._endpoints[kind] = url

    # Requests -----------------------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> tuple[HttpResponse, list[About]]:
        """
        Answer an API request; also return the webhooks to be made for it.

        Raises:
            MailcoreError: What was taken cannot be kept.
        """
        with self._lock:
            self._forget()
            now = datetime.now(UTC)
            if not self._strict:
                self.emulator.adopt(request)
            response = self.emulator.handle(request, now)
            mails = self._looks.taken(self._shown) if self._looks else ()
            kept = self._keep(mails, request, response, now) if mails else []
            self._shown += len(mails)  # only now: what could not be kept is shown again
            return response, self._due(kept)

    def _forget(self) -> None:
        """Have the emulator let go of what the mailbox has no room for, or it would grow for ever."""
        while self._looks and self._gone:
            self._looks.forget(self._gone.popleft())
            self._shown, self._skipped = self._shown - 1, self._skipped + 1

    def _keep(
        self, mails: Sequence[EmulatedMail], request: HttpRequest, response: HttpResponse, now: datetime
    ) -> list[Mail]:
        exchange = exchange_of(self.spec.name, request, response, now, first=self._skipped + self._shown)
        return self._mailbox.add([self._entry(mail, now) for mail in mails], exchange)

    def _entry(self, mail: EmulatedMail, now: datetime) -> tuple[Mail, bytes, str]:
        source = source_of(mail, now)
        if mail.source is None:
            subject, files = _header(mail, "subject"), len(mail.files)
            body = mail.text or mail.html
        else:
            read = InboundMessage(raw=source)
            subject, files = read.subject or "", len(read.attachments) + len(read.inlines)
            body = read.text or read.html or ""
        found = Mail(
            at=now,
            provider=self.spec.name,
            message_id=mail.message_id,
            sender=mail.sender,
            recipients=mail.recipients,
            subject=subject,
            tags=mail.tags,
            files=files,
        )
        return found, source, words_of(found, body)

    def _repeat(self, exchange: Exchange) -> None:
        """Take mail again that was taken before a restart, under the same ids."""
        request = HttpRequest(
            method=exchange.method, url=exchange.url, headers=exchange.headers, body=exchange.body
        )
        self._skip_to(exchange.first)
        self.emulator.adopt(request)
        self.emulator.handle(request, exchange.at)
        self._shown += len(self._looks.taken(self._shown)) if self._looks else 0

    def _skip_to(self, count: int) -> None:
        missing = count - self._skipped - self._shown
        if self._looks and missing > 0:
            self._looks.skip(missing)
            self._skipped += missing

    # Webhooks -----------------------------------------------------------------------------------

    def happen(self, mail: Mail, happenings: Sequence[str]) -> list[About]:
        """
        Let things happen to a mail, one after the other, and return the webhooks to be made for them.

        Raises:
            MailcoreError: They cannot happen to this mail.
        """
        words = self._looks.happenings if self._looks else {}
        with self._lock:
            for happening in happenings:
                if happening not in words:
                    raise MailcoreError(f"{self.spec.name} knows no event for {happening!r}.")
                try:
                    self.emulator.act(mail.message_id, words[happening], datetime.now(UTC))
                except ValueError:
                    raise MailcoreError(
                        f"The emulator of {self.spec.name} does not know mail {mail.id} any longer. "
                        "Send it again."
                    ) from None
            return self._due([mail])

    def receive(self, raw: bytes) -> list[EmulatedDelivery]:
        """Take a mail from the outside, and return the webhooks to be made for it."""
        with self._lock:
            self.emulator.receive(raw, datetime.now(UTC))
            return [delivery for delivery, _ in self._due([])]

    def due(self) -> list[About]:
        """Return the webhooks whose time has come."""
        with self._lock:
            self._forget()
            return self._due([])

    def _due(self, about: Sequence[Mail]) -> list[About]:
        now = datetime.now(UTC)
        found = []
        for delivery in self.emulator.due(now):
            # A person decides here what is repeated: no emulator repeats it, or turns an endpoint off.
            with suppress(ValueError):
                self.emulator.answered(delivery.delivery_id, 200, now)
            found.append((delivery, _named(_bytes(delivery.request.body), about)))
        return found


def _named(body: bytes, mails: Sequence[Mail]) -> int | None:
    """Return which of some mails a webhook is about: the one that it names."""
    for mail in mails:
        if mail.message_id.strip("<>").encode() in body:
            return mail.id
    return mails[0].id if mails else None


def exchange_of(
    provider: str, request: HttpRequest, answer: HttpResponse | None, at: datetime, *, first: int = 0
) -> Exchange:
    """Return what is kept of a request and its answer; status 0 where there was none."""
    return Exchange(
        provider=provider,
        at=at,
        first=first,
        method=request.method,
        url=request.url,
        headers=masked(request.headers),
        body=_bytes(request.body),
        status=answer.status if answer else 0,
        answer_headers=masked(answer.headers.pairs) if answer else (),
        answer_body=answer.body if answer else b"",
    )


def words_of(mail: Mail, body: str) -> str:
    """Return the text that a mail is found by."""
    parts = (mail.subject, mail.sender, *mail.recipients, *mail.tags, mail.message_id, mail.provider)
    return "\n".join((*parts, body[:MAX_WORDS]))


def _header(mail: EmulatedMail, name: str) -> str:
    return next((value for key, value in mail.headers if key.lower() == name), "")


def _bytes(body: bytes | Body) -> bytes:
    return body if isinstance(body, bytes) else b"".join(body)
