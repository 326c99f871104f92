"""Header values from strangers to text: folding, RFC 2047 words, RFC 2231 parameters.

Rule 1: each step is linear in the length of the value, and has a result for any value.
Rule 2: decoding comes last. What a decoded word says is text; it never becomes structure.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Iterator

from mailcore._characters import LINE_BREAKS
from mailcore._inbound.defect import DefectCode, DefectLog
from mailcore._mime.charset import decode_text

__all__ = ["ENCODED_WORD", "decode_header", "decode_words", "parameters", "scrub", "unfold"]

_FOLD = re.compile(r"(?:\r\n|\r|\n)(?=[ \t])")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

ENCODED_WORD = re.compile(r"=\?([^?\s]{1,100})\?([bBqQ])\?([^?\r\n]*)\?=")
_QP = re.compile(rb"=([0-9A-Fa-f]{2})")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")

_PARAMETER = re.compile(r';[ \t]*+([^\s=;"]++)[ \t]*+=[ \t]*+("(?:[^"\\]|\\.)*+"?|[^;]*+)')
_EXTENDED = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*?)")
#: Parameters that mail programs write as encoded words, though RFC 2047 forbids it.
_WORDY = frozenset({"filename", "name"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def unfold(value: bytes, log: DefectLog, where: str) -> str:
    """Return a raw header value as one line of text; 8-bit bytes are UTF-8 (RFC 6532)."""
    text = str(value, "utf-8", "replace")
    if "\ufffd" in text:
        log.add(DefectCode.BAD_ENCODED_TEXT, where, "Some bytes are not UTF-8; they were replaced.")
    return _FOLD.sub("", text).strip(" \t\r\n")


def scrub(text: str, log: DefectLog, where: str) -> str:
    """Return `text` without control characters: line breaks become spaces, others U+FFFD."""
    clean = _CONTROLS.sub("\ufffd", LINE_BREAKS.sub(" ", text))
    if clean != text.replace("\t", " "):
        log.add(DefectCode.SCRUBBED, where, "Control characters or line breaks were replaced.")
    return clean


def decode_header(text: str, log: DefectLog, where: str) -> str:
    """Return an unfolded value with its encoded words decoded, and then scrubbed."""
    return scrub(decode_words(text, log, where), log, where)


def decode_words(text: str, log: DefectLog, where: str) -> str:
    """Return `text` with each RFC 2047 word in place of what it stands for."""
    if "=?" not in text:
        return text
    return "".join(_decoded(text, log, where))


def _decoded(text: str, log: DefectLog, where: str) -> Iterator[str]:
    at, charset, held = 0, "", b""
    for match in ENCODED_WORD.finditer(text):
        between = text[at : match.start()]
        label = match[1].partition("*")[0].lower()  # the rest is a language (RFC 2231, section 5)
        # Space between two words is no text; a character may be split between them all the same.
        if held and (between.strip() or label != charset):
            yield decode_text(held, charset, log, where)
            held, between = b"", between if between.strip() else ""
        elif held:
            between = ""
        yield between
        charset, at = label, match.end()
        held += _word_bytes(match, log, where)
    if held:
        yield decode_text(held, charset, log, where)
    yield text[at:]


def _word_bytes(match: re.Match[str], log: DefectLog, where: str) -> bytes:
    content = match[3].encode("utf-8", "replace")
    if match[2] in "qQ":
        return _QP.sub(lambda found: bytes([int(found[1], 16)]), content.replace(b"_", b" "))
    try:
        return a2b_base64(content + b"=" * (-len(content) % 4))
    except Error:
        log.add(DefectCode.BAD_ENCODED_TEXT, where, "An encoded word is not valid base64.")
        return b"\xef\xbf\xbd" if match[1].lower().startswith("utf-8") else b"?"


def parameters(text: str, log: DefectLog, where: str) -> tuple[str, dict[str, str]]:
    """Return the main value, in lower case, and the parameters of a structured header, decoded."""
    value, _, _ = text.partition(";")
    found: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(text):
        extended = _EXTENDED.fullmatch(match[1].lower())
        if extended:
            name, number, star = extended.groups()
            form = "*" if star and number is None else ""  # `name*=` wins over `name=` (RFC 6266)
            pieces = found.setdefault(name + form, {})
            pieces.setdefault(int(number or 0), (_unquote(match[2]), bool(star)))
    plain = {name: _join(pieces, log, where) for name, pieces in found.items() if name[-1] != "*"}
    starred = {name[:-1]: _join(pieces, log, where) for name, pieces in found.items() if name[-1] == "*"}
    for name in _WORDY.intersection(plain):
        if not any(extended for _, extended in found[name].values()):
            plain[name] = decode_words(plain[name], log, where)
    return value.strip().lower(), {**plain, **starred}


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text.strip()
    return _ESCAPE.sub(r"\1", text[1:].removesuffix('"'))


def _join(pieces: dict[int, tuple[str, bool]], log: DefectLog, where: str) -> str:
    ordered = [pieces[number] for number in sorted(pieces)]
    if not any(extended for _, extended in ordered):
        return "".join(text for text, _ in ordered)
    charset, data = "", b""
    for position, (text, extended) in enumerate(ordered):
        piece = text
        if position == 0 and extended and text.count("'") >= 2:  # reason: charset'language'text
            charset, _, piece = text.split("'", 2)
        raw = piece.encode("utf-8", "replace")
        data += _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), raw) if extended else raw
    return decode_text(data, charset, log, where)
