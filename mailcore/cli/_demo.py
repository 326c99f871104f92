"""`mailcore demo`: the whole job in one second, without an account."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from mailcore._event import TrackingEvent
from mailcore.cli._document import event_document, inbound_document, json_option, result_document
from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._mail import print_mail
from mailcore.cli._program import program
from mailcore.cli._terminal import console, print_json, printable, table
from mailcore.cli._wire import body_lines, head_lines

if TYPE_CHECKING:
    from mailcore.cli._rehearsal import Rehearsal
    from mailcore.sandbox._provider import Delivered

__all__ = ["demo"]

MAX_HEADER = 70

EXAMPLES = """\b
For example:
  mailcore demo
  mailcore demo --json

\b
A message is sent, repeated under the same key, followed by its events, and answered by a mail;
one event is forged. All of it crosses real HTTP between this process and itself: the provider is
the emulator that comes with its adapter. Nothing leaves the machine.
"""

#: What to type next → what that does.
NEXT = {
    "sandbox": "open a page that shows what you send, and lets it bounce",
    "send --help": "send one message, with a real account or with --provider console",
    "providers": "what each installed provider can do",
    "doctor": "what is installed, and whether your configuration works",
}


@click.command(epilog=EXAMPLES)
@click.option("--provider", metavar="NAME", default="mailpace", show_default=True, help="Provider to try.")
@json_option
def demo(*, provider: str, as_json: bool) -> int:
    """See mail sent, followed and received; no account needed."""
    from mailcore.cli._rehearsal import rehearse  # here: the servers and requests are slow to import

    done = rehearse(provider)
    if as_json:
        print_json(_document(done))
    else:
        _tell(done)
    faults = list(done.faults())
    for fault in faults:
        complain(f"The demo did not go as it should: {fault}. Please report it.")
    return ExitCode.BUG if faults else ExitCode.DONE


def _document(done: Rehearsal) -> dict[str, Any]:
    inbound = done.inbound
    return {
        "provider": done.result.provider,
        "send": result_document(done.result),
        "repeat": {"message_id": done.repeated.message_id, "idempotency_key": done.repeated.idempotency_key},
        "events": [event_document(event) for _, event in done.deliveries if event],
        "inbound": inbound_document(inbound[1]) if inbound and inbound[1] else None,
        "statuses": {
            "send": [response.status for _, response in done.exchanges],
            "events": [delivered.status for delivered, _ in done.deliveries],
            "forged": done.forged.status,
            "inbound": inbound[0].status if inbound else None,
        },
        "seconds": round(done.seconds, 3),
    }


def _tell(done: Rehearsal) -> None:
    screen = console()
    screen.print(Text(f"mailcore and {done.title}, on this machine, over real HTTP", style="bold"))
    screen.print(
        Text(f"the provider {done.provider_url}   your application {done.endpoint_url}", style="dim")
    )
    _tell_sending(screen, done)
    _tell_events(screen, done)
    _tell_receiving(screen, done)
    screen.print()
    screen.print(Text(f"Done in {done.seconds:.2f} seconds.", style="bold green"))
    screen.print()
    screen.print("Next:", *_next(), sep="\n  ", soft_wrap=True)


def _next() -> list[str]:
    steps = {"README.md": "the same in fifteen lines of Python"}
    steps |= {f"{program()} {words}": text for words, text in NEXT.items()}
    width = max(map(len, steps))
    return [f"{words:<{width}}  {text}" for words, text in steps.items()]


def _tell_sending(screen: Console, done: Rehearsal) -> None:
    (request, response), (again, answer) = done.exchanges[0], done.exchanges[-1]
    queued = ", ".join(f"{address} {found.status.value}" for address, found in done.result.recipients.items())
    _step(screen, 1, "Send a message: the adapter maps it, the mailer sends it")
    _sent(screen, request)
    _answered(screen, response.status, response.body)
    _verdict(screen, f"accepted: message id {done.result.message_id}, {queued}")
    _step(screen, 2, "Send it again with the same idempotency key, as after an answer that got lost")
    _sent(screen, again, lines=0)
    _answered(screen, answer.status, answer.body)
    _verdict(screen, f"the same message id {done.repeated.message_id}: one mail, not two")


def _tell_events(screen: Console, done: Rehearsal) -> None:
    _step(screen, 3, "Follow it: the provider reports each event to your endpoint, signed")
    first = done.deliveries[0][0]
    _sent(screen, first.request, lines=8)
    _answered(screen, first.status)
    screen.print()
    lines = [_event_line(delivered, event) for delivered, event in done.deliveries]
    screen.print(table(["   Provider says", "Event", "Reason", "Message id", "Answer"], lines))
    screen.print()
    _verdict(screen, "verified and normalised; a kind nobody knows yet is kept as unknown, never lost")
    _step(screen, 4, "Forge an event: a genuine delivery, its body changed")
    _sent(screen, done.forged.request, lines=3)
    _answered(screen, done.forged.status)
    _verdict(screen, "refused before anything in it was believed")


def _event_line(delivered: Delivered, event: TrackingEvent | None) -> list[str]:
    if event is None:
        return ["   ?", "", "", "", str(delivered.status)]
    reason = event.reject_reason.value if event.reject_reason else ""
    known = [f"   {event.provider_event}", event.event_type.value, reason, event.message_id or ""]
    return [*known, str(delivered.status)]


def _tell_receiving(screen: Console, done: Rehearsal) -> None:
    _step(screen, 5, "Receive: somebody writes to you, and the provider passes the mail on, signed")
    if done.inbound is None:
        return
    delivered, mail = done.inbound
    _sent(screen, delivered.request, lines=8)
    _answered(screen, delivered.status)
    screen.print()
    if mail is not None:
        print_mail(mail, indent=3)


# Lines ------------------------------------------------------------------------------------------


def _step(screen: Console, number: int, text: str) -> None:
    screen.print()
    screen.print(Text.assemble((f"{number}  ", "bold cyan"), (text, "bold")), soft_wrap=True)


def _sent(screen: Console, request: Any, *, lines: int = 30) -> None:
    first, *headers = head_lines(request)
    screen.print(Text.assemble(("   → ", "cyan"), printable(first)), soft_wrap=True)
    _dim(screen, [header if len(header) <= MAX_HEADER else f"{header[:MAX_HEADER]}…" for header in headers])
    if lines:
        _dim(screen, body_lines(request.body, limit=lines))


def _answered(screen: Console, status: int | None, body: bytes = b"") -> None:
    fine = status is not None and status < HTTPStatus.MULTIPLE_CHOICES
    screen.print(Text.assemble(("   ← ", "cyan"), (f"{status or 'no answer'}", "green" if fine else "red")))
    _dim(screen, body_lines(body))


def _dim(screen: Console, lines: list[str]) -> None:
    for line in lines:
        screen.print(Text(f"     {printable(line)}", style="dim"), soft_wrap=True)


def _verdict(screen: Console, text: str) -> None:
    screen.print(Text.assemble(("   = ", "green"), printable(text)), soft_wrap=True)
