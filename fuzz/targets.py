"""What a coverage-guided fuzzer calls with any bytes; each raises `Broken` where a promise does not hold."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache

from fuzz.corpus import items
from fuzz.deliveries import HEADER, Delivery, Spy, receiver, samples, signature
from fuzz.inbound import promises_of_mail
from fuzz.webhooks import broken
from mailcore import (
    Address,
    InboundMessage,
    InvalidAddress,
    InvalidDocument,
    WebhookReceiver,
    WebhookRequest,
    strict_json,
)

__all__ = ["TARGETS", "Broken", "seeds"]

#: Larger inputs are in the corpus; here they only cost time.
MAX_SEED = 4000


class Broken(AssertionError):
    """A promise did not hold."""


@cache
def _receiver() -> tuple[Spy, WebhookReceiver]:
    spy = Spy()
    return spy, receiver(spy)


def webhook(data: bytes) -> None:
    """Deliver a body, with a header that is right, or the next bytes, or there twice."""
    way, kind = (data[0] & 7, data[0] >> 7) if data else (0, 0)
    body = data[65:] if way else data[1:]
    texts = {
        0: [signature(body)],
        1: [b64encode(data[1:65]).decode()],
        2: [data[1:65].decode("latin-1")],
        3: [],
    }
    values = texts.get(way, [signature(body), data[1:65].decode("latin-1")])
    headers = tuple((HEADER, value) for value in values)
    delivery = Delivery(kind="inbound" if kind else "tracking", headers=headers, body=body)
    spy, target = _receiver()
    found = broken(delivery, target, spy, Counter())
    if found is not None:
        raise Broken(found)


def inbound(data: bytes) -> None:
    """Read a mail."""
    found = promises_of_mail(data)
    if found:
        raise Broken(found[0])


def address(data: bytes) -> None:
    """Parse a list of addresses, write it, and parse it again; and read it from a received mail."""
    text = data.decode("utf-8", "surrogateescape")
    promised = InboundMessage(raw=b"To: " + data.replace(b"\r", b" ").replace(b"\n", b" ") + b"\r\n\r\n").to
    try:
        found = Address.parse_list(text)
    except InvalidAddress:
        found = promised
    written = ", ".join(one.to_text() for one in found)
    again = Address.parse_list(written) if written else ()
    shown = dict.fromkeys((one.ascii_spec, one.display_name) for one in found)
    if [(one.ascii_spec, one.display_name) for one in again] != list(shown):
        raise Broken("A list does not survive being written.")


def document(data: bytes) -> None:
    """Read JSON; what is accepted means what others take it for."""
    try:
        found = strict_json(data)
    except InvalidDocument:
        return
    other = json.loads(data.decode("utf-8"))
    if found != other and "\ufffd" not in repr(found):
        raise Broken("It means something else to another reader.")
    json.dumps(found, ensure_ascii=False).encode()


def form(data: bytes) -> None:
    """Read a form; what is read can be stored."""
    try:
        found = WebhookRequest(body=data).form()
    except InvalidDocument:
        return
    for name, values in found.items():
        for text in (name, *values):
            text.encode()
            if "\0" in text:
                raise Broken("A field holds NUL.")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "webhook": webhook,
    "inbound": inbound,
    "address": address,
    "json": document,
    "form": form,
}


def seeds(name: str) -> list[bytes]:
    """Return what the fuzzer begins with."""
    mails = [data for made, _, data in items() if len(data) <= MAX_SEED and not made.is_payload]
    bodies = [data for made, _, data in items() if len(data) <= MAX_SEED and made.is_payload]
    delivered = [sample.body for sample in samples()]
    lists = [value for mail in mails for value in mail.split(b"\r\n") if b"@" in value]
    fields = [b"a=1&b=%C3%A4+%2B&a=2", b"a=", b"a%00=b%00", b"&".join([b"a=1"] * 20), b"a=%ED%A0%80"]
    return {
        "webhook": [
            bytes([way]) + bytes(64 if way & 7 else 0) + body for body in delivered for way in (0, 1, 4, 128)
        ],
        "inbound": mails,
        "address": [value.partition(b": ")[2] or value for value in lists],
        "json": [*delivered, *bodies],
        "form": fields,
    }[name]
