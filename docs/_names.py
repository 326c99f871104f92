"""The reference of every public name and hook, from its docstring."""

from __future__ import annotations

import enum
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from _markdown import block, call, comment, docstring, first_paragraph, meanings

import mailcore
from mailcore import hookspecs

__all__ = ["hooks", "names"]

#: What has no group here is for adapters.
_GROUPS = {
    "Sending": "Mailer Mailers Message Address Attachment FileContent SendResult RecipientResult SendStatus "
    "SendOutcome Attempt Advice Outcome Scope UNSET",
    "Receiving": "WebhookReceiver WebhookRequest FormPart WebhookResponse EndpointKind Disposition "
    "TrackingEvent EventType RejectReason BounceClass InboundMessage InboundAttachment UntrustedHTML Defect "
    "DefectCode Quarantined ReplayStore MemoryReplayStore Claim VerifiedWebhook Verification Covers",
    "Configuration and JSON": "Settings BasicAuth Secret from_json to_json",
    "Plugins": "PluginHost Plugin PluginProblem hookimpl",
}
_ELSEWHERE = {
    "mailcore.frameworks.django": "EmailBackend OutboxBackend message_from_django get_mailer enqueue Outbox "
    "DjangoReplayStore",
    "mailcore.observers.logs": "install Logs",
    "mailcore.observers.otel": "install Telemetry",
    "mailcore.queues": "Job ReviewList Unsettled AttachmentStore Journal",
    "mailcore.queues.celery": "MailQueue Enqueued",
    "mailcore.sandbox": "LocalProvider Delivered Chaos",
    "mailcore.sandbox.web": "SandboxServer",
    "mailcore.stores.folder": "QuarantineFolder ReviewFolder AttachmentFolder",
    "mailcore.stores.redis": "RedisReplayStore RedisJournal",
    "mailcore.testing": "captured Outbox Sent deliveries Deliveries retries no_pauses "
    "RecordingTransport outbox",
    "mailcore.transports.local": "LocalTransport",
    "mailcore.transports.requests": "RequestsTransport",
}
_PAGES = {"Capability": "capabilities.md", "EventType": "events.md", "Disposition": "http-statuses.md"}


def names() -> str:
    """Write every public name but the errors."""
    groups = {title: listed.split() for title, listed in _GROUPS.items()}
    taken = {name for listed in groups.values() for name in listed}
    groups["Adapters"] = [name for name in mailcore.__all__ if name not in taken and not _is_error(name)]
    written = []
    for title, listed in groups.items():
        written += [f"## {title}", *(_entry(name, mailcore) for name in listed)]
    written.append("## In modules of their own")
    for module, listed in _ELSEWHERE.items():
        written += [_entry(name, import_module(module), f"In `{module}`.") for name in listed.split()]
    return "\n\n".join(written)


def _is_error(name: str) -> bool:
    found = getattr(mailcore, name)
    return isinstance(found, type) and issubclass(found, mailcore.MailcoreError)


def _entry(name: str, module: Any, place: str = "") -> str:
    found = getattr(module, name)
    lines = [f"### `{name}`", place]
    said = comment(name, import_module(f"mailcore.{mailcore._HOME[name]}")) if module is mailcore else ""  # noqa: SLF001  # reason: the comment is in its own module
    if said:
        lines.append(said)
    elif isinstance(found, type) and issubclass(found, enum.Enum):
        lines += _enumeration(found)
    elif isinstance(found, type):
        lines += _class(found)
    else:
        lines += [block(call(found)), docstring(found)]
    return "\n\n".join(line for line in lines if line)


def _enumeration(found: type[enum.Enum]) -> Iterator[str]:
    yield docstring(found)
    page = _PAGES.get(found.__name__)
    if page:
        yield f"[Its members]({page})."
        return
    said = meanings(found)
    yield "\n".join(f"- `{member.name}`, `{member.value!r}`: {said[member.name]}" for member in found)


def _class(found: type[Any]) -> Iterator[str]:
    if not getattr(found, "_is_protocol", False):
        yield block(textwrap.fill(call(found), 100, subsequent_indent="    "))
    yield docstring(found)
    members = (_member(name, item) for name, item in vars(found).items() if not name.startswith("_"))
    written = [member for member in members if member]
    if written:
        yield "Members:"
        yield "\n".join(written)


def _member(name: str, item: Any) -> str:
    function = getattr(item, "__func__", item)  # of a class method
    said = first_paragraph(function)
    if inspect.isfunction(function):
        return f"- `.{call(function)}`: {said}" if said else ""
    is_property = isinstance(item, property) or type(item).__name__ == "Accessor"
    return f"- `.{name}`: {said}" if is_property and said else ""


def hooks() -> str:
    """Write every hook with its arguments."""
    found = [hook for name, hook in vars(hookspecs).items() if name.startswith("mailcore_")]
    return "\n\n".join(f"### `{hook.__name__}`\n\n{block(call(hook))}\n\n{docstring(hook)}" for hook in found)
