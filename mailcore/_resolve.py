"""From what the caller said and what the mailer defaults to, to what an adapter sees.

Rule: one combine rule a field, in the table below; neither side is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mailcore._address import Address
from mailcore._changed import changed
from mailcore._mapping import FrozenMap
from mailcore._message import Message
from mailcore._message_fields import CONVERT, MERGES
from mailcore.exceptions import InvalidMessage

__all__ = ["ABSENT", "combine", "complete", "fill", "has_content", "resolve"]


def _concat(default: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*default, *(item for item in given if item not in default))


def _shallow(default: Mapping[str, Any], given: Mapping[str, Any]) -> FrozenMap[Any]:
    return FrozenMap({**default, **given})


def _headers(default: Mapping[str, str], given: Mapping[str, str]) -> FrozenMap[str]:
    names = {name.lower() for name in given}
    kept = {name: value for name, value in default.items() if name.lower() not in names}
    return FrozenMap({**kept, **given})


def _rows(merge: Callable[..., Any]) -> Callable[..., FrozenMap[Any]]:
    def combine(default: Mapping[str, Any], given: Mapping[str, Any]) -> FrozenMap[Any]:
        rows = {key: merge(default.get(key, {}), given.get(key, {})) for key in {**default, **given}}
        return FrozenMap(rows)

    return combine


def _deep(default: Any, given: Any) -> Any:
    if not (isinstance(default, Mapping) and isinstance(given, Mapping)):
        return given
    both = {key: _deep(default[key], given[key]) for key in default if key in given}
    return FrozenMap({**default, **given, **both})


#: Field → how a default and a given value become one; absent: the given value replaces the default.
_COMBINE: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(("to", "cc", "bcc", "reply_to", "tags", "attachments"), _concat),
    **dict.fromkeys(("metadata", "merge_global_data"), _shallow),
    **dict.fromkeys(("merge_data", "merge_metadata"), _rows(_shallow)),
    "headers": _headers,
    "merge_headers": _rows(_headers),
    "provider_options": _deep,
}

#: Field → what its absence looks like to an adapter.
ABSENT: Mapping[str, Any] = {
    **dict.fromkeys(CONVERT),
    **dict.fromkeys(("from_", "to", "cc", "bcc", "reply_to"), ()),
    **dict.fromkeys(("attachments", "references", "list_unsubscribe", "tags"), ()),
    **dict.fromkeys(("headers", "metadata", "merge_global_data", "provider_options"), FrozenMap()),
}


def resolve(message: Message, defaults: Message | None) -> Message:
    """Do what `Message.resolve` says."""
    return complete(fill(message, defaults))


def fill(message: Message, defaults: Message | None) -> Message:
    """Return the message with defaults combined and nothing unset; it may still lack what mail needs."""
    source = message if defaults is None else combine(message, defaults)
    # An empty text is no text: a provider would show it, or refuse it.
    given = {name: value for name, value in vars(source).items() if value is not None and value != ""}
    return _construct({**ABSENT, **given})


def complete(message: Message) -> Message:
    """
    Return a filled message that is ready for an adapter.

    Raises:
        InvalidMessage: No sender, recipient or content, or a merge key that matches nobody.
    """
    _check_complete(message)
    return _match_merge_keys(message) if message.is_batch else message


def combine(message: Message, defaults: Message) -> Message:
    """Return both as one set of defaults: still unresolved, `message` over `defaults`."""
    given, default = vars(message), vars(defaults)
    both = {
        name: _COMBINE[name](default[name], given[name])
        for name in default.keys() & given.keys() & _COMBINE.keys()
        if default[name] is not None and given[name] is not None
    }
    return _construct({**default, **given, **both})


def _construct(values: Mapping[str, Any]) -> Message:
    """Make a message of values that were all checked when they were first given."""
    message = Message.__new__(Message)
    vars(message).update(values)
    return message


def has_content(message: Message) -> bool:
    """Return whether a resolved message has anything to show."""
    return bool(
        message.text or message.html or message.amp_html or message.template_id or message.attachments
    )


def _check_complete(message: Message) -> None:
    if not message.from_:
        raise InvalidMessage("There is no sender. Give from_, or a default for it.", field="from_")
    if not (message.to or message.cc or message.bcc):
        raise InvalidMessage("There is no recipient. Give to, cc or bcc.", field="to")
    if not has_content(message):
        raise InvalidMessage(
            "There is no content. Give text, html, a template_id or an attachment.", field="text"
        )


def _match_merge_keys(message: Message) -> Message:
    """
    Key the merge fields by the recipients' `addr_spec`, exactly as sent.

    Callers write the key as they write the address: another letter case of the domain, or its
    IDNA form, is the same mailbox.
    """
    by_key = {address.key: address.addr_spec for address in message.to}
    changes: dict[str, Any] = {}
    for name in MERGES:
        rows = getattr(message, name)
        if rows is not None:
            changes[name] = FrozenMap({_recipient(key, by_key, name): row for key, row in rows.items()})
            if len(changes[name]) != len(rows):
                raise InvalidMessage("Two keys are spellings of one recipient. Keep one.", field=name)
    return changed(message, **changes)


def _recipient(key: str, by_key: Mapping[str, str], field: str) -> str:
    spec = by_key.get(Address.parse(key, field=field).key)
    if spec is None:
        raise InvalidMessage(f"The key {key!r} matches no address in 'to'.", field=field)
    return spec
