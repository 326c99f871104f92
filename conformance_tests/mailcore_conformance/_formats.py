"""The formats that requests are written in, each read by its own rules.

Rule 1: what is wrapped in a format (JSON within a form field, MIME within base64) is read as well, and comes
        right after it, one level deeper.
Rule 2: names are texts too: some APIs say a header or a key of metadata as the name of a field.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

import attrs

__all__ = [
    "File",
    "Item",
    "Pairs",
    "Piece",
    "read_document",
    "read_fields",
    "read_format",
    "read_header",
    "read_text",
]

_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]+={0,2}\s*")
_MIME = re.compile(rb"(?:[!-9;-~]+:[ \t][^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*)+\r?\n")
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^";\s]+))', re.IGNORECASE)
#: A parameter of a form's part: as browsers write it, and with the backslashes of RFC 2616.
_BROWSERS = re.compile(r';\s*(name|filename)="([^"\r\n]*)"', re.IGNORECASE)
_ESCAPED = re.compile(r';\s*(name|filename)="((?:[^"\\\r\n]|\\.)*)"', re.IGNORECASE)
_EXTENDED = re.compile(r";\s*filename\*=utf-8''([^;\s]+)", re.IGNORECASE)
#: `attachments[0][name]`: what stands in `attachments[0]`.
_BRACKETS = re.compile(r"(.+)\[[^\[\]]*\]")
#: Formats within formats: a MIME message in base64 in a form field is three.
MAX_NESTING = 4
#: More characters than a label has.
MAX_LABEL = 1000
#: No format is wrapped in a text longer than this; a large file would only cost time.
MAX_WRAPPED = 200_000

#: What is said of some content beside it: name and text.
Pairs: TypeAlias = tuple[tuple[str, str], ...]


@attrs.frozen
class Piece:
    """
    One text of a request.

    Attributes:
        path: Where it stands, such as `body.to[0].email`.
        within: The object, list of fields or part that it stands in.
        literal: Whether it is no text but a JSON number, true, false, null, or something empty.
        depth: In how many formats it is wrapped.
        quoted: Whether it stood within quotation marks of its own, as JSON.
    """

    path: str
    text: str
    within: str = ""
    literal: bool = False
    depth: int = 0
    quoted: bool = False

    @property
    def shown(self) -> str:
        """The text as a reason shows it: what is no text, as JSON writes it."""
        return self.text if self.literal else repr(self.text)


@attrs.frozen
class File:
    """
    One piece of binary content.

    Attributes:
        beside: What is said of it: the fields beside it, or its headers.
    """

    path: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    beside: Pairs = ()
    depth: int = 0

    @property
    def labels(self) -> str:
        """All that is said of it, in one text."""
        return " ".join(text for _, text in self.beside)


Item: TypeAlias = Piece | File


def read_format(content_type: str, body: bytes, path: str) -> Iterator[Item]:
    """Return all that a body of that type says."""
    kind = content_type.lower()
    if "multipart/form-data" in kind:
        yield from _form_data(content_type, body, path)
    elif "x-www-form-urlencoded" in kind:
        yield from read_fields(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True), path)
    elif "json" in kind:
        yield from _json_text(body, path)
    elif "message/" in kind:
        yield from _mime(body, path, 0)
    elif body:
        yield from _content(body, path, 0, (("content type", content_type),))


def _json_text(body: bytes, path: str) -> Iterator[Item]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        yield Piece(path, body.decode("utf-8", "replace"))
    else:
        yield from read_document(document, path)


def read_document(
    value: Any, path: str, depth: int = 0, beside: Pairs = (), *, within: str = ""
) -> Iterator[Item]:
    """Return all that a JSON value says."""
    if isinstance(value, Mapping) and value:
        yield from _object(value, path, depth, beside)
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            inherited = () if isinstance(item, Mapping) else beside
            yield from read_document(item, f"{path}[{position}]", depth, inherited, within=within)
    elif isinstance(value, str):
        yield from read_text(value, path, depth, beside, within=within)
    else:
        yield Piece(path, json.dumps(value), within, literal=True, depth=depth)


def _object(value: Mapping[str, Any], path: str, depth: int, beside: Pairs) -> Iterator[Item]:
    said = beside + tuple((name, _label(item)) for name, item in value.items())
    for name, item in value.items():
        yield Piece(f"{path}.{name} (its name)", name, path, depth=depth)
        others = (("its name", name), *(pair for pair in said if pair[0] != name and pair[1]))
        yield from read_document(item, f"{path}.{name}", depth, others, within=path)


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) < MAX_LABEL else ""
    return "" if isinstance(value, Mapping | list) else json.dumps(value)


def read_text(text: str, path: str, depth: int, beside: Pairs = (), *, within: str = "") -> Iterator[Item]:
    """Return a text, and what is wrapped in it."""
    yield Piece(path, text, within, depth=depth)
    if depth >= MAX_NESTING or len(text) > MAX_WRAPPED:
        return
    if text.lstrip()[:1] in ("{", "["):
        yield from _wrapped_json(text, path, depth + 1)
        return
    if text[:1] == '"':
        yield from _quoted(text, path, depth + 1)
        return
    source = text.encode("utf-8", "surrogatepass")
    if _MIME.match(source):
        yield from _mime(source, path, depth + 1)
        return
    content = _from_base64(text)
    if content is not None:
        yield from _content(content, path, depth + 1, beside)


def read_header(text: str, path: str, depth: int = 0, *, within: str = "") -> Iterator[Item]:
    """Return a header's value; some APIs say fields in one, as JSON."""
    yield Piece(path, text, within, depth=depth)
    if text[:1] in ("{", "["):
        yield from _wrapped_json(text, path, depth + 1)


def _wrapped_json(text: str, path: str, depth: int) -> Iterator[Item]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from read_document(document, path, depth)


def _quoted(text: str, path: str, depth: int) -> Iterator[Item]:
    """Return a text that is JSON by itself: some APIs take values so, and nobody wants a subject so."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(said, str):
        yield Piece(path, said, depth=depth, quoted=True)


def _from_base64(text: str) -> bytes | None:
    compact = "".join(text.split())
    if not text:
        return b""
    if len(compact) % 4 or not _BASE64.fullmatch(text):
        return None
    try:
        return b64decode(compact, validate=True)
    except ValueError:
        return None


def _content(content: bytes, path: str, depth: int, beside: Pairs) -> Iterator[Item]:
    """Return a file. What it holds is its own business, or a second encoding would pass for none."""
    yield File(path, content, beside, depth)
    if len(content) > MAX_WRAPPED:
        return
    if _MIME.match(content):
        yield from _mime(content, path, depth + 1)
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    if text:
        yield Piece(f"{path} (decoded)", text, depth=depth + 1)


def _mime(source: bytes, path: str, depth: int) -> Iterator[Item]:
    from mailcore_conformance._mime import read_mime  # here: most adapters never need the email package

    return read_mime(source, path, depth)


# Forms ----------------------------------------------------------------------------------------------


def read_fields(pairs: Iterable[tuple[str, str]], path: str, joint: str = ".") -> Iterator[Item]:
    """Return all that the fields of a form (or of a URL's query) say."""
    fields = [(name, value, _within(name, path)) for name, value in pairs]
    for name, value, within in fields:
        beside = [(other, text) for other, text, place in fields if place == within != path and other != name]
        yield Piece(f"{path}{joint}{name} (its name)", name, within)
        yield from read_text(value, f"{path}{joint}{name}", 0, tuple(beside), within=within)


def _within(name: str, path: str) -> str:
    found = _BRACKETS.fullmatch(name)
    return f"{path}.{found[1]}" if found else path


def _form_data(content_type: str, body: bytes, path: str) -> Iterator[Item]:
    found = _BOUNDARY.search(content_type)
    if found is None:
        return
    delimiter = b"\r\n--" + (found[1] or found[2]).encode()
    texts: list[tuple[str, str]] = []
    for part in (b"\r\n" + body).split(delimiter)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        shown = head.decode("utf-8", "replace")
        names = _file_names(shown)
        name = next(
            (_unescape(value) for key, value in _BROWSERS.findall(shown) if key.lower() == "name"), ""
        )
        if names:
            yield from _file(f"{path}.{name}", name, names, shown, content)
        else:
            texts.append((name, content.decode("utf-8", "replace")))
    yield from read_fields(texts, path)


def _file_names(head: str) -> list[str]:
    """Return the file name as it may be read: providers go by one of these, each right by some standard."""
    readings = (
        [_unescape(value) for name, value in _BROWSERS.findall(head) if name.lower() == "filename"],
        [
            re.sub(r"\\(.)", r"\1", value)
            for name, value in _ESCAPED.findall(head)
            if name.lower() == "filename"
        ],
        [unquote(value) for value in _EXTENDED.findall(head)],
    )
    return list(dict.fromkeys(name for reading in readings for name in reading))


def _file(place: str, name: str, names: Sequence[str], head: str, content: bytes) -> Iterator[Item]:
    headers = [
        (header.strip(), value.strip()) for header, _, value in map(_split, head.strip().split("\r\n"))
    ]
    others = [pair for pair in headers if pair[0].lower() != "content-disposition"]
    yield Piece(f"{place} (its name)", name, place)
    for number, filename in enumerate(names):
        yield Piece(f"{place} (its {'other ' * number}file name)", filename, place)
    yield from (Piece(f"{place} {header}:", value, place) for header, value in others)
    beside = [*(("filename", filename) for filename in names), ("its name", name), *others]
    yield from _content(content, place, 0, tuple(beside))


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _unescape(value: str) -> str:
    """Undo what browsers escape in a name, and nothing else (HTML, section 4.10.21.8)."""
    return value.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
