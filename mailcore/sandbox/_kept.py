"""What a mailbox keeps: mails, the exchanges they came with, and the webhooks made for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

__all__ = ["Exchange", "Mail", "Webhook"]

_Pairs = tuple[tuple[str, str], ...]


def _pairs(items: Iterable[Iterable[str]]) -> _Pairs:
    return tuple((name, value) for name, value in items)


def _texts(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(items)


@attrs.frozen(kw_only=True)
class Mail:
    """
    A mail, without its source.

    Attributes:
        id: Its number in the mailbox; never given to another one.
        incoming: Whether it was received, for the application; else the application sent it.
        message_id: The provider's name for it; empty where it has none.
        files: How many it has.
        size: Bytes of its source.
    """

    id: int = 0
    at: datetime
    provider: str
    incoming: bool = False
    message_id: str = ""
    sender: str
    recipients: tuple[str, ...] = attrs.field(converter=_texts)
    subject: str
    tags: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    files: int = 0
    size: int = 0


@attrs.frozen(kw_only=True)
class Exchange:
    """
    A request to a provider and its answer, without credentials.

    Attributes:
        first: How many mails the provider had taken before.
    """

    provider: str
    at: datetime
    first: int = 0
    method: str
    url: str
    headers: _Pairs = attrs.field(converter=_pairs, repr=False)
    body: bytes = attrs.field(repr=False)
    status: int
    answer_headers: _Pairs = attrs.field(converter=_pairs, repr=False)
    answer_body: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Webhook:
    """
    A webhook that was made, and how the endpoint answered.

    Attributes:
        mail: Which mail it is about; None where that is not known.
        happening: Why it was made, in one word.
        status: None where there was no answer; then `error` says why.
        seconds: How long the endpoint took.
    """

    id: int = 0
    mail: int | None
    provider: str
    kind: str
    happening: str
    at: datetime
    method: str
    url: str
    headers: _Pairs = attrs.field(converter=_pairs, repr=False)
    body: bytes = attrs.field(repr=False)
    status: int | None = None
    error: str = ""
    seconds: float = 0.0
    answer_headers: _Pairs = attrs.field(default=(), converter=_pairs, repr=False)
    answer_body: bytes = attrs.field(default=b"", repr=False)
