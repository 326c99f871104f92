"""Hostile messages, written in every way there is: no header holds a line break of its input."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from fuzz.campaign import Campaign, Finding, Tally
from fuzz.hostile_messages import fields
from mailcore import (
    Adapter,
    Address,
    Attachment,
    Context,
    HttpRequest,
    InboundMessage,
    InvalidMessage,
    Message,
    MimeBody,
)
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

__all__ = ["attack", "broken", "made"]

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
CONTEXT = Context(now=NOW, created=NOW, unique="0" * 32, idempotency_key="key")
ADDRESS_FIELDS = {"From": "from_", "To": "to", "Cc": "cc", "Bcc": "bcc", "Reply-To": "reply_to"}
#: Headers that a writer makes of the fields drawn here.
_WRITTEN = {*map(str.lower, ADDRESS_FIELDS), "date", "message-id", "subject", "in-reply-to", "references",
            "list-unsubscribe", "mime-version", "sender", "x-one", "x-two"}  # fmt: skip
_PART = {"content-type", "content-transfer-encoding", "content-disposition", "content-id"}
_BROKEN = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00")
_LINE = re.compile(rb"[!-9;-~]+:.*|[ \t].+", re.DOTALL)
_FORBIDDEN = re.compile("[\r\n\0]")
#: Fields that are bodies, of which lines are the nature.
_BODIES = ("textbody", "htmlbody", "text", "html")
_MAILPACE_LISTS = {"from": "from_", "to": "to", "cc": "cc", "bcc": "bcc", "replyto": "reply_to"}

Headers: TypeAlias = "Sequence[tuple[str, str]]"


def made(drawn: dict[str, Any]) -> Message:
    """
    Return the message of drawn fields.

    Raises:
        InvalidMessage: They hold what no mail may.
    """
    given = dict(drawn)
    for name in ADDRESS_FIELDS.values():
        if name in given:
            given[name] = [Address(*pair) for pair in given[name]]
    if "attachments" in given:
        given["attachments"] = [Attachment(**file) for file in given["attachments"]]
    return Message(**given).resolve()


def broken(message: Message) -> Iterator[str]:
    """Write a message in every way and yield each promise that does not hold."""
    for write, read_back in WAYS:
        try:
            written = write(message)
        except InvalidMessage:
            continue  # refused: too long for any header line
        yield from read_back(message, *written)


# MIME -----------------------------------------------------------------------------------------------


def _mime(message: Message) -> tuple[bytes]:
    return (b"".join(MimeBody(message, created=NOW, unique="0" * 32, include_bcc=True)),)


def _mime_faults(message: Message, raw: bytes) -> Iterator[str]:
    head = raw.partition(b"\r\n\r\n")[0]
    if _BROKEN.search(head) or not all(map(_LINE.fullmatch, head.split(b"\r\n"))):
        yield "MIME: a header holds a line break or NUL"
    parsed = BytesParser(policy=policy.compat32).parsebytes(raw)
    for part in parsed.walk():
        known = _PART | (_WRITTEN if part is parsed else set())
        if not known.issuperset(map(str.lower, part.keys())):
            yield f"MIME: headers nobody gave: {set(map(str.lower, part.keys())) - known}"
    read = InboundMessage(raw=raw)
    for name in ADDRESS_FIELDS.values():
        if _shown(getattr(read, name)) != _shown(getattr(message, name) or ()):
            yield f"MIME: {name} reads back as others"


def _shown(addresses: Iterable[Address]) -> list[tuple[str, str]]:
    """Return what a reader sees; how many spaces part the words of a name is not fixed in MIME."""
    shown = [(one.ascii_spec, " ".join(filter(None, one.display_name.split(" ")))) for one in addresses]
    return list(dict.fromkeys(shown))


# Requests -------------------------------------------------------------------------------------------


@cache
def _adapter(name: str) -> Adapter:
    """Return an adapter; the references are packages of the conformance suite's tests."""
    if name == "mailpace":
        return MailPaceAdapter(MailPaceOptions(api_key="token"))
    folder = str(ROOT / "conformance_tests" / "tests")
    if folder not in sys.path:
        sys.path.append(folder)
    from reference import form_api, multipart_api

    if name == "form":
        return form_api.FormAdapter(form_api.FormOptions(api_key="key"))
    return multipart_api.MultipartAdapter(multipart_api.MultipartOptions(api_key="key"))


def _request(name: str, message: Message) -> tuple[bytes, Headers]:
    request = _adapter(name).build_send(message, CONTEXT)
    assert isinstance(request, HttpRequest)  # noqa: S101  # reason: none of them sends otherwise
    headers = [(name, value) for name, value in request.headers if isinstance(value, str)]
    return b"".join(request.body if not isinstance(request.body, bytes) else (request.body,)), headers


def _request_faults(name: str, pairs: Iterable[tuple[str, str]], headers: Headers) -> Iterator[str]:
    for field, value in (*pairs, *headers):
        if _FORBIDDEN.search(field) or (field not in _BODIES and _FORBIDDEN.search(value)):
            yield f"{name}: {field!r} holds a line break or NUL"


def _exact(addresses: Iterable[Address]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((one.ascii_spec, one.display_name) for one in addresses))


def _list_faults(name: str, field: str, text: str, addresses: Iterable[Address]) -> Iterator[str]:
    if _exact(Address.parse_list(text)) != _exact(addresses):
        yield f"{name}: {field} reads back as others"


def _mailpace_faults(message: Message, body: bytes, headers: Headers) -> Iterator[str]:
    document = json.loads(body)
    yield from _request_faults("mailpace", _leaves(document), headers)
    for field, ours in _MAILPACE_LISTS.items():
        if field in document:
            yield from _list_faults("mailpace", field, document[field], getattr(message, ours))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    elif isinstance(value, str):
        yield name, value


def _form_faults(message: Message, body: bytes, headers: Headers) -> Iterator[str]:
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    yield from _request_faults("form", pairs, headers)
    for field in ("to", "cc", "bcc"):
        values = [value for name, value in pairs if name == field]
        found = [address for value in values for address in Address.parse_list(value)]
        if _exact(found) != _exact(getattr(message, field) or ()) or len(found) != len(values):
            yield f"form: {field} reads back as others"


def _multipart_faults(message: Message, body: bytes, headers: Headers) -> Iterator[str]:
    yield from _request_faults("multipart", (), headers)
    kind = dict(headers)["Content-Type"].encode("ascii")
    parsed = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
    fields = _adapter("multipart").fields(message, CONTEXT)  # type: ignore[attr-defined]  # reason: of the reference
    parts = list(parsed.iter_parts())
    if len(parts) != len(fields):
        yield f"multipart: {len(fields)} fields became {len(parts)} parts"
    for part, (_, value) in zip(parts, fields, strict=False):
        if not {"content-disposition", "content-type"}.issuperset(map(str.lower, part.keys())):
            yield "multipart: a part has headers nobody gave"
        if isinstance(value, str) and part.get_payload(decode=True) != value.encode():
            yield "multipart: a field reads back as another"
    for field in ("to", "cc", "bcc"):
        for name, value in fields:
            if name == field:
                yield from _list_faults("multipart", field, value, getattr(message, field))


#: How a message is written, and how that is read back.
WAYS: Sequence[tuple[Callable[[Message], Any], Callable[..., Iterator[str]]]] = (
    (_mime, _mime_faults),
    (partial(_request, "mailpace"), _mailpace_faults),
    (partial(_request, "form"), _form_faults),
    (partial(_request, "multipart"), _multipart_faults),
)

# A campaign -----------------------------------------------------------------------------------------


def attack(seed: int, count: int) -> Tally:
    """Draw, make and write that many messages."""
    chance, tally = random.Random(seed), Tally()
    for _ in range(count):
        drawn = fields(chance)
        tally.findings += [Finding(one, repr(drawn).encode()) for one in attempt(drawn, tally.counts.update)]
    return tally


def attempt(drawn: dict[str, Any], count: Callable[[Iterable[str]], object]) -> list[str]:
    """Make and write one message; return the promises that do not hold."""
    try:
        message = made(drawn)
    except InvalidMessage:
        count(["refused"])
        return []
    except Exception as error:  # noqa: BLE001  # reason: that another is raised is the finding
        return [f"raised {type(error).__name__}: {error}"]
    count(["written"])
    try:
        return list(broken(message))
    except Exception as error:  # noqa: BLE001  # reason: the same
        return [f"raised {type(error).__name__}: {error}"]


CAMPAIGN = Campaign(name="Hostile messages", unit="messages", default=1_000_000, attack=attack)
main = CAMPAIGN.main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
