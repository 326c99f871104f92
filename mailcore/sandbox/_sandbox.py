"""The sandbox: every provider's emulator, one mailbox, and the webhooks of both.

Rule: it knows nothing of web pages or servers; those ask it, and so may a test.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from mailcore._closing import Closing
from mailcore._delivery import EndpointKind
from mailcore._http import HttpRequest, HttpResponse
from mailcore._inbound.message import InboundMessage
from mailcore._spec import AdapterSpec
from mailcore.exceptions import ConfigurationError, MailcoreError
from mailcore.sandbox._chaos import Chaos
from mailcore.sandbox._emulated import About, EmulatedProvider, exchange_of, words_of
from mailcore.sandbox._kept import Mail, Webhook
from mailcore.sandbox._mailbox import MOST, Mailbox
from mailcore.sandbox._refusals import Refusals
from mailcore.sandbox._webhook_post import WebhookPost

__all__ = ["COMPOUND", "Sandbox"]

#: What a person can do besides letting one thing happen: the same event twice, or two the wrong way round.
COMPOUND = ("duplicate", "out-of-order")
_logger = logging.getLogger("mailcore.sandbox")

#: From here on, a status says no.
REFUSED = 400

#: What mail that came by SMTP is listed under.
SMTP = "smtp"


class Sandbox(Closing):
    """
    Run providers on this machine; also a context manager.

    Args:
        specs: Adapters; those without an emulator are left out.
        url: Where it is served, without a slash at the end.
        file: Where mail is kept; None: in memory.
        webhook_url: Where webhooks go, `{provider}` and `{kind}` filled in; empty: nowhere.
        strict: Whether only the printed keys and senders at example.com are good.
        most: How many mails are kept.

    Attributes:
        chaos: How the providers misbehave; assign another one.
        refusals: The newest requests that were not accepted.

    Raises:
        MailcoreError: The file, or the webhook URL, cannot be used.
    """

    def __init__(
        self,
        specs: Iterable[AdapterSpec],
        url: str,
        *,
        file: Path | None = None,
        webhook_url: str = "",
        strict: bool = False,
        most: int = MOST,
    ) -> None:
        self.strict = strict
        self.chaos = Chaos()
        self.refusals = Refusals()
        with ExitStack() as stack:
            self.mailbox = stack.enter_context(Mailbox(file, most=most))
            self.post = stack.enter_context(WebhookPost(self.mailbox, ""))
            self.providers: Mapping[str, EmulatedProvider] = {
                spec.name: EmulatedProvider(spec, f"{url}/providers/{spec.name}", self.mailbox, strict=strict)
                for spec in specs
                if spec.emulator
            }
            if webhook_url:
                self.send_webhooks_to(webhook_url)
            stack.pop_all()  # from here on, `close` closes them
        self._to_make: queue.SimpleQueue[tuple[EmulatedProvider, list[About]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._make_all, daemon=True)
        self._thread.start()

    def send_webhooks_to(self, url: str) -> None:
        """
        Make webhooks to that URL from now on; `{provider}` and `{kind}` in it are filled in.

        Raises:
            ConfigurationError: It is no URL of an endpoint.
            MissingDependency: What signs the webhooks of a provider is not installed.
        """
        before, self.post.endpoint = self.post.endpoint, url
        try:
            for provider in self.providers.values():
                for kind in EndpointKind:
                    target = self.post.url(provider.spec.name, kind.value)
                    _check(target)
                    provider.subscribe(kind, target)
        except MailcoreError:
            self.post.endpoint = before
            raise

    # Mail ---------------------------------------------------------------------------------------

    def answer(self, provider: EmulatedProvider, request: HttpRequest) -> HttpResponse | None:
        """Answer a request to a provider's API; None: the connection is to be closed without an answer."""
        said: list[HttpResponse] = []

        def taken() -> HttpResponse:
            response, webhooks = provider.answer(request)
            said.append(response)
            if webhooks:
                self._to_make.put((provider, webhooks))
            return response

        answer = self.chaos.answer(taken)
        chaos = not said or answer is not said[0]
        if chaos or said[0].status >= REFUSED:
            mail = bool(said) and said[0].status < REFUSED
            exchange = exchange_of(provider.spec.name, request, answer, datetime.now(UTC))
            self.refusals.add(exchange, chaos=chaos, taken=mail)
            self.mailbox.changed()
        return answer

    def take(self, sender: str, recipients: Sequence[str], source: bytes) -> Mail:
        """Take a mail that came by SMTP."""
        return self._keep(SMTP, sender, recipients, source, incoming=False)

    def receive(self, provider: EmulatedProvider, source: bytes) -> tuple[Mail, list[Webhook]]:
        """Let a provider receive a mail from the outside, and return the webhooks made for it."""
        read = InboundMessage(raw=source)
        sender = next((address.addr_spec for address in read.from_), "")
        recipients = [address.addr_spec for address in (*read.to, *read.cc)]
        mail = self._keep(provider.spec.name, sender, recipients, source, incoming=True)
        deliveries = provider.receive(source)
        made = [
            self.post.make(provider.spec.name, delivery, mail=mail.id, happening="received")
            for delivery in deliveries
        ]
        return mail, made

    def _keep(
        self, provider: str, sender: str, recipients: Sequence[str], source: bytes, *, incoming: bool
    ) -> Mail:
        read = InboundMessage(raw=source)
        mail = Mail(
            at=datetime.now(UTC),
            provider=provider,
            incoming=incoming,
            message_id=read.message_id or "",
            sender=sender,
            recipients=recipients,
            subject=read.subject or "",
            files=len(read.attachments) + len(read.inlines),
        )
        return self.mailbox.add([(mail, source, words_of(mail, read.text or read.html or ""))])[0]

    def clear(self) -> None:
        """Forget every mail, and who bounced or complained."""
        self.refusals.clear()
        self.mailbox.clear()
        for provider in self.providers.values():
            provider.restart()

    # Events -------------------------------------------------------------------------------------

    def happenings(self, mail: Mail) -> tuple[str, ...]:
        """Return what a person can let happen to a mail."""
        provider = self.providers.get(mail.provider)
        if provider is None or mail.incoming or not provider.happenings:
            return ()
        return (*provider.happenings, *COMPOUND)

    def happen(self, mail: Mail, happening: str) -> list[Webhook]:
        """
        Let something happen to a mail, and return the webhooks made for it.

        Raises:
            MailcoreError: It cannot happen to this mail, or there is nowhere to tell.
        """
        if happening not in self.happenings(mail):
            raise MailcoreError(f"{happening!r} cannot happen to mail {mail.id}.")
        if not self.post.endpoint:
            raise MailcoreError(
                "No webhook URL is set. Set it in the page's settings, or with --webhook-url."
            )
        provider = self.providers[mail.provider]
        steps = {"duplicate": ["deliver"], "out-of-order": ["defer", "deliver"]}.get(happening, [happening])
        webhooks = provider.happen(mail, steps)
        if happening == "duplicate":
            webhooks = [*webhooks, *webhooks]
        if happening == "out-of-order":
            webhooks = webhooks[::-1]
        return [self._make(provider, about, happening) for about in webhooks]

    def replay(self, webhook: Webhook) -> Webhook:
        """Make a webhook again, byte for byte."""
        return self.post.repeat(webhook)

    def _make(self, provider: EmulatedProvider, about: About, happening: str) -> Webhook:
        delivery, mail = about
        return self.post.make(provider.spec.name, delivery, mail=mail, happening=happening)

    def _make_all(self) -> None:
        """Make what came of requests, and what was to be made later, until the sandbox is closed."""
        while True:
            try:
                found = self._to_make.get(timeout=1.0)
            except queue.Empty:
                for provider in self.providers.values():
                    self._make_each(provider, provider.due(), "later")
                continue
            if found is None:
                return
            self._make_each(*found, "sent")

    def _make_each(self, provider: EmulatedProvider, webhooks: Sequence[About], happening: str) -> None:
        for about in webhooks:
            try:
                self._make(provider, about, happening)
            except MailcoreError as error:  # the mailbox is full; the next one may find room
                _logger.warning("A webhook of %s is not kept: %s", provider.spec.name, error)

    def close(self) -> None:
        """Stop making webhooks, and close the mailbox."""
        self._to_make.put(None)
        self._thread.join(15)
        self.post.close()
        self.mailbox.close()


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError("The webhook URL is of the form http://host:port/path, in ASCII.")
