"""What a message asks for against what the provider can carry.

Rule: what cannot be accurately communicated is refused before any I/O, naming the field, the provider
and the way out. What the provider may forbid is its own business, and at most advised on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import attrs

from mailcore._capabilities import Capability, support
from mailcore._message import Message
from mailcore._resolve import has_content
from mailcore._result import Advice
from mailcore._settings import OnAdvice, OnUnsupported
from mailcore._spec import AdapterSpec
from mailcore.exceptions import UnsupportedFeature

__all__ = ["apply_advice", "apply_capabilities"]

_log = logging.getLogger("mailcore.policy")


def _first(field: str) -> Callable[[Message, int], Any]:
    return lambda message, limit: getattr(message, field)[:limit]


def _plain(message: Message, _: int) -> Any:
    return tuple(attrs.evolve(attachment, inline=False) for attachment in message.attachments)


@attrs.frozen
class _Use:
    """How a message uses a capability, and what is left of the field without it."""

    field: str
    amount: Callable[[Message], int]
    reduced: Callable[[Message, int], Any] | None


def _present(field: str, without: Any = None) -> _Use:
    return _Use(field, lambda message: int(getattr(message, field) not in (None, "")), lambda *_: without)


def _count(field: str, *, keep_some: bool = True) -> _Use:
    reduced = _first(field) if keep_some else lambda *_: ()
    return _Use(field, lambda message: len(getattr(message, field)), reduced)


def _several(field: str) -> _Use:
    """Use of a capability that only the second item needs."""
    return _Use(
        field,
        lambda message: int(len(getattr(message, field)) > 1),
        lambda message, _: getattr(message, field)[:1],
    )


def _mapping(field: str) -> _Use:
    return _Use(field, lambda message: len(getattr(message, field)), lambda *_: {})


def _merge(field: str) -> _Use:
    return _Use(field, lambda message: int(getattr(message, field) is not None), lambda *_: None)


_USES: dict[Capability, _Use] = {
    Capability.HTML: _present("html"),
    Capability.AMP_HTML: _present("amp_html"),
    Capability.CC: _count("cc"),
    Capability.BCC: _count("bcc"),
    Capability.MULTIPLE_FROM: _several("from_"),
    Capability.REPLY_TO: _count("reply_to", keep_some=False),
    Capability.MULTIPLE_REPLY_TO: _several("reply_to"),
    Capability.HEADERS: _mapping("headers"),
    Capability.IN_REPLY_TO: _present("in_reply_to"),
    Capability.REFERENCES: _count("references", keep_some=False),
    Capability.LIST_UNSUBSCRIBE: _count("list_unsubscribe", keep_some=False),
    Capability.ATTACHMENTS: _count("attachments"),
    Capability.INLINE_IMAGES: _Use(
        "attachments", lambda message: sum(item.inline for item in message.attachments), _plain
    ),
    Capability.TAGS: _count("tags"),
    Capability.METADATA: _mapping("metadata"),
    Capability.TEMPLATE: _present("template_id"),
    Capability.MERGE_DATA: _merge("merge_data"),
    Capability.MERGE_METADATA: _merge("merge_metadata"),
    Capability.MERGE_HEADERS: _merge("merge_headers"),
    Capability.MERGE_GLOBAL_DATA: _mapping("merge_global_data"),
    Capability.SCHEDULE: _present("send_at"),
    Capability.ENVELOPE_SENDER: _present("envelope_sender"),
    Capability.TRACK_OPENS: _present("track_opens"),
    Capability.TRACK_CLICKS: _present("track_clicks"),
    # A key is never shortened or dropped: without it, a repeated request sends the mail twice.
    Capability.IDEMPOTENCY_KEY: _Use(
        "idempotency_key", lambda message: len(message.idempotency_key or ""), None
    ),
}

#: Dropping these would send other mail than was meant, to people it was not meant for.
_NEVER_DROPPED = frozenset(
    {
        Capability.CC,
        Capability.BCC,
        Capability.MERGE_DATA,
        Capability.MERGE_METADATA,
        Capability.MERGE_HEADERS,
        Capability.TEMPLATE,
        Capability.SCHEDULE,
    }
)


def apply_capabilities(
    message: Message, spec: AdapterSpec, policy: OnUnsupported
) -> tuple[Message, tuple[str, ...]]:
    """
    Return the message the provider can carry, and the fields that had to be left out.

    Raises:
        UnsupportedFeature: Something cannot be carried, and the policy or its nature forbids to
            leave it out.
    """
    dropped: dict[str, None] = {}
    for capability, use in _USES.items():
        allowed = _allowed(message, spec, capability, use)
        if allowed is None:
            continue
        text = _explain(capability, use, allowed, spec)
        if policy == "raise" or use.reduced is None or capability in _NEVER_DROPPED:
            raise UnsupportedFeature(text, field=use.field, provider=spec.name)
        message = attrs.evolve(message, **{use.field: use.reduced(message, allowed)})
        if not has_content(message):
            raise UnsupportedFeature(f"{text} It is all there is.", field=use.field, provider=spec.name)
        dropped[use.field] = None
        if policy == "warn":
            _log.warning("%s It was left out.", text)
    return message, tuple(dropped)


def _allowed(message: Message, spec: AdapterSpec, capability: Capability, use: _Use) -> int | None:
    """Return how much of a capability is left of too much; None where it is not too much."""
    amount, found = use.amount(message), support(spec.capabilities, capability)
    if amount and not found.usable:
        return 0
    return found.limit if found.limit is not None and amount > found.limit else None


def _explain(capability: Capability, use: _Use, allowed: int, spec: AdapterSpec) -> str:
    found = support(spec.capabilities, capability)
    what = f"at most {allowed} in {use.field}" if allowed else f"no {use.field}"
    if capability in (Capability.MULTIPLE_FROM, Capability.MULTIPLE_REPLY_TO):
        what = f"only one address in {use.field}"
    if capability is Capability.INLINE_IMAGES:
        what = "no inline attachments"
    note = f" {found.note}" if found.note else ""
    drop = "" if use.reduced is None or capability in _NEVER_DROPPED else ' set on_unsupported="drop",'
    return (
        f"{spec.title or spec.name} can carry {what} ({capability}).{note} "
        f"Remove it,{drop} or choose a provider that can: `mailcore providers --can {capability}`."
    )


def apply_advice(advice: tuple[Advice, ...], spec: AdapterSpec, policy: OnAdvice) -> None:
    """
    Do with a provider's advice what the policy says.

    Raises:
        UnsupportedFeature: There is advice and the policy is "raise".
    """
    for item in advice if policy != "ignore" else ():
        text = f"{spec.title or spec.name} may refuse this message: {item.text}"
        if policy == "raise":
            raise UnsupportedFeature(text, field=item.field, provider=spec.name)
        _log.warning("%s", text)
