"""Message → form, and key → header: one field for each value."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mailcore import Address, Message, Secret

__all__ = ["Basic", "payload"]


class Basic(Secret):
    """What basic auth makes of a key, as secret as the key itself; only the wire sees the scheme's name."""

    __slots__ = ()

    def __init__(self, key: Secret) -> None:
        super().__init__(b64encode(f"api:{key.reveal()}".encode()).decode())

    def reveal(self) -> str:
        """Return the value of the header."""
        return f"Basic {super().reveal()}"


def _single(value: str) -> list[str]:
    return [value]


def _mailbox(addresses: Sequence[Address]) -> list[str]:
    # The provider takes one; core refuses more.
    return [addresses[0].to_text()]


def _mailboxes(addresses: Iterable[Address]) -> list[str]:
    return [address.to_text() for address in addresses]


def _flag(value: bool) -> list[str]:  # reason: the value of a field
    return ["yes" if value else "no"]


#: Our field → the provider's field, and its values; there is one field for each value.
FIELDS: Mapping[str, tuple[str, Callable[[Any], Iterable[str]]]] = {
    "from_": ("from", _mailbox),
    "to": ("to", _mailboxes),
    "cc": ("cc", _mailboxes),
    "bcc": ("bcc", _mailboxes),
    "reply_to": ("reply-to", _mailboxes),
    "subject": ("subject", _single),
    "text": ("text", _single),
    "html": ("html", _single),
    "tags": ("tag", list),
    "send_at": ("deliver-at", lambda moment: [moment.isoformat()]),
    "track_opens": ("track-opens", _flag),
    "track_clicks": ("track-clicks", _flag),
    "in_reply_to": ("h:In-Reply-To", _single),
    "references": ("h:References", lambda ids: [" ".join(ids)]),
    "list_unsubscribe": ("h:List-Unsubscribe", lambda uris: [", ".join(f"<{uri}>" for uri in uris)]),
}


def payload(message: Message) -> list[tuple[str, str]]:
    """Return the fields of the form; what is absent has none."""
    given = [(*row, getattr(message, ours)) for ours, row in FIELDS.items()]
    pairs = [(name, one) for name, write, value in given if value or value is False for one in write(value)]
    pairs += [(f"h:{name}", value) for name, value in message.headers.items()]
    return pairs + [(f"v:{key}", json.dumps(value, default=dict)) for key, value in message.metadata.items()]
