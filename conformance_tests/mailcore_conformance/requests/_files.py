"""What a request says of the files in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

import attrs

from mailcore import Attachment, Body, FileContent, HttpRequest, Request, SmtpRequest
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._wire import File, Wire

__all__ = [
    "Watched",
    "body_of",
    "has_type",
    "interleaved",
    "lost",
    "made_of",
    "says",
    "says_id",
    "watched",
]

PIECE = 48 * 1024


@attrs.frozen(kw_only=True)
class Watched(FileContent):
    """A declared file that is on no disk, and counts how often it is read."""

    data: bytes
    reads: list[int]

    def __iter__(self) -> Iterator[bytes]:
        self.reads.append(1)
        for start in range(0, len(self.data), PIECE):
            yield self.data[start : start + PIECE]


def watched(size: int) -> Watched:
    """Return a declared file of that size."""
    return Watched(path="watched.bin", size=size, mtime_ns=0, data=made_of(size), reads=[])


def made_of(size: int) -> bytes:
    """Return that many bytes, of all values."""
    pattern = bytes((position * 7 + size) % 256 for position in range(256))
    return (pattern * (size // 256 + 1))[:size]


def says(file: File, text: str) -> bool:
    """Return whether a text is said of a file, whole."""
    return any(value == text for _, value in file.beside)


def says_id(file: File, content_id: str) -> bool:
    """Return whether a content id is said of a file, whole; APIs put brackets or a word around it."""
    whole = re.compile(rf"(?:^|[^\w.+@-]){re.escape(content_id)}(?:$|[^\w.+@-])")
    return any(whole.search(value) for _, value in file.beside)


def lost(wire: Wire, files: Iterable[Attachment]) -> Iterator[Attachment]:
    """Yield the attachments whose content does not arrive together with its own name."""
    for file in files:
        content = b"".join(file.pieces())
        name = file.filename or ""
        if not any(found.content == content and says(found, name) for found in wire.files):
            yield file


def has_type(file: File, media_type: str, parameters: Mapping[str, str]) -> bool:
    """Return whether a file is said to be of a type with those parameters, in any spelling."""
    return any(
        value.lower().startswith(media_type)
        and all(
            re.search(rf'(?i:\b{name}\s*=\s*)"?{re.escape(text)}"?\s*(?:;|$)', value)
            for name, text in parameters.items()
        )
        for _, value in file.beside
    )


def body_of(request: Request) -> bytes | Body:
    """Return what goes over the wire; a request that stays in this process has no such thing."""
    if isinstance(request, HttpRequest):
        return request.body
    if isinstance(request, SmtpRequest):
        return request.data
    raise NotApplicable("The adapter hands messages to something in this process; there is no body.")


def interleaved(body: Body) -> tuple[bytes, bytes]:
    """Read a body twice at once, piece by piece."""
    one, other = bytearray(), bytearray()
    for left, right in zip_longest(iter(body), iter(body), fillvalue=b""):
        one += left
        other += right
    return bytes(one), bytes(other)
