"""Received mail.

Rule 1: the raw mail is the source of truth where there is one; what the provider parsed stands in for
        it where there is none, or where bytes were lost on the way.
Rule 2: nothing in a mail is an error. Each accessor has a value for any bytes, and what is wrong is in
        `defects`.
Rule 3: nothing is read before it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NewType, Self

import attrs

from mailcore._address import Address
from mailcore._http import Headers
from mailcore._inbound.accessor import Memo, accessor
from mailcore._inbound.attachment import InboundAttachment
from mailcore._inbound.body import Contents, body_text, normal_text, pair_copies, sort_parts
from mailcore._inbound.defect import Defect, DefectCode
from mailcore._inbound.header import is_automatic, read_addresses, read_date, read_message_ids
from mailcore._inbound.parts import HeaderSource, InboundParts, MailboxSource
from mailcore._mapping import FrozenMap
from mailcore._mime.header_reader import decode_header, unfold
from mailcore._mime.tree import CapExceeded, HeaderFields, check_headers, parse_headers, parse_tree
from mailcore._time import require_aware

__all__ = ["InboundMessage", "UntrustedHTML"]

#: HTML as a stranger wrote it. Clean it (nh3, for instance) and show it in a sandboxed iframe.
UntrustedHTML = NewType("UntrustedHTML", str)


def _as_bytes(raw: bytes | str | None) -> bytes | None:
    if isinstance(raw, str):
        return raw.encode("utf-8", "surrogatepass")
    return None if raw is None else bytes(raw)


def _texts(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(items)


def _optional_text(value: Any) -> str:
    return f"<{len(value)} bytes>" if value is not None else "None"


@attrs.frozen(kw_only=True)
class InboundMessage:
    """
    One received mail.

    Everything read from the mail is *claimed*: a signed webhook proves which provider passed the
    mail on, not who wrote it. Accessors are computed on first use, never raise, and are empty
    (None or `()`) for what is absent or unreadable; `defects` says which.

    Attributes:
        raw: The mail as the provider received it, or None. Text is taken as UTF-8.
        parts: What the provider parsed; see `from_parts`.
        envelope_sender: The bare address of MAIL FROM; `""` for a bounce, None where unknown.
        envelope_recipients: The bare addresses of RCPT TO.
        event_id: Stable across redelivery.
        timestamp: When the provider received it (aware UTC), or None.
        provider_fields: Other parts of the payload, as parsed.
        provider_defects: What the adapter found wrong with the payload.
        nesting: How many mails this one is attached within.
    """

    raw: bytes | None = attrs.field(default=None, converter=_as_bytes, repr=_optional_text)
    parts: InboundParts | None = attrs.field(default=None, repr=False)
    envelope_sender: str | None = None
    envelope_recipients: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    event_id: str = ""
    timestamp: datetime | None = attrs.field(default=None, converter=require_aware)
    provider: str = ""
    provider_fields: Mapping[str, Any] = attrs.field(factory=FrozenMap, converter=FrozenMap, repr=False)
    provider_defects: tuple[Defect, ...] = attrs.field(default=(), converter=tuple, repr=False)
    nesting: int = attrs.field(default=0, repr=False)
    _memo: Memo = attrs.field(init=False, factory=Memo, eq=False, repr=False)

    @classmethod
    def from_parts(
        cls,
        *,
        headers: HeaderSource = (),
        from_: MailboxSource = None,
        to: MailboxSource = None,
        cc: MailboxSource = None,
        bcc: MailboxSource = None,
        reply_to: MailboxSource = None,
        subject: str | None = None,
        date: datetime | str | None = None,
        message_id: str | None = None,
        text: str | None = None,
        html: str | None = None,
        attachments: Iterable[InboundAttachment] = (),
        **attributes: Any,
    ) -> Self:
        """
        Return a mail from what a provider parsed; `attributes` are those of the class.

        A named argument replaces the header of that name. With `raw` among the attributes, `raw`
        is read, and the parts stand in only for bytes that were lost in it.
        """
        named = {"From": from_, "To": to, "Cc": cc, "Bcc": bcc, "Reply-To": reply_to,
                 "Subject": subject, "Date": date, "Message-ID": message_id}  # fmt: skip
        parts = InboundParts.build(headers, named, text=text, html=html, attachments=attachments)
        return cls(parts=parts, **attributes)

    @accessor(default=())
    def raw_headers(self) -> HeaderFields:
        """Every header in order: the name as written, and the value's bytes, folded as they came."""
        log = self._memo.log
        try:
            if self.raw is not None:
                return parse_headers(self.raw, 0, len(self.raw), log, "part 0")[0]
            return check_headers(self.parts.raw_headers if self.parts else (), log, "part 0")
        except CapExceeded as cap:
            log.add(cap.code, "part 0", cap.text)
            return ()

    @accessor(default=Headers())
    def headers(self) -> Headers:
        """Every header decoded, on one line, without control characters; looked up in any letter case."""
        log = self._memo.log
        lines = ((name, unfold(value, log, name)) for name, value in self.raw_headers)
        return Headers([(name, decode_header(line, log, name)) for name, line in lines])

    @accessor(default=())
    def from_(self) -> tuple[Address, ...]:
        """Addresses of `From`: the claimed author, or several."""
        return self._addresses("From", once=True)

    @accessor(default=())
    def to(self) -> tuple[Address, ...]:
        """Addresses of `To`; the envelope says who really received it."""
        return self._addresses("To")

    @accessor(default=())
    def cc(self) -> tuple[Address, ...]:
        """Addresses of `Cc`."""
        return self._addresses("Cc")

    @accessor(default=())
    def bcc(self) -> tuple[Address, ...]:
        """Addresses of `Bcc`, or the provider's where the mail does not show them."""
        found = self._addresses("Bcc")
        if found or self.raw is None or self.parts is None:
            return found
        return InboundMessage(parts=self.parts).bcc

    @accessor(default=())
    def reply_to(self) -> tuple[Address, ...]:
        """Where the author wants answers; anyone may be named here."""
        return self._addresses("Reply-To", once=True)

    @accessor(default=None)
    def subject(self) -> str | None:
        """Subject, decoded, on one line."""
        text = self._header("Subject")
        return None if text is None else decode_header(text, self._memo.log, "Subject")

    @accessor(default=None)
    def date(self) -> datetime | None:
        """When the author says it was written, with the author's UTC offset."""
        return read_date(self._header("Date") or "", self._memo.log, "Date")

    @accessor(default=None)
    def message_id(self) -> str | None:
        """`<local@domain>`, chosen by the sender: never proof that two mails are the same."""
        return next(iter(self._ids("Message-ID")), None)

    @accessor(default=None)
    def in_reply_to(self) -> str | None:
        """First id of `In-Reply-To`, with brackets."""
        return next(iter(self._ids("In-Reply-To")), None)

    @accessor(default=())
    def references(self) -> tuple[str, ...]:
        """Ids of `References`, oldest first, with brackets."""
        return self._ids("References")

    @accessor(default=None)
    def text(self) -> str | None:
        r"""Plain text with `\n` line ends; never that of an attached mail."""
        return self._body("text/plain", self.parts.text if self.parts else None)

    @accessor(default=None)
    def html(self) -> UntrustedHTML | None:
        """HTML, decoded and otherwise untouched; never that of an attached mail."""
        found = self._body("text/html", self.parts.html if self.parts else None)
        return None if found is None else UntrustedHTML(found)

    @accessor(default=())
    def attachments(self) -> tuple[InboundAttachment, ...]:
        """Files that are not shown within the body, attached mails among them."""
        return tuple(file for file in self._files if not file.inline)

    @accessor(default=())
    def inlines(self) -> tuple[InboundAttachment, ...]:
        """Files shown within the body, and texts without a name that are not the body."""
        return tuple(file for file in self._files if file.inline)

    @accessor(default=FrozenMap())
    def content_id_map(self) -> Mapping[str, InboundAttachment]:
        """Content id, without brackets → file; what `cid:` links in `html` refer to."""
        found: dict[str, InboundAttachment] = {}
        for file in self._files:
            if file.content_id and found.setdefault(file.content_id, file) is not file:
                text = "An earlier part has the same content id."
                self._memo.log.add(DefectCode.DUPLICATE_CONTENT_ID, file.where, text)
        return FrozenMap(found)

    @accessor(default=True)
    def is_auto_generated(self) -> bool:
        """Whether no person sent it, so that answering could start a loop (RFC 3834)."""
        return self.envelope_sender == "" or is_automatic(self.headers)

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What was found wrong so far; using an accessor may add to it."""
        files = self._memo.values.get("_files", ())
        of_files = (defect for file in files for defect in file.defects)
        return (*self.provider_defects, *self._memo.log, *of_files)

    @accessor(default=None)
    def _contents(self) -> Contents | None:
        if self.raw is None:
            return None
        try:
            return sort_parts(parse_tree(self.raw, self._memo.log), self._memo.log, self.nesting)
        except CapExceeded as cap:
            self._memo.log.add(cap.code, "part 0", cap.text)
            return None

    @accessor(default=())
    def _files(self) -> tuple[InboundAttachment, ...]:
        copies = self.parts.attachments if self.parts else ()
        if self.raw is None:
            return tuple(attrs.evolve(file, where=f"attachment {at}") for at, file in enumerate(copies, 1))
        return pair_copies(self._contents.files, copies) if self._contents else ()

    def _body(self, content_type: str, copy: str | None) -> str | None:
        if self.raw is None:
            return None if copy is None else normal_text(copy)
        part = self._contents.bodies.get(content_type) if self._contents else None
        return None if part is None else body_text(part, copy, self._memo.log)

    def _values(self, name: str) -> list[str]:
        log = self._memo.log
        return [unfold(value, log, name) for key, value in self.raw_headers if key.lower() == name.lower()]

    def _header(self, name: str) -> str | None:
        values = self._values(name)
        if len(values) > 1:
            self._memo.log.add(DefectCode.DUPLICATE_HEADER, name, "The header is there more than once.")
        return values[0] if values else None

    def _addresses(self, name: str, *, once: bool = False) -> tuple[Address, ...]:
        if once:
            self._header(name)
        found = [read_addresses(value, self._memo.log, name) for value in self._values(name)]
        return tuple(dict.fromkeys(address for addresses in found for address in addresses))

    def _ids(self, name: str) -> tuple[str, ...]:
        return read_message_ids(self._header(name) or "", self._memo.log, name)
