"""The structure of a mail: which bytes are headers, which are the body of which part.

Rule 1: a part is a range of the mail's bytes. Nothing is copied, so a mail costs what it weighs.
Rule 2: work is bounded before it is done: parts, depth, headers. A mail beyond a bound has no structure.
Rule 3: an outer boundary ends whatever is inside it, and an attached message is never looked into.

The standard library's parser is not used: 20 MB of line ends take it 26 s and 600 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

import attrs

from mailcore._inbound.defect import DefectCode, DefectLog
from mailcore._media_type import is_media_type
from mailcore._mime.header_reader import parameters, unfold
from mailcore._mime.transfer import Encoded

__all__ = ["CapExceeded", "HeaderFields", "MimePart", "check_headers", "parse_headers", "parse_tree"]

MAX_PARTS = 1_000
MAX_DEPTH = 50
MAX_HEADERS = 1_000
MAX_HEADER_BYTES = 64 * 1024
MAX_BLOCK_BYTES = 1024 * 1024
MAX_BOUNDARY = 200

#: Raw headers in order: name as written, value as it stands in the mail (folded).
HeaderFields: TypeAlias = tuple[tuple[str, bytes], ...]

_BREAK = re.compile(rb"\r\n|\r|\n")
# One header with its continuation lines. Possessive: no input makes it go back.
_HEADER = re.compile(rb"([!-9;-~]*+)[ \t]*+:([^\r\n]*+(?:(?:\r\n|\r|\n)[ \t][^\r\n]*+)*+)(?:\r\n|\r|\n|\Z)")
_ENVELOPE_LINE = re.compile(rb">?From [^\r\n]*+(?:\r\n|\r|\n|\Z)")


class CapExceeded(Exception):
    """Stop reading: the mail is beyond a bound."""

    def __init__(self, code: DefectCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@attrs.frozen(kw_only=True)
class MimePart:
    """
    One part of a mail.

    Attributes:
        where: Its place, such as `part 1.2`; the mail itself is `part 0`.
        content_type: `type/subtype` in lower case, `text/plain` where there is none that is valid.
        params: Parameters of `Content-Type`, decoded.
        body: Its content, or everything between its headers and its end.
        children: The parts of a multipart.
    """

    where: str
    headers: HeaderFields
    content_type: str
    params: dict[str, str]
    body: Encoded
    children: tuple[MimePart, ...] = ()

    def header(self, name: str, log: DefectLog) -> str:
        """Return the first header of that lower-case name, unfolded but not decoded; or ""."""
        return _first(self.headers, name, log, self.where)

    def leaves(self) -> Iterator[MimePart]:
        """Yield the parts that are no multipart, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def _first(headers: HeaderFields, name: str, log: DefectLog, where: str) -> str:
    for key, value in headers:
        if key.lower() == name:
            return unfold(value, log, where)
    return ""


def parse_headers(raw: bytes, start: int, end: int, log: DefectLog, where: str) -> tuple[HeaderFields, int]:
    """
    Return the headers that begin at `start`, and where the body begins.

    Raises:
        CapExceeded: More than 1,000 headers, or 1 MiB of them.
    """
    found: list[tuple[str, bytes]] = []
    at, limit = _skip_envelope_line(raw, start, end), min(end, start + MAX_BLOCK_BYTES)
    for _ in range(MAX_HEADERS + 1):
        line_end = _BREAK.match(raw, at, end)
        if at >= end or line_end:
            return tuple(found), line_end.end() if line_end else end
        match = _HEADER.match(raw, at, limit)
        if at >= limit:
            break
        if match is None:
            log.add(DefectCode.BAD_HEADER_LINE, where, "A line among the headers is not a header.")
            return tuple(found), at
        at = match.end()
        _keep(match[1].decode("ascii"), match[2], found, log, where)
    raise CapExceeded(DefectCode.TOO_MANY_HEADERS, f"More than {MAX_HEADERS} headers, or 1 MiB of them.")


def check_headers(fields: HeaderFields, log: DefectLog, where: str) -> HeaderFields:
    """
    Return headers that came without a raw mail, under the same bounds.

    Raises:
        CapExceeded: More than 1,000.
    """
    if len(fields) > MAX_HEADERS:
        raise CapExceeded(DefectCode.TOO_MANY_HEADERS, f"More than {MAX_HEADERS} headers.")
    found: list[tuple[str, bytes]] = []
    for name, value in fields:
        _keep(name, value, found, log, where)
    return tuple(found)


def _skip_envelope_line(raw: bytes, start: int, end: int) -> int:
    match = _ENVELOPE_LINE.match(raw, start, end)
    return match.end() if match else start


def _keep(name: str, value: bytes, found: list[tuple[str, bytes]], log: DefectLog, where: str) -> None:
    if len(name) + len(value) > MAX_HEADER_BYTES:
        log.add(DefectCode.HEADER_TOO_LONG, where, f"The header {name[:50]!r} is longer than 64 KiB.")
    elif not name:
        log.add(DefectCode.BAD_HEADER_LINE, where, "A header has no name.")
    else:
        found.append((name, value))


def parse_tree(raw: bytes, log: DefectLog) -> MimePart:
    """
    Return the structure of a whole mail.

    Raises:
        CapExceeded: More parts, depth or headers than are read.
    """
    return _Parser(raw, log).part(0, len(raw), "0", "text/plain")


class _Parser:
    """Read parts within ranges; what is counted is counted over the whole mail."""

    def __init__(self, raw: bytes, log: DefectLog) -> None:
        self.raw = raw
        self.log = log
        self.parts = 0
        self.header_bytes = 0

    def part(self, start: int, end: int, path: str, default: str) -> MimePart:
        where = f"part {path}"
        headers, body = parse_headers(self.raw, start, end, self.log, where)
        self._count(body - start, path)
        media_type, params = self._content_type(headers, where, default)
        encoding = _first(headers, "content-transfer-encoding", self.log, where).partition(";")[0]
        children: tuple[MimePart, ...] = ()
        if media_type.startswith("multipart/"):
            encoding = ""  # only its parts may have one (RFC 2045, section 6.4)
            children = self._children(body, end, path, media_type, params.get("boundary", ""))
            media_type = media_type if children else "text/plain"
        content = Encoded(data=self.raw, encoding=encoding.strip().lower(), start=body, end=end)
        return MimePart(
            where=where,
            headers=headers,
            content_type=media_type,
            params=params,
            body=content,
            children=children,
        )

    def _count(self, header_bytes: int, path: str) -> None:
        self.parts += 1
        self.header_bytes += header_bytes
        if self.parts > MAX_PARTS:
            raise CapExceeded(DefectCode.TOO_MANY_PARTS, f"More than {MAX_PARTS} parts.")
        if path.count(".") >= MAX_DEPTH:
            raise CapExceeded(DefectCode.TOO_DEEP, f"Nested more than {MAX_DEPTH} levels deep.")
        if self.header_bytes > MAX_BLOCK_BYTES:
            raise CapExceeded(DefectCode.TOO_MANY_HEADERS, "More than 1 MiB of headers.")

    def _content_type(self, headers: HeaderFields, where: str, default: str) -> tuple[str, dict[str, str]]:
        text = _first(headers, "content-type", self.log, where)
        if not text:
            return default, {}
        media_type, params = parameters(text, self.log, where)
        return (media_type if is_media_type(media_type) else "text/plain"), params

    def _children(
        self, start: int, end: int, path: str, media_type: str, boundary: str
    ) -> tuple[MimePart, ...]:
        where = f"part {path}"
        boundary = boundary.rstrip()
        usable = 0 < len(boundary) <= MAX_BOUNDARY
        spans = list(islice(self._spans(start, end, boundary, where), MAX_PARTS + 1)) if usable else []
        if not spans:
            self.log.add(DefectCode.NO_BOUNDARY, where, "A multipart without a usable boundary.")
        default = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
        prefix = "" if path == "0" else f"{path}."
        return tuple(
            self.part(first, last, f"{prefix}{number}", default)
            for number, (first, last) in enumerate(spans, 1)
        )

    def _spans(self, start: int, end: int, boundary: str, where: str) -> Iterator[tuple[int, int]]:
        begin = -1
        for match in _delimiter(boundary).finditer(self.raw, start, end):
            if begin >= 0:
                yield begin, max(begin, _before_break(self.raw, match.start()))
            if match[1]:
                return
            line_end = _BREAK.match(self.raw, match.end(), end)
            begin = line_end.end() if line_end else end
        if begin >= 0:
            self.log.add(DefectCode.UNCLOSED, where, "The closing boundary is missing.")
            yield begin, end


def _delimiter(boundary: str) -> re.Pattern[bytes]:
    literal = re.escape(b"--" + boundary.encode("utf-8", "replace"))
    # The text comes first, so that the search is for a literal; only then: does it begin a line?
    return re.compile(literal + rb"(?<=[\r\n]" + literal + rb")(--)?[ \t]*+(?=[\r\n]|\Z)")


def _before_break(raw: bytes, at: int) -> int:
    """Return where the line break that ends just before `at` begins; it belongs to the boundary."""
    if raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1
