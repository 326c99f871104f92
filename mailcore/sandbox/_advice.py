"""What a provider says of a mail: the policies it may break, and the limits of what it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from email import message_from_bytes
from email.policy import default

import attrs

from mailcore import _config
from mailcore._capabilities import Capability
from mailcore._message import Message
from mailcore.exceptions import MailcoreError
from mailcore.sandbox._emulated import EmulatedProvider
from mailcore.sandbox._kept import Mail

__all__ = ["Note", "provider_notes"]


@attrs.frozen(kw_only=True)
class Note:
    """
    One thing that a provider documents.

    Attributes:
        broken: Whether the mail seems to break it; else it is only worth knowing.
        url: Where the provider says so.
    """

    text: str
    url: str = ""
    broken: bool = False


#: What a mail may use → whether it does.
_USED: Mapping[Capability, Callable[[Message, Mail], object]] = {
    Capability.HTML: lambda message, _: message.html,
    Capability.CC: lambda message, _: message.cc,
    Capability.REPLY_TO: lambda message, _: message.reply_to,
    Capability.MULTIPLE_REPLY_TO: lambda message, _: len(message.reply_to or ()) > 1,
    Capability.LIST_UNSUBSCRIBE: lambda message, _: message.list_unsubscribe,
    Capability.ATTACHMENTS: lambda message, _: message.attachments,
    Capability.INLINE_IMAGES: lambda message, _: any(file.content_id for file in message.attachments or ()),
    Capability.TAGS: lambda _, mail: mail.tags,
}


def provider_notes(provider: EmulatedProvider, mail: Mail, source: bytes) -> list[Note]:
    """Return what is documented, broken policies first; nothing of a mail that is no message of ours."""
    try:
        message = Message.from_email(message_from_bytes(source, policy=default))
        message = attrs.evolve(message, tags=mail.tags).resolve()
    except (MailcoreError, ValueError, LookupError, TypeError, AttributeError):
        return []  # received or odd mail: the standard library raises more than it documents
    return [*_policies(provider, message), *_limits(provider, message, mail)]


def _policies(provider: EmulatedProvider, message: Message) -> Iterator[Note]:
    config = {"provider": provider.spec.name, **provider.settings}
    try:
        adapter = _config.configuration(config, spec=provider.spec, environ={}).adapter()
    except MailcoreError:  # an optional package of the adapter's is missing: no advice without it
        return
    for advice in adapter.advise(message):
        yield Note(text=advice.text, url=advice.url, broken=True)


def _limits(provider: EmulatedProvider, message: Message, mail: Mail) -> Iterator[Note]:
    for capability, used in _USED.items():
        support = provider.spec.capabilities.get(capability)
        if support is not None and support.note and used(message, mail):
            yield Note(text=f"{capability.value.removeprefix('send.')}: {support.note}", url=support.url)
