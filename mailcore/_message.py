"""One message, for every provider.

Rule 1: checked once, here, at construction. Nobody downstream checks again.
Rule 2: a message holds what it was given and no more: every other field is `UNSET`, by the class.
Rule 3: a field not given is `UNSET` and takes the mailer's default; `None` suppresses the default.
        `resolve` turns both into plain absence: None, or empty. Adapters see resolved messages only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from mailcore import _message_fields as fields
from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._header import OWN_FIELD
from mailcore._mapping import FrozenMap
from mailcore._nearest import did_you_mean
from mailcore._unset import UNSET

if TYPE_CHECKING:
    from email.message import EmailMessage
    from email.message import Message as StdlibMessage

__all__ = ["Message"]


@attrs.frozen(init=False, repr=False, slots=False)
class Message:
    """
    One message as the caller means it.

    Lists take one item bare. Addresses are text (`"Ada <ada@example.com>"`) or `Address`.
    Presence of `merge_data`, `merge_metadata` or `merge_headers`, even empty, means *batch*: one mail
    for each address in `to`, none of whom sees the others.

    Attributes:
        from_: Usually one address.
        headers: Extra headers; those with a field of their own (`Reply-To`, `In-Reply-To`,
            `References`, `List-Unsubscribe`, `From`) move there. With a `From` header the former
            `from_` becomes the envelope sender.
        list_unsubscribe: `https:` and `mailto:` URIs.
        metadata: JSON values the provider returns with each event; recipients may see them.
        envelope_sender: Where bounces go; an address without a name.
        send_at: An aware datetime, kept in UTC; the provider holds the mail, not this process.
        merge_data, merge_metadata, merge_headers: Recipient address → values for that recipient.
        merge_global_data: Values for every recipient.
        provider_options: Provider name → fields merged into that provider's payload as they are.
        idempotency_key: The caller's key for this logical mail; never filled in here.

    Raises:
        InvalidMessage: A value that cannot be part of any mail; the error names the field.
    """

    from_: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str | None
    text: str | None
    html: str | None
    amp_html: str | None
    attachments: tuple[Attachment, ...]
    headers: FrozenMap[str]
    in_reply_to: str | None
    references: tuple[str, ...]
    list_unsubscribe: tuple[str, ...]
    tags: tuple[str, ...]
    metadata: FrozenMap[Any]
    envelope_sender: Address | None
    send_at: datetime | None
    track_opens: bool | None
    track_clicks: bool | None
    template_id: str | None
    merge_data: FrozenMap[FrozenMap[Any]] | None
    merge_metadata: FrozenMap[FrozenMap[Any]] | None
    merge_headers: FrozenMap[FrozenMap[str]] | None
    merge_global_data: FrozenMap[Any]
    idempotency_key: str | None
    provider_options: FrozenMap[FrozenMap[Any]]

    if TYPE_CHECKING:  # what may be given is wider than what is kept

        def __init__(
            self,
            *,
            from_: fields.Addresses = UNSET,
            to: fields.Addresses = UNSET,
            cc: fields.Addresses = UNSET,
            bcc: fields.Addresses = UNSET,
            reply_to: fields.Addresses = UNSET,
            subject: str | fields.Absent = UNSET,
            text: str | fields.Absent = UNSET,
            html: str | fields.Absent = UNSET,
            amp_html: str | fields.Absent = UNSET,
            attachments: Attachment | Iterable[Attachment] | fields.Absent = UNSET,
            headers: Mapping[str, str | int | float] | fields.Absent = UNSET,
            in_reply_to: str | fields.Absent = UNSET,
            references: fields.Texts = UNSET,
            list_unsubscribe: fields.Texts = UNSET,
            tags: fields.Texts = UNSET,
            metadata: fields.Map = UNSET,
            envelope_sender: str | Address | fields.Absent = UNSET,
            send_at: datetime | fields.Absent = UNSET,
            track_opens: bool | fields.Absent = UNSET,
            track_clicks: bool | fields.Absent = UNSET,
            template_id: str | int | fields.Absent = UNSET,
            merge_data: fields.Rows = UNSET,
            merge_metadata: fields.Rows = UNSET,
            merge_headers: fields.Rows = UNSET,
            merge_global_data: fields.Map = UNSET,
            idempotency_key: str | fields.Absent = UNSET,
            provider_options: fields.Rows = UNSET,
        ) -> None: ...

    else:

        def __init__(self, **given: Any) -> None:
            for name, value in given.items():
                if name not in fields.CONVERT:
                    raise TypeError(f"Message has no field {name!r}.{did_you_mean(name, fields.CONVERT)}")
                if value is not UNSET:
                    self._give(name, value)
            if given.get("headers"):
                self._move_headers()

    def _give(self, name: str, value: Any) -> None:
        """Check and set one field; only while the message is made: frozen is for everyone else."""
        self.__dict__[name] = None if value is None else fields.CONVERT[name](value, name)

    def _move_headers(self) -> None:
        """Give each header that has a field of its own to that field."""
        own = {name: OWN_FIELD[name.lower()] for name in self.headers if name.lower() in OWN_FIELD}
        if not own:
            return
        for name, field in own.items():
            if field == "from_" and self.from_ and not self.envelope_sender:
                self._give("envelope_sender", self.from_[0])
            self._give(field, self.headers[name])
        rest = {name: value for name, value in self.headers.items() if name not in own}
        self.__dict__["headers"] = FrozenMap(rest)

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everyone in `to`, `cc` and `bcc`, in that order."""
        return (*(self.to or ()), *(self.cc or ()), *(self.bcc or ()))

    @property
    def is_batch(self) -> bool:
        """Whether each address in `to` gets a mail of its own."""
        get = self.__dict__.get
        return not (get("merge_data") is get("merge_metadata") is get("merge_headers") is None)

    def resolve(self, defaults: Message | None = None) -> Message:
        """
        Return the message an adapter sees: defaults combined, nothing unset.

        Lists and mappings combine with the default, which comes first; other fields replace it.

        Raises:
            InvalidMessage: No sender, no recipient, no content, or a merge key that matches no
                recipient.
        """
        from mailcore._resolve import resolve

        return resolve(self, defaults)

    @classmethod
    def from_email(cls, message: StdlibMessage) -> Message:
        """
        Return the message that a standard library email stands for.

        Raises:
            InvalidMessage: It holds something a `Message` cannot say; the error names it.
        """
        from mailcore._mime.stdlib import message_from_email

        return message_from_email(message)

    def to_email(self) -> EmailMessage:
        """Return this message as a standard library `EmailMessage`; `bcc` is left out."""
        from mailcore._mime.stdlib import message_to_email

        return message_to_email(self)

    def __repr__(self) -> str:
        # Mail is private: a repr in a log shows which fields there are, not what they hold.
        given = [
            field.name for field in attrs.fields(Message) if getattr(self, field.name) not in (UNSET, None)
        ]
        return f"Message({', '.join(given)})"


for _name in fields.CONVERT:
    setattr(Message, _name, UNSET)
