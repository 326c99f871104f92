"""What a message asks for against what the provider can carry.

Rule: what cannot be accurately communicated is refused before any I/O, naming the field, the provider
and the way out. What the provider may forbid is its own business, and at most advised on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from mailcore._capabilities import Capability, support
from mailcore._changed import changed
from mailcore._mapping import FrozenMap
from mailcore._message import Message
from mailcore._plugins import PluginHost
from mailcore._resolve import ABSENT, has_content
from mailcore._result import Advice
from mailcore._settings import OnAdvice, OnUnsupported
from mailcore._spec import AdapterSpec
from mailcore.exceptions import UnsupportedFeature

__all__ = ["apply_advice", "apply_capabilities", "limits"]

_log = logging.getLogger("mailcore.policy")


@attrs.frozen
class _Use:
    """
    How a message uses a capability.

    Attributes:
        reduced: What is left of the field without it; None: it must not be left out, because that
            would send another mail than was meant, or to people it was not meant for.
        phrase: What the provider can carry instead.
    """

    field: str
    amount: Callable[[Message], int]
    reduced: Callable[[Message, int], Any] | None = None
    phrase: str = ""


def _given(field: str) -> Callable[[Message], int]:
    return lambda message: int(getattr(message, field) is not None)


def _count(field: str) -> Callable[[Message], int]:
    return lambda message: len(getattr(message, field))


def _more_than_one(field: str) -> Callable[[Message], int]:
    return lambda message: int(len(getattr(message, field)) > 1)


def _nothing(_: Message, __: int) -> None:
    return None


def _none_of(_: Message, __: int) -> tuple[Any, ...]:
    return ()


def _no_items(_: Message, __: int) -> FrozenMap[Any]:
    return FrozenMap()


def _first(field: str) -> Callable[[Message, int], Any]:
    return lambda message, limit: getattr(message, field)[:limit]


def _only_one(field: str) -> Callable[[Message, int], Any]:
    return lambda message, _: getattr(message, field)[:1]


def _not_inline(message: Message, _: int) -> Any:
    return tuple(attrs.evolve(attachment, inline=False) for attachment in message.attachments)


#: Where the built-in providers are: they carry everything, and deliver nothing.
_LOCAL = "mailcore.providers."

_ONE_ADDRESS = "only one address in"

_USES: dict[Capability, _Use] = {
    Capability.HTML: _Use("html", _given("html"), _nothing),
    Capability.AMP_HTML: _Use("amp_html", _given("amp_html"), _nothing),
    Capability.CC: _Use("cc", _count("cc")),
    Capability.BCC: _Use("bcc", _count("bcc")),
    Capability.MULTIPLE_FROM: _Use("from_", _more_than_one("from_"), _only_one("from_"), _ONE_ADDRESS),
    Capability.REPLY_TO: _Use("reply_to", _count("reply_to"), _none_of),
    Capability.MULTIPLE_REPLY_TO: _Use(
        "reply_to", _more_than_one("reply_to"), _only_one("reply_to"), _ONE_ADDRESS
    ),
    Capability.HEADERS: _Use("headers", _count("headers"), _no_items),
    Capability.IN_REPLY_TO: _Use("in_reply_to", _given("in_reply_to"), _nothing),
    Capability.REFERENCES: _Use("references", _count("references"), _none_of),
    Capability.LIST_UNSUBSCRIBE: _Use("list_unsubscribe", _count("list_unsubscribe"), _none_of),
    Capability.ATTACHMENTS: _Use("attachments", _count("attachments"), _first("attachments")),
    Capability.INLINE_IMAGES: _Use(
        "attachments",
        lambda message: sum(item.inline for item in message.attachments),
        _not_inline,
        "no inline images in",
    ),
    Capability.TAGS: _Use("tags", _count("tags"), _first("tags")),
    Capability.METADATA: _Use("metadata", _count("metadata"), _no_items),
    Capability.TEMPLATE: _Use("template_id", _given("template_id")),
    Capability.MERGE_DATA: _Use("merge_data", _given("merge_data")),
    Capability.MERGE_METADATA: _Use("merge_metadata", _given("merge_metadata")),
    Capability.MERGE_HEADERS: _Use("merge_headers", _given("merge_headers")),
    Capability.MERGE_GLOBAL_DATA: _Use("merge_global_data", _count("merge_global_data"), _no_items),
    Capability.SCHEDULE: _Use("send_at", _given("send_at")),
    Capability.ENVELOPE_SENDER: _Use("envelope_sender", _given("envelope_sender"), _nothing),
    Capability.TRACK_OPENS: _Use("track_opens", _given("track_opens"), _nothing),
    Capability.TRACK_CLICKS: _Use("track_clicks", _given("track_clicks"), _nothing),
    # A key is never shortened or dropped: without it, a repeated request sends the mail twice.
    Capability.IDEMPOTENCY_KEY: _Use("idempotency_key", lambda message: len(message.idempotency_key or "")),
}


@attrs.frozen
class Limit:
    """
    How much of a capability a provider can carry.

    Attributes:
        unused: What the field holds of a message that has no use for it.
    """

    capability: Capability
    use: _Use
    allowed: int
    field: str
    unused: object


def limits(spec: AdapterSpec) -> Sequence[Limit]:
    """Return what a provider can carry of each capability, where that is not all there may be."""
    found = {capability: support(spec.capabilities, capability) for capability in _USES}
    amounts = {capability: each.limit if each.usable else 0 for capability, each in found.items()}
    return [
        Limit(capability, use, amount, use.field, ABSENT[use.field])
        for (capability, use), amount in zip(_USES.items(), amounts.values(), strict=True)
        if amount is not None
    ]


def apply_capabilities(
    message: Message,
    spec: AdapterSpec,
    policy: OnUnsupported,
    carried: Sequence[Limit],
    host: PluginHost,
) -> tuple[Message, tuple[str, ...]]:
    """
    Return the message the provider can carry, and the fields that had to be left out.

    Args:
        carried: The `limits` of the provider, which stay the same from one message to the next.
        host: Knows the providers that a refusal names as able.

    Raises:
        UnsupportedFeature: Something cannot be carried, and the policy or its nature forbids to
            leave it out.
    """
    asked, dropped = message, dict[str, None]()
    # Most messages have no use for most of what a provider cannot carry.
    values = vars(message)
    for limit in [limit for limit in carried if values[limit.field] is not limit.unused]:
        use = limit.use
        if use.amount(message) <= limit.allowed:
            continue
        text = _explain(limit, spec)
        if policy == "raise" or use.reduced is None:
            raise _refusal(text, limit, spec, _able(asked, spec, host))
        message = changed(message, **{use.field: use.reduced(message, limit.allowed)})
        if not has_content(message):
            raise _refusal(f"{text} It is all there is.", limit, spec, _able(asked, spec, host))
        dropped[use.field] = None
        if policy == "warn":
            _log.warning("%s It was left out.", text)
    return message, tuple(dropped)


def _explain(limit: Limit, spec: AdapterSpec) -> str:
    found = support(spec.capabilities, limit.capability)
    what = limit.use.phrase or (f"at most {limit.allowed} in" if limit.allowed else "no")
    note = f" {found.note}" if found.note else ""
    return f"{spec.title or spec.name} can carry {what} {limit.use.field} ({limit.capability}).{note}"


def _able(message: Message, spec: AdapterSpec, host: PluginHost) -> tuple[str, ...]:
    """Return the other providers that can carry the whole message, by name."""
    return tuple(
        name
        for name, other in host.adapters.items()
        if name != spec.name and not other.factory.startswith(_LOCAL) and _carries(other, message)
    )


def _carries(spec: AdapterSpec, message: Message) -> bool:
    return all(limit.use.amount(message) <= limit.allowed for limit in limits(spec))


def _refusal(text: str, limit: Limit, spec: AdapterSpec, able: tuple[str, ...]) -> UnsupportedFeature:
    use = limit.use
    drop = "" if use.reduced is None else ' set on_unsupported="drop",'
    who = (
        f"a provider that can carry all of this message: {', '.join(able)}."
        if able
        else f"another provider; none that is installed can carry all of this message. "
        f"`mailcore providers --can {limit.capability}` lists who can carry this."
    )
    return UnsupportedFeature(
        f"{text} Remove it,{drop} or choose {who}", field=use.field, provider=spec.name, alternatives=able
    )


def apply_advice(advice: tuple[Advice, ...], spec: AdapterSpec, policy: OnAdvice) -> None:
    """
    Do with a provider's advice what the policy says.

    Raises:
        UnsupportedFeature: There is advice and the policy is "raise".
    """
    for item in advice:
        text = f"{spec.title or spec.name} may refuse this message: {item.text}"
        if policy == "raise":
            raise UnsupportedFeature(text, field=item.field, provider=spec.name)
        _log.warning("%s", text)
