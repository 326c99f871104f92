"""Which part of a mail is its text, which its html, and which are files.

Rule 1: every part is reachable: as a body, as an attachment or as an inline file.
Rule 2: a body is never taken from an attached mail.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from mailcore._inbound.attachment import InboundAttachment, claimed_content_id
from mailcore._inbound.defect import DefectCode, DefectLog
from mailcore._mime.charset import decode_text
from mailcore._mime.header_reader import parameters
from mailcore._mime.tree import MimePart

__all__ = ["Contents", "body_text", "normal_text", "pair_copies", "sort_parts"]

_BODY_TYPES = ("text/plain", "text/html")


@attrs.frozen(kw_only=True)
class Contents:
    """What a mail consists of, sorted."""

    bodies: dict[str, MimePart]
    files: tuple[InboundAttachment, ...]


@attrs.frozen(kw_only=True)
class _Labels:
    """What a part says about how it is to be shown."""

    disposition: str
    filename: str | None
    content_id: str | None

    @property
    def is_file(self) -> bool:
        return self.disposition == "attachment" or self.filename is not None

    @property
    def is_inline(self) -> bool:
        if self.disposition:
            return self.disposition == "inline"
        return self.content_id is not None


def sort_parts(tree: MimePart, log: DefectLog, nesting: int) -> Contents:
    """Return the bodies by type, and the files in order."""
    bodies: dict[str, MimePart] = {}
    files = []
    for part in tree.leaves():
        labels = _labels(part, log)
        is_text = part.content_type.startswith("text/") and not labels.is_file
        if is_text and part.content_type in _BODY_TYPES and part.content_type not in bodies:
            bodies[part.content_type] = part
        else:
            files.append(_file(part, labels, nesting, inline=labels.is_inline or is_text))
    return Contents(bodies=bodies, files=tuple(files))


def _labels(part: MimePart, log: DefectLog) -> _Labels:
    disposition, params = parameters(part.header("content-disposition", log), log, part.where)
    name = params.get("filename", part.params.get("name"))
    return _Labels(
        disposition=disposition,
        filename=name or None,
        content_id=claimed_content_id(part.header("content-id", log)),
    )


def _file(part: MimePart, labels: _Labels, nesting: int, *, inline: bool) -> InboundAttachment:
    return InboundAttachment(
        source=part.body,
        content_type=part.content_type,
        charset=part.params.get("charset", ""),
        original_filename=labels.filename,
        content_id=labels.content_id,
        inline=inline,
        where=part.where,
        nesting=nesting,
    )


def body_text(part: MimePart, copy: str | None, log: DefectLog) -> str:
    """Return a text part, or the provider's `copy` where bytes of the part were lost."""
    if part.body.is_damaged:
        if copy is not None:
            log.add(DefectCode.REPLACED, part.where, "Bytes were lost; this is the provider's own copy.")
            return normal_text(copy)
        log.add(DefectCode.DAMAGED, part.where, "Some bytes seem lost since the mail was written.")
    data = part.body.decode(log, part.where)
    return normal_text(decode_text(data, part.params.get("charset", ""), log, part.where))


def normal_text(text: str) -> str:
    r"""Return a body with `\n` line ends, and U+FFFD for what no database can hold."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n").replace("\x00", "\ufffd")


def pair_copies(
    files: Iterable[InboundAttachment], copies: Iterable[InboundAttachment]
) -> tuple[InboundAttachment, ...]:
    """
    Return `files`, each with the provider's copy of the same file as its substitute.

    Files are the same by content id, name or type, the first with the first; a file whose labels
    were damaged too pairs by position, if as many are left on both sides.
    """
    waiting: dict[str, list[InboundAttachment]] = {}
    for copy in copies:
        waiting.setdefault(_key(copy), []).append(copy)
    paired = [(file, waiting[_key(file)].pop(0) if waiting.get(_key(file)) else None) for file in files]
    left = [copy for group in waiting.values() for copy in group]
    if len(left) != sum(copy is None for _, copy in paired):
        left = []
    rest = iter(left)
    return tuple(attrs.evolve(file, substitute=copy or next(rest, None)) for file, copy in paired)


def _key(file: InboundAttachment) -> str:
    return file.content_id or file.original_filename or file.content_type
