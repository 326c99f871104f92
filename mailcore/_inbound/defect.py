"""What is wrong with a mail, noted instead of raised.

Rule: mail from strangers is never an error. What cannot be read is absent, and a defect says so.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import attrs

__all__ = ["Defect", "DefectCode", "DefectLog"]

MAX_DEFECTS = 1_000


class DefectCode(enum.Enum):
    """What kind of defect it is."""

    #: More parts than are read; the mail has no text, html or attachments.
    TOO_MANY_PARTS = "too_many_parts"
    #: Nested deeper than is read; the same.
    TOO_DEEP = "too_deep"
    #: More headers than are read; the mail has no headers.
    TOO_MANY_HEADERS = "too_many_headers"
    #: One header is longer than is read; it is left out.
    HEADER_TOO_LONG = "header_too_long"
    #: A line among the headers is not one; the body begins there.
    BAD_HEADER_LINE = "bad_header_line"
    #: A header that may be there once is there again.
    DUPLICATE_HEADER = "duplicate_header"
    #: Control characters or line breaks in a decoded value were replaced.
    SCRUBBED = "scrubbed"
    #: An encoded word or 8-bit text could not be decoded in full.
    BAD_ENCODED_TEXT = "bad_encoded_text"
    #: A list of addresses breaks RFC 5322; those that are clear were taken.
    BAD_ADDRESS = "bad_address"
    #: Not a date.
    BAD_DATE = "bad_date"
    #: Not a message id.
    BAD_MESSAGE_ID = "bad_message_id"
    #: A multipart type without a usable boundary; read as one text.
    NO_BOUNDARY = "no_boundary"
    #: The last boundary is missing; the mail may be cut off.
    UNCLOSED = "unclosed"
    #: The charset is unknown or refused; read as UTF-8 or else Latin-1.
    BAD_CHARSET = "bad_charset"
    #: Bytes that the declared charset does not have were replaced.
    BAD_TEXT = "bad_text"
    #: Not valid base64; decoded as far as possible.
    BAD_BASE64 = "bad_base64"
    #: An unknown transfer encoding; the bytes are as they came.
    BAD_ENCODING = "bad_encoding"
    #: A file name that is unsafe was changed.
    BAD_FILENAME = "bad_filename"
    #: Two parts share a content id; the first one keeps it.
    DUPLICATE_CONTENT_ID = "duplicate_content_id"
    #: Bytes were lost before the mail arrived here; the provider's own copy is shown instead.
    REPLACED = "replaced"
    #: Bytes seem lost (U+FFFD, or a checksum that differs), and there is no other copy.
    DAMAGED = "damaged"
    #: A field of the provider's payload is missing or of the wrong type. Noted by adapters.
    PROVIDER_FIELD = "provider_field"
    #: Reading failed in a way nobody foresaw; please report it.
    UNREADABLE = "unreadable"


@attrs.frozen
class Defect:
    """
    One thing that is wrong with a mail.

    Attributes:
        where: A header name, or `part 1.2`.
        text: For people; it quotes no content.
    """

    code: DefectCode
    where: str
    text: str


class DefectLog:
    """Collect defects in order, each once, and not without end."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Defect, None] = {}  # ordered, and safe to add to from two threads

    def add(self, code: DefectCode, where: str, text: str) -> None:
        """Note a defect."""
        if len(self._found) < MAX_DEFECTS:
            self._found[Defect(code, where, text)] = None

    def __iter__(self) -> Iterator[Defect]:
        return iter(tuple(self._found))
