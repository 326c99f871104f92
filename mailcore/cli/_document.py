"""Values as `--json` shows them.

Rule 1: what a program acts on is there under the library's own names; what only a wire knows is left out.
Rule 2: the document of an error is the same for every command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import click

from mailcore._address import Address
from mailcore._codec import to_json
from mailcore._event import TrackingEvent
from mailcore._inbound.attachment import InboundAttachment
from mailcore._inbound.message import InboundMessage
from mailcore._plugins import PluginHost
from mailcore._result import SendResult
from mailcore.exceptions import Outcome, SendError

__all__ = [
    "error_document",
    "event_document",
    "inbound_document",
    "json_option",
    "problem_documents",
    "result_document",
]

#: The option of every command that programs may read.
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, of an error too."
)


def result_document(result: SendResult) -> dict[str, Any]:
    """Return a send that was accepted; the answer as received is left out."""
    return {"outcome": Outcome.ACCEPTED.value, **_plain(attrs.evolve(result, raw=None))}


def error_document(error: BaseException, *, message: str, exit_code: int) -> dict[str, Any]:
    """Return what ended a command; of a send that was tried, with all that is known of it."""
    # Click has a class for each way to be wrong, and they are no promise of ours.
    name = "UsageError" if isinstance(error, click.ClickException) else type(error).__name__
    document: dict[str, Any] = {"error": name, "message": message, "exit_code": exit_code}
    if isinstance(error, SendError):
        names = ("provider", "code", "fields", "retriable", "retry_after", "idempotency_key")
        document |= {"outcome": error.outcome.value, "scope": error.scope.value}
        document |= {name: getattr(error, name) for name in names}
        document["attempts"] = [json.loads(to_json(attempt)) for attempt in error.attempts]
    return document


def event_document(event: TrackingEvent) -> dict[str, Any]:
    """Return an event; the provider's element, which the capture holds, is left out."""
    return _plain(attrs.evolve(event, raw=None))


def inbound_document(mail: InboundMessage) -> dict[str, Any]:
    """Return the main fields of a received mail; files are described, not included."""
    lists = ("from_", "to", "cc", "bcc", "reply_to")
    singles = (
        "subject",
        "message_id",
        "in_reply_to",
        "text",
        "html",
        "envelope_sender",
        "event_id",
        "provider",
    )
    return {
        **{name: [_address(address) for address in getattr(mail, name)] for name in lists},
        **{name: getattr(mail, name) for name in singles},
        "date": mail.date and mail.date.isoformat(),
        "timestamp": mail.timestamp and mail.timestamp.isoformat(),
        "references": list(mail.references),
        "envelope_recipients": list(mail.envelope_recipients),
        "is_auto_generated": mail.is_auto_generated,
        "attachments": [_file(file) for file in mail.attachments],
        "inlines": [_file(file) for file in mail.inlines],
        # Last: each accessor above may have added to them.
        "defects": [
            {"code": found.code.value, "where": found.where, "text": found.text} for found in mail.defects
        ],
    }


def problem_documents(host: PluginHost, *, details: bool = False) -> list[Mapping[str, str]]:
    """Return what did not load."""
    names = ("name", "distribution", "text", *(("details",) if details else ()))
    return [{name: getattr(problem, name) for name in names} for problem in host.problems]


def _plain(value: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_json(value))
    del document["raw"]
    return document


def _address(address: Address) -> dict[str, str]:
    return {"addr_spec": address.addr_spec, "display_name": address.display_name}


def _file(file: InboundAttachment) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "inline": file.inline,
        "content_id": file.content_id,
    }
