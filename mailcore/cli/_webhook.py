"""`mailcore webhook`: deliveries that were captured.

Rule: a delivery that is not verified is never parsed, not even here; it is only asked why it fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from mailcore import _config
from mailcore._delivery import Covers, Disposition, VerifiedWebhook, WebhookRequest, WebhookResponse
from mailcore._event import TrackingEvent
from mailcore._inbound.message import InboundMessage
from mailcore._quarantine import Quarantined
from mailcore._receiver import WebhookReceiver
from mailcore._strict_json import strict_json
from mailcore.cli._diagnosis import hints
from mailcore.cli._document import event_document, inbound_document, json_option
from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._mail import print_mail
from mailcore.cli._option import Option, common_options, own_options
from mailcore.cli._selection import Selection, selection_options
from mailcore.cli._source import read_bytes, read_text
from mailcore.cli._terminal import console, print_json, quiet, rows
from mailcore.cli._wire import CREDENTIALS
from mailcore.exceptions import ConfigurationError, InvalidDocument, MissingOption, WebhookRejected

__all__ = ["webhook"]

EXAMPLES = """\b
For example:
  mailcore webhook check body.json --provider mailpace --webhook-key "$PUBLIC_KEY" \\
      --header 'X-MailPace-Signature: ...'
  mailcore webhook check body.json --config mailcore.toml --headers headers.txt --kind tracking
  cat body.json | mailcore webhook check - --provider mailpace --headers headers.txt --json

\b
The body must be the bytes exactly as they came: a signature does not survive a JSON parser.
A headers file holds 'Name: value' lines, or a JSON object. It is also the place for an
Authorization header, as other people can read the arguments of your commands.
Exit code 2: the delivery is refused, or genuine but not understood.
"""

#: A capture is old by nature; whether it would still be acted on is not the question here.
ANY_AGE = 10_000 * 365 * 24 * 3600.0
_FINE = frozenset({Disposition.ACCEPTED, Disposition.HANDSHAKE})


@click.group(epilog=EXAMPLES)
def webhook() -> None:
    """Work with webhook deliveries that were captured."""


@webhook.command(epilog=EXAMPLES)
@click.argument("body", metavar="FILE")
@selection_options
@click.option(
    "--kind", type=click.Choice(["tracking", "inbound"]), help="What the endpoint is for; else by shape."
)
@click.option("--header", "given", metavar="'NAME: VALUE'", multiple=True, help="Header of the delivery.")
@click.option("--headers", "file", metavar="FILE", help="File with the headers of the delivery.")
@click.option(
    "--webhook-key", metavar="KEY", help="Public key that signs webhooks, where the provider has one."
)
@json_option
def check(
    *, body: str, provider: str | None, config: str | None, mailer: str | None, url: str | None,
    kind: str | None, given: Sequence[str], file: str | None, webhook_key: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Verify a captured delivery and show what it means."""
    if body == file == "-":
        raise click.UsageError("Only one of the body and --headers can be read from standard input.")
    headers = [*_arguments(given), *_from_file(file)]
    request = WebhookRequest(method="POST", headers=headers, body=read_bytes(body))
    selection = Selection(provider=provider, config=config, mailer=mailer, url=url)
    with quiet("mailcore.webhooks"):  # what a receiver logs is said here in its own words
        checked = _Check(_configuration(selection, webhook_key), request, kind)
    if as_json:
        print_json(checked.document())
    else:
        checked.print()
    for line in filter(None, [checked.reason, *checked.hints]):
        complain(line)
    return ExitCode.DONE if checked.disposition in _FINE else ExitCode.INPUT


def _configuration(selection: Selection, webhook_key: str | None) -> _config.Configuration:
    found = selection.configuration(max_age=ANY_AGE)
    options = own_options(found.spec)
    keys = [option for option in options if option.needed_to == "receive"]
    unsigned = found.adapter().webhook_covers is Covers.NOTHING and not keys
    if unsigned and not found.settings.webhook_secret:
        raise MissingOption(_unsigned(found.spec.name))
    if webhook_key is None:
        return found
    _check_key(found.spec.name, options, keys)
    return selection.configuration(webhook_key=webhook_key, max_age=ANY_AGE)


def _unsigned(provider: str) -> str:
    (secret,) = [option for option in common_options(provider) if option.name == "webhook_secret"]
    return (
        f"{provider} signs no webhooks, so only basic auth can tell whose a delivery is. Set "
        f"{' or '.join(secret.variables)} to 'user:password', or give webhook_secret in --config."
    )


def _check_key(provider: str, options: Sequence[Option], keys: Sequence[Option]) -> None:
    """Refuse --webhook-key where the provider has none by that name, or one that others must not read."""
    option = next((option for option in options if option.name == "webhook_key"), None)
    if option is None:
        names = " and ".join(key.variables[-1] for key in keys)
        instead = f"Set {names} instead." if names else "`mailcore providers --json` lists those it has."
        raise ConfigurationError(f"--webhook-key is no option of {provider}. {instead}")
    if option.secret:
        raise ConfigurationError(
            f"The webhook_key of {provider} is a secret, which others could read among the arguments. "
            f"Set {option.variables[0]} instead, or use --config."
        )


def _arguments(given: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [_pair(line) for line in given]
    for name, _ in pairs:
        if name.lower() in CREDENTIALS:
            raise click.UsageError(
                f"--header {name} would show a credential to others. Put it into a --headers file."
            )
    return pairs


def _from_file(name: str | None) -> list[tuple[str, str]]:
    text = read_text(None if name is None else name if name == "-" else f"@{name}") or ""
    if text.lstrip().startswith("{"):
        return _from_json(text)
    # A capture may begin with its request line.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("POST ", "HTTP/"))]
    return [_pair(line) for line in lines]


def _from_json(text: str) -> list[tuple[str, str]]:
    try:
        document: dict[str, Any] = strict_json(text)
    except InvalidDocument:
        raise click.UsageError("--headers begins like JSON, but is not.") from None
    return [
        (name, str(item))
        for name, value in document.items()
        for item in (value if isinstance(value, list) else [value])
    ]


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        # The line itself is not shown: it may be a credential.
        raise click.UsageError("A header is of the form 'Name: value'; one has no colon.")
    return name.strip(), value.strip()


class _Check:
    """One delivery on its way through a receiver, and what is found."""

    def __init__(
        self, configuration: _config.Configuration, request: WebhookRequest, kind: str | None
    ) -> None:
        self.events: list[TrackingEvent] = []
        self.mails: list[InboundMessage] = []
        self.kept: list[Quarantined] = []
        self.verified: VerifiedWebhook | None = None
        self.disposition = Disposition.UNAUTHENTICATED
        self.reason = ""
        self.hints: list[str] = []
        self._receiver = WebhookReceiver(
            configuration,
            on_event=self.events.append,
            on_inbound=self.mails.append,
            on_quarantine=self.kept.append,
        )
        self._request = request
        self._run(kind)

    def _run(self, kind: str | None) -> None:
        try:
            found = self._receiver.verify(self._request)
        except WebhookRejected as error:
            self.reason = str(error)
            self.hints = list(hints(self._receiver, self._request))
            return
        if isinstance(found, WebhookResponse):
            self.disposition = Disposition.HANDSHAKE
            self.reason = f"A step of the provider's own protocol; the answer is HTTP {found.status}."
            return
        self.verified = found
        self.disposition = self._receiver.dispatch(found, kind=kind)
        self.reason = self.kept[0].reason if self.kept else ""

    def document(self) -> dict[str, Any]:
        proof = self.verified.verification if self.verified else None
        return {
            "verified": proof is not None,
            "scheme": proof.scheme if proof else None,
            "key": proof.key if proof else None,
            "disposition": self.disposition.value,
            "reason": self.reason,
            "hints": self.hints,
            "events": [event_document(event) for event in self.events],
            "inbound": [inbound_document(mail) for mail in self.mails],
        }

    def print(self) -> None:
        screen = console()
        screen.print(self._verdict())
        for event in self.events:
            screen.print()
            screen.print(rows(_event_rows(event)))
        for mail in self.mails:
            screen.print()
            print_mail(mail)

    def _verdict(self) -> Text:
        if self.disposition is Disposition.HANDSHAKE:
            return Text("A handshake.", style="bold green")
        if self.verified is None:
            return Text("Refused: it is not shown to come from the provider.", style="bold red")
        proof = self.verified.verification
        understood = self.disposition is Disposition.ACCEPTED
        parts = [proof.scheme, proof.key, "" if understood else f"but {self.disposition.value}"]
        text = f"Verified: {', '.join(filter(None, parts))}."
        return Text(text, style="bold green" if understood else "bold yellow")


def _event_rows(event: TrackingEvent) -> dict[str, str | None]:
    return {
        "event": f"{event.event_type.value} (provider: {event.provider_event})",
        "when": event.timestamp.isoformat() if event.timestamp else None,
        "message id": event.message_id,
        "recipients": ", ".join(event.recipients),
        "reason": event.reject_reason and event.reject_reason.value,
        "bounce": event.bounce_class and event.bounce_class.value,
        "description": event.description,
        "server said": event.mta_response,
        "tags": ", ".join(event.tags),
        "event id": event.event_id,
    }
