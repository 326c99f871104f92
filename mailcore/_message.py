"""One message, for every provider.

Rule 1: checked once, here, at construction. Nobody downstream checks again.
Rule 2: a field not given is `UNSET` and takes the mailer's default; `None` suppresses the default.
        `resolve` turns both into plain absence: None, or empty. Adapters see resolved messages only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from mailcore import _message_fields as fields
from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._header import OWN_FIELD
from mailcore._mapping import FrozenMap
from mailcore._unset import UNSET

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from email.message import Message as StdlibMessage

__all__ = ["Message"]

#: Typed as anything: a field reads `UNSET` only until a mailer resolves the message.
_NOT_GIVEN: Any = UNSET


@attrs.frozen(kw_only=True, repr=False)
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

    from_: tuple[Address, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.from_)
    to: tuple[Address, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.to)
    cc: tuple[Address, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.cc)
    bcc: tuple[Address, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.bcc)
    reply_to: tuple[Address, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.reply_to)
    subject: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.subject)
    text: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.text)
    html: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.html)
    amp_html: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.amp_html)
    attachments: tuple[Attachment, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.attachments)
    headers: FrozenMap[str] = attrs.field(default=_NOT_GIVEN, converter=fields.headers)
    in_reply_to: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.in_reply_to)
    references: tuple[str, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.references)
    list_unsubscribe: tuple[str, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.list_unsubscribe)
    tags: tuple[str, ...] = attrs.field(default=_NOT_GIVEN, converter=fields.tags)
    metadata: FrozenMap[Any] = attrs.field(default=_NOT_GIVEN, converter=fields.metadata)
    envelope_sender: Address | None = attrs.field(default=_NOT_GIVEN, converter=fields.envelope_sender)
    send_at: datetime | None = attrs.field(default=_NOT_GIVEN, converter=fields.send_at)
    track_opens: bool | None = attrs.field(default=_NOT_GIVEN, converter=fields.track_opens)
    track_clicks: bool | None = attrs.field(default=_NOT_GIVEN, converter=fields.track_clicks)
    template_id: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.template_id)
    merge_data: FrozenMap[FrozenMap[Any]] | None = attrs.field(
        default=_NOT_GIVEN, converter=fields.merge_data
    )
    merge_metadata: FrozenMap[FrozenMap[Any]] | None = attrs.field(
        default=_NOT_GIVEN, converter=fields.merge_metadata
    )
    merge_headers: FrozenMap[FrozenMap[str]] | None = attrs.field(
        default=_NOT_GIVEN, converter=fields.merge_headers
    )
    merge_global_data: FrozenMap[Any] = attrs.field(default=_NOT_GIVEN, converter=fields.merge_global_data)
    idempotency_key: str | None = attrs.field(default=_NOT_GIVEN, converter=fields.idempotency_key)
    provider_options: FrozenMap[FrozenMap[Any]] = attrs.field(
        default=_NOT_GIVEN, converter=fields.provider_options
    )

    def __attrs_post_init__(self) -> None:
        own = {name: OWN_FIELD[name.lower()] for name in self.headers or () if name.lower() in OWN_FIELD}
        if not own:
            return
        for name, field in own.items():
            if field == "from_" and self.from_ and not self.envelope_sender:
                object.__setattr__(self, "envelope_sender", fields.envelope_sender(self.from_[0]))
            object.__setattr__(self, field, getattr(fields, field)(self.headers[name]))
        rest = {name: value for name, value in self.headers.items() if name not in own}
        object.__setattr__(self, "headers", FrozenMap(rest))

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everyone in `to`, `cc` and `bcc`, in that order."""
        return (*(self.to or ()), *(self.cc or ()), *(self.bcc or ()))

    @property
    def is_batch(self) -> bool:
        """Whether each address in `to` gets a mail of its own."""
        merges: tuple[Any, ...] = (self.merge_data, self.merge_metadata, self.merge_headers)
        return any(merge is not None and merge is not UNSET for merge in merges)

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
        from mailcore._email import message_from_email

        return message_from_email(message)

    def to_email(self) -> EmailMessage:
        """Return this message as a standard library `EmailMessage`; `bcc` is left out."""
        from mailcore._email import message_to_email

        return message_to_email(self)

    def __repr__(self) -> str:
        # Mail is private: a repr in a log shows which fields there are, not what they hold.
        given = [
            field.name for field in attrs.fields(Message) if getattr(self, field.name) not in (UNSET, None)
        ]
        return f"Message({', '.join(given)})"
