"""A file that came with a mail.

Rule: every label is the sender's claim. `filename` is safe to create, which says nothing about what
the file does when it is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from mailcore._content_id import bare_content_id
from mailcore._inbound.accessor import Memo, accessor
from mailcore._inbound.defect import Defect, DefectCode
from mailcore._inbound.filename import safe_filename
from mailcore._media_type import is_media_type
from mailcore._mime.transfer import Encoded

if TYPE_CHECKING:
    from mailcore._inbound.message import InboundMessage

__all__ = ["InboundAttachment", "claimed_content_id"]

MAX_NESTING = 50


@attrs.frozen(kw_only=True, repr=False)
class InboundAttachment:
    """
    A file in received mail; its content is decoded on first use.

    Attributes:
        source: The content as it came.
        content_type: As claimed: `type/subtype` in lower case.
        charset: As claimed; empty where there is none.
        original_filename: As claimed and decoded, not safe to use as a path; None where there is none.
        content_id: Without brackets.
        inline: Shown within the body.
        checksum: MD5 of the content in hex, where the provider declares one for its own copy.
        substitute: The provider's own copy, for bytes that were lost in `source`.
        where: Its place in the mail.
        nesting: How many mails it is attached within.
    """

    source: Encoded
    content_type: str = "application/octet-stream"
    charset: str = ""
    original_filename: str | None = None
    content_id: str | None = None
    inline: bool = False
    checksum: str | None = None
    substitute: InboundAttachment | None = None
    where: str = "attachment"
    nesting: int = 0
    _memo: Memo = attrs.field(init=False, factory=Memo, eq=False)

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        filename: str | None = None,
        content_id: str | None = None,
        inline: bool = False,
        checksum: str | None = None,
    ) -> InboundAttachment:
        """Return an attachment that a provider gives as bytes."""
        return cls(
            source=Encoded(data=bytes(content)),
            content_type=_media_type(content_type),
            original_filename=filename,
            content_id=claimed_content_id(content_id),
            inline=inline,
            checksum=checksum,
        )

    @classmethod
    def from_base64(
        cls,
        content: str | bytes,
        *,
        content_type: str = "application/octet-stream",
        filename: str | None = None,
        content_id: str | None = None,
        inline: bool = False,
        checksum: str | None = None,
    ) -> InboundAttachment:
        """Return an attachment that a provider gives as base64; it is decoded when it is used."""
        data = content.encode("utf-8", "replace") if isinstance(content, str) else bytes(content)
        given = cls.from_bytes(
            b"",
            content_type=content_type,
            filename=filename,
            content_id=content_id,
            inline=inline,
            checksum=checksum,
        )
        return attrs.evolve(given, source=Encoded(data=data, encoding="base64"))

    @accessor(default="attachment")
    def filename(self) -> str:
        """
        Name that is safe to create in a folder, never empty.

        One path component, at most 150 bytes; no control or bidirectional characters and no name
        that Windows takes for a device.
        """
        default = "message.eml" if self.content_type == "message/rfc822" else "attachment"
        name = safe_filename(self.original_filename, default=default)
        if self.original_filename is not None and name != self.original_filename:
            text = "The file name was changed to a safe one."
            self._memo.log.add(DefectCode.BAD_FILENAME, self.where, text)
        return name

    @accessor(default=b"")
    def content(self) -> bytes:
        """Bytes, decoded as far as they can be."""
        copy = self.substitute
        if self.source.is_damaged:
            if copy is not None:
                return self._replace(copy)
            self._note_damage()
        found = self.source.decode(self._memo.log, self.where)
        if not _fits(found, self.checksum):
            self._note_damage()
        if copy is not None and not _fits(found, copy.checksum) and _fits(copy.content, copy.checksum):
            return self._replace(copy)
        return found

    @property
    def size(self) -> int:
        """Length of `content`; the first use decodes it."""
        return len(self.content)

    @accessor(default=None)
    def message(self) -> InboundMessage | None:
        """Attached mail, where this is one (`message/rfc822`) and not nested too deeply."""
        from mailcore._inbound.message import InboundMessage

        if self.content_type != "message/rfc822":
            return None
        if self.nesting >= MAX_NESTING:
            text = f"More than {MAX_NESTING} mails within one another."
            self._memo.log.add(DefectCode.TOO_DEEP, self.where, text)
            return None
        return InboundMessage(raw=self.content, nesting=self.nesting + 1)

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What was found wrong so far; using an accessor may add to it."""
        return tuple(self._memo.log)

    def _replace(self, copy: InboundAttachment) -> bytes:
        text = "Bytes were lost; this is the provider's own copy."
        self._memo.log.add(DefectCode.REPLACED, self.where, text)
        return copy.content

    def _note_damage(self) -> None:
        self._memo.log.add(DefectCode.DAMAGED, self.where, "Some bytes seem lost since the mail was written.")

    def __repr__(self) -> str:
        return f"InboundAttachment({self.content_type}, {self.where})"


def _media_type(given: str) -> str:
    bare = given.partition(";")[0].strip().lower()
    return bare if is_media_type(bare) else "application/octet-stream"


def claimed_content_id(given: str | None) -> str | None:
    """Return a content id without brackets or `cid:`; None where nothing is left."""
    return bare_content_id(given or "").strip() or None


def _fits(content: bytes, checksum: str | None) -> bool:
    if not checksum:
        return True
    from hashlib import md5  # here: hashing libraries are slow to import

    return md5(content, usedforsecurity=False).hexdigest() == checksum.strip().lower()
