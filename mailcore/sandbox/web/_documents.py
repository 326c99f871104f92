"""What the sandbox says as JSON."""

from __future__ import annotations

from typing import Any

import attrs

from mailcore._inbound.attachment import InboundAttachment
from mailcore._inbound.message import InboundMessage
from mailcore.sandbox._chaos import Chaos
from mailcore.sandbox._kept import Exchange, Mail, Webhook
from mailcore.sandbox._refusals import Refusal
from mailcore.sandbox._sandbox import Sandbox

__all__ = [
    "chaos_document",
    "line",
    "mail_document",
    "refusal_document",
    "settings_document",
    "webhook_document",
]

_LINE = tuple(field.name for field in attrs.fields(Mail))
_SHARES = ("throttled", "failed", "failed_after", "dropped", "garbled")


def line(mail: Mail) -> dict[str, Any]:
    """Return a mail as the list has it."""
    values = {name: getattr(mail, name) for name in _LINE}
    return {**values, "at": mail.at.isoformat()}


def mail_document(sandbox: Sandbox, mail: Mail) -> dict[str, Any]:
    """Return a mail as a test wants it: read, with its exchange and its webhooks."""
    read = InboundMessage(raw=sandbox.mailbox.source(mail.id))
    exchange = sandbox.mailbox.exchange(mail.id)
    return {
        **line(mail),
        "text": read.text,
        "html": read.html,
        "headers": [list(pair) for pair in read.headers.pairs],
        "attachments": [_file(file) for file in (*read.attachments, *read.inlines)],
        "exchange": _exchange(exchange) if exchange else None,
        "webhooks": [webhook_document(one) for one in sandbox.mailbox.webhooks(mail.id)],
        "happenings": list(sandbox.happenings(mail)),
    }


def refusal_document(refusal: Refusal) -> dict[str, Any]:
    """Return a request that was not accepted, and why."""
    exchange = refusal.exchange
    return {
        "id": refusal.id,
        "provider": exchange.provider,
        "at": exchange.at.isoformat(),
        "chaos": refusal.chaos,
        "taken": refusal.taken,
        **_exchange(exchange),
    }


def _file(file: InboundAttachment) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "content_id": file.content_id,
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    answer = {
        "status": exchange.status,
        "headers": [list(pair) for pair in exchange.answer_headers],
        "body": exchange.answer_body.decode(errors="replace"),
    }
    return {
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "headers": [list(pair) for pair in exchange.headers],
            "body": exchange.body.decode(errors="replace"),
        },
        "response": answer if exchange.status else None,
    }


def webhook_document(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook, and how it was answered."""
    answered = {
        "status": webhook.status,
        "headers": [list(pair) for pair in webhook.answer_headers],
        "body": webhook.answer_body.decode(errors="replace"),
    }
    return {
        "id": webhook.id,
        "mail": webhook.mail,
        "provider": webhook.provider,
        "kind": webhook.kind,
        "happening": webhook.happening,
        "at": webhook.at.isoformat(),
        "url": webhook.url,
        "headers": [list(pair) for pair in webhook.headers],
        "body": webhook.body.decode(errors="replace"),
        "seconds": round(webhook.seconds, 4),
        "error": webhook.error,
        "response": None if webhook.status is None else answered,
    }


def settings_document(sandbox: Sandbox) -> dict[str, Any]:
    """Return what can be changed while the sandbox runs."""
    return {"webhook_url": sandbox.post.endpoint, "chaos": chaos_document(sandbox.chaos)}


def chaos_document(chaos: Chaos) -> dict[str, float]:
    """Return seconds of latency, and percentages."""
    return {
        "latency": chaos.latency,
        **{name: round(getattr(chaos, name) * 100, 6) for name in _SHARES},
    }
