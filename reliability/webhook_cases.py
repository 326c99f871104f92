"""Deliveries, honest and not, and what an endpoint does with each, wherever it is embedded.

Rule: an expectation is written down here, not computed by what it is an expectation of.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from nacl.signing import SigningKey

from reliability.delivery import Delivery

__all__ = ["CASES", "COLUMNS", "KEY", "Case", "documented", "sign"]

SIGNING_KEY = SigningKey(b"a" * 32)
#: The key an endpoint is configured with.
KEY = base64.b64encode(bytes(SIGNING_KEY.verify_key)).decode()
OTHER_KEY = SigningKey(b"b" * 32)

SIGNATURE = "X-MailPace-Signature"
EVENTS, MAILS = "/mailpace/tracking/", "/mailpace/inbound/"
PAIR = "mailpace:example"


def compact(value: Any) -> bytes:
    """Return JSON as a provider writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


PAYLOAD = {"id": 1, "status": "delivered", "to": "bob@example.com", "updated_at": "2030-01-31T09:00:00Z"}
EVENT = compact({"event": "email.delivered", "payload": PAYLOAD})
RAW = "From: ada@example.com\r\nTo: in@example.com\r\nSubject: Grüße\r\n\r\nHallo\r\n"
MAIL = compact({"from": "ada@example.com", "headers": [], "messageId": "<a@example.com>", "raw": RAW})


def sign(body: bytes, key: SigningKey = SIGNING_KEY) -> str:
    """Return the signature of a body."""
    return base64.b64encode(key.sign(body).signature).decode()


def basic(pair: str) -> tuple[str, str]:
    """Return the header that presents a user and a password."""
    return "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"


def _settings(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"provider": "mailpace", "webhook_key": KEY, **given}


@attrs.frozen(kw_only=True)
class Case:
    """
    One row: deliveries, how the endpoint is configured, and what is to be seen.

    Attributes:
        status: Of each answer.
        headers: Of each answer, without its type and length.
        handled: How many things the handlers were given.
        quarantined: How many deliveries were kept for a person.
        spooled: How many wait for the handler.
        log: The lines, each as far as it matters.
        handler: `works`, `raises`, or `none`.
    """

    group: str
    name: str
    deliveries: tuple[Delivery, ...]
    config: Mapping[str, Any] = attrs.field(factory=dict, converter=_settings)
    store: bool = False
    spool: bool = False
    handler: str = "works"
    status: tuple[int, ...]
    headers: Mapping[str, str] = attrs.field(factory=dict)
    handled: int = 0
    quarantined: int = 0
    spooled: int = 0
    log: tuple[str, ...] = ()


COLUMNS = ("delivery", "status", "handled", "what becomes of it")


def documented(case: Case) -> tuple[str, str, str, str]:
    """Return a row as a page shows it."""
    became = [f"`{name}: {value}`" for name, value in case.headers.items()]
    became += ["kept for a person"] if case.quarantined else []
    became += ["waits in the spool"] if case.spooled else []
    became += [_reason(line) for line in case.log if "refused" in line]
    return case.name, ", ".join(map(str, case.status)), str(case.handled or ""), "; ".join(became)


def _reason(line: str) -> str:
    return line.partition("refused: ")[2]


_SIGNED = "signed"
CASES: list[Case] = []


def delivery(
    body: bytes = EVENT,
    *,
    path: str = EVENTS,
    method: str = "POST",
    signature: str | None = _SIGNED,
    headers: Iterable[tuple[str, str]] = (),
    length: str | None = "",
    sent: bytes | None = None,
) -> Delivery:
    """
    Return a delivery.

    Args:
        signature: None: there is none.
        length: What is announced. "": what is so. None: nothing, the body comes in pieces.
        sent: What comes, where it is not the body that was signed.
    """
    value = sign(body) if signature is _SIGNED else signature
    signed = () if value is None else ((SIGNATURE, value),)
    content = body if sent is None else sent
    return Delivery(
        method=method,
        path=path,
        headers=(("Content-Type", "application/json"), *signed, *headers),
        body=content,
        length=str(len(content)) if length == "" else length,
    )


def case(
    group: str, name: str, *deliveries: Delivery, status: int | tuple[int, ...], **expected: Any
) -> None:
    """Add a row."""
    every = status if isinstance(status, tuple) else (status,)
    CASES.append(Case(group=group, name=name, deliveries=deliveries, status=every, **expected))


ACCEPTED = {"status": 200, "handled": 1}


def refused(status: int, line: str, **more: Any) -> dict[str, Any]:
    """Return what is to be seen where a delivery is refused, and the log says why."""
    return {"status": status, "log": (f"A delivery to mailpace was refused: {line}",), **more}


def kept(status: int = 200, line: str = "A genuine delivery", **more: Any) -> dict[str, Any]:
    """Return what is to be seen where a delivery is kept for a person."""
    return {"status": status, "quarantined": 1, "log": (line,), **more}


MISSING = f"{SIGNATURE} is missing."
NOT_BASE64 = f"{SIGNATURE} is not the base64 of a signature."
FORGED = "No configured key verifies the signature."
LARGE = "It is too large."
CHALLENGE = {"www-authenticate": 'Basic realm="webhooks", charset="UTF-8"'}
NO_BASIC = "The delivery is not authenticated."

# fmt: off
# Each row is one line, however long.

# Genuine ------------------------------------------------------------------------------------------

G = "Genuine"
case(G, "an event", delivery(), **ACCEPTED)
case(G, "an incoming mail", delivery(MAIL, path=MAILS), **ACCEPTED)
case(G, "an event, in pieces without a length", delivery(length=None), **ACCEPTED)
case(G, "an incoming mail, in pieces without a length", delivery(MAIL, path=MAILS, length=None), **ACCEPTED)
case(G, "a large mail", delivery(MAIL.replace(b"Hallo", b"Hallo " * 60_000), path=MAILS), **ACCEPTED)
case(G, "an event of a kind that nobody knows", delivery(compact({"event": "email.teleported", "payload": PAYLOAD})), **ACCEPTED)
case(G, "an event, its text in Unicode", delivery(compact({"event": "email.delivered", "payload": {**PAYLOAD, "subject": "Grüße ✉ 你好"}})), **ACCEPTED)
case(G, "two events, one after the other", delivery(), delivery(), status=(200, 200), handled=2)
case(
    G,
    "the same event twice, with a replay store",
    delivery(),
    delivery(),
    status=(200, 200),
    handled=1,
    store=True,
)
case(G, "the same mail twice, with a replay store", delivery(MAIL, path=MAILS), delivery(MAIL, path=MAILS), status=(200, 200), handled=1, store=True)
case(G, "the key is the second of two", delivery(), config={"webhook_key": ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", KEY]}, **ACCEPTED)

# Forged -------------------------------------------------------------------------------------------

F = "Forged"
case(F, "no signature", delivery(signature=None), **refused(401, MISSING))
case(F, "no signature, on a mail", delivery(MAIL, path=MAILS, signature=None), **refused(401, MISSING))
case(F, "an empty signature", delivery(signature=""), **refused(401, NOT_BASE64))
case(F, "signed by another key", delivery(signature=sign(EVENT, OTHER_KEY)), **refused(401, FORGED))
case(F, "a mail, signed by another key", delivery(MAIL, path=MAILS, signature=sign(MAIL, OTHER_KEY)), **refused(401, FORGED))
case(F, "the signature of another body", delivery(sent=EVENT.replace(b"1", b"2", 1)), **refused(401, FORGED))
case(F, "a byte more", delivery(sent=EVENT + b"\n"), **refused(401, FORGED))
case(F, "a byte less", delivery(sent=EVENT[:-1]), **refused(401, FORGED))
case(F, "a byte order mark before it", delivery(sent=b"\xef\xbb\xbf" + EVENT), **refused(401, FORGED))
case(
    F,
    "written anew, with spaces",
    delivery(sent=json.dumps(json.loads(EVENT)).encode()),
    **refused(401, FORGED),
)
case(F, "no body", delivery(sent=b""), **refused(401, FORGED))
case(F, "the signature stands before the body, and not in a header", delivery(SIGNING_KEY.sign(EVENT), signature=None), **refused(401, MISSING))
case(F, "the signature is cut off", delivery(signature=sign(EVENT)[:-4]), **refused(401, NOT_BASE64))
case(F, "the signature is no base64", delivery(signature="!" * 88), **refused(401, NOT_BASE64))
case(F, "the signature has spaces in it", delivery(signature=f"{sign(EVENT)[:40]} {sign(EVENT)[40:]}"), **refused(401, NOT_BASE64))
case(F, "the signature is in hexadecimal", delivery(signature=SIGNING_KEY.sign(EVENT).signature.hex()), **refused(401, NOT_BASE64))
case(
    F,
    "the signature is there twice",
    delivery(headers=[(SIGNATURE, sign(EVENT))]),
    **refused(401, NOT_BASE64),
)
case(F, "a genuine signature, and a forged one", delivery(headers=[(SIGNATURE, sign(EVENT, OTHER_KEY))]), **refused(401, NOT_BASE64))
case(F, "two signatures in one header", delivery(signature=f"{sign(EVENT)},{sign(EVENT)}"), **refused(401, NOT_BASE64))
case(F, "a header in Latin-1", delivery(signature="é" * 88), **refused(401, NOT_BASE64))
case(F, "the name of the header in small letters", delivery(signature=None, headers=[(SIGNATURE.lower(), sign(EVENT))]), **ACCEPTED)

# Basic auth ---------------------------------------------------------------------------------------

B = "Basic auth, where it is configured"
SECRET = {"webhook_secret": PAIR}
case(B, "the right pair", delivery(headers=[basic(PAIR)]), config=SECRET, **ACCEPTED)
case(B, "the second of two pairs", delivery(headers=[basic(PAIR)]), config={"webhook_secret": ["old:pair", PAIR]}, **ACCEPTED)
case(B, "the right pair, and no signature", delivery(signature=None, headers=[basic(PAIR)]), config=SECRET, **refused(401, MISSING, headers=CHALLENGE))
for name, given in {
    "no pair": [],
    "a wrong password": [basic("mailpace:another")],
    "a wrong user": [basic("somebody:example")],
    "a password in Unicode": [basic("mailpace:pässwörd✉")],
    "another scheme": [("Authorization", "Bearer abc")],
    "no base64": [("Authorization", "Basic !!!")],
    "the right pair twice": [basic(PAIR), basic(PAIR)],
}.items():
    case(B, name, delivery(headers=given), config=SECRET, **refused(401, NO_BASIC, headers=CHALLENGE))
case(
    B,
    "no pair, on a mail",
    delivery(MAIL, path=MAILS),
    config=SECRET,
    **refused(401, NO_BASIC, headers=CHALLENGE),
)

# Size ---------------------------------------------------------------------------------------------

S = "Size"
for kind, path, body, setting in (
    ("an event", EVENTS, EVENT, "max_event_bytes"),
    ("a mail", MAILS, MAIL, "max_inbound_bytes"),
):
    size = len(body)
    case(S, f"{kind} as large as allowed", delivery(body, path=path), config={setting: size}, **ACCEPTED)
    case(S, f"{kind} as large as allowed, in pieces", delivery(body, path=path, length=None), config={setting: size}, **ACCEPTED)
    case(S, f"{kind}, one byte too large", delivery(body, path=path), config={setting: size - 1}, **refused(413, LARGE))
    case(S, f"{kind}, one byte too large, in pieces", delivery(body, path=path, length=None), config={setting: size - 1}, **refused(413, LARGE))
case(S, "a length that nobody can send", delivery(length="9" * 30), **refused(413, LARGE))
case(S, "a large delivery without a signature", delivery(b"x" * 5000, signature=None), config={"max_event_bytes": 4000}, **refused(413, LARGE))
case(
    S,
    "a body that ends before its announced length",
    delivery(sent=EVENT[:9], length=str(len(EVENT))),
    status=400,
)
case(
    S,
    "a mail that ends before its announced length",
    delivery(MAIL, path=MAILS, sent=b"", length="9"),
    status=400,
)

# Methods ------------------------------------------------------------------------------------------

M = "Method and encoding"
ALLOW = {"allow": "POST, HEAD"}
for path in (EVENTS, MAILS):
    case(
        M,
        f"HEAD {path}",
        delivery(b"", path=path, method="HEAD", signature=None),
        **refused(200, "It is no POST."),
    )
    for method in ("GET", "PUT"):
        case(M, f"{method} {path}", delivery(b"", path=path, method=method, signature=None), **refused(405, "It is no POST.", headers=ALLOW))
for method in ("PATCH", "DELETE", "OPTIONS", "TRACE"):
    case(M, f"{method}, signed", delivery(method=method), **refused(405, "It is no POST.", headers=ALLOW))
for encoding in ("gzip", "br", "GZIP", "identity, gzip"):
    case(M, f"Content-Encoding: {encoding}", delivery(headers=[("Content-Encoding", encoding)]), **refused(415, "It is compressed."))
case(M, "Content-Encoding twice, identity and gzip", delivery(headers=[("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]), **refused(415, "It is compressed."))
case(M, "Content-Encoding: identity", delivery(headers=[("Content-Encoding", "identity")]), **ACCEPTED)
for media in (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "nonsense",
):
    sent = attrs.evolve(delivery(), headers=((SIGNATURE, sign(EVENT)), ("Content-Type", media)))
    case(M, f"Content-Type: {media}", sent, **ACCEPTED)

# Paths --------------------------------------------------------------------------------------------

P = "Path"
case(P, "no slash at the end", delivery(path=EVENTS.rstrip("/")), **ACCEPTED)
case(P, "no slash at the end, of a mail", delivery(MAIL, path=MAILS.rstrip("/")), **ACCEPTED)
case(P, "`inbound_mime`, as Mailgun wants it", delivery(MAIL, path="/mailpace/inbound_mime"), **ACCEPTED)
case(P, "a letter of it is percent-encoded", delivery(path="/mailp%61ce/tracking/"), **ACCEPTED)
case(P, "a query", delivery(path=f"{EVENTS}?token=abc&x=%20"), **ACCEPTED)
for name, path in {
    "a provider that there is not": "/postmark/tracking/",
    "a provider without webhooks": "/memory/tracking/",
    "a kind that there is not": "/mailpace/sideways/",
    "a kind in capitals": "/mailpace/TRACKING/",
    "a provider in Unicode": "/%E2%9C%89/tracking/",
}.items():
    case(P, name, delivery(path=path), status=404)
case(
    P,
    "HEAD of a kind that there is not",
    delivery(b"", path="/mailpace/sideways/", method="HEAD"),
    status=404,
)

# Genuine, and not understood ----------------------------------------------------------------------

U = "Genuine, and not understood"
for name, body in {
    "no JSON": b"no json",
    "no UTF-8": b'{"event":"email.delivered\xff","payload":{"id":1}}',
    "UTF-16": EVENT.decode().encode("utf-16"),
    "JSON nested 100 levels deep": b"[" * 100 + b"]" * 100,
    "a key twice": b'{"event":"email.delivered","event":"email.bounced","payload":{"id":1}}',
    "NaN": b'{"event":"email.delivered","payload":{"id":NaN}}',
    "a list": b"[]",
    "null": b"null",
    "no payload": b'{"event":"email.delivered"}',
    "a payload that is text": b'{"event":"email.delivered","payload":"1"}',
}.items():
    case(U, f"an event that is {name}" if " " not in name or name.startswith("no ") else f"an event: {name}", delivery(body), **kept())
case(
    U,
    "a mail without its text",
    delivery(b'{"from":"a@example.com","messageId":"<a>"}', path=MAILS),
    **kept(),
)
case(U, "no body at all, signed", delivery(b""), **kept())
case(U, "an event at the endpoint for mail", delivery(path=MAILS), **kept())
case(U, "a mail at the endpoint for events", delivery(MAIL, path=EVENTS), **kept())
case(U, "an event that nobody handles", delivery(), handler="none", **kept())
case(U, "a mail that nobody handles", delivery(MAIL, path=MAILS), handler="none", **kept())

# The handler --------------------------------------------------------------------------------------

H = "A handler that raises"
RAISED = "handler raised"
case(H, "at an event", delivery(), handler="raises", status=503, handled=1, log=(RAISED,))
case(H, "at a mail", delivery(MAIL, path=MAILS), handler="raises", status=503, handled=1, log=(RAISED,))
case(H, "at an event, with a spool", delivery(), handler="raises", spool=True, status=200, handled=1, spooled=1, log=(RAISED, "waits in the spool"))
case(H, "at a mail, with a spool", delivery(MAIL, path=MAILS), handler="raises", spool=True, status=200, handled=1, spooled=1, log=(RAISED, "waits in the spool"))
case(H, "at an event that comes twice, with a replay store", delivery(), delivery(), handler="raises", store=True, status=(503, 503), handled=2, log=(RAISED, RAISED))
case(H, "at none, since deliveries are deferred to the spool", delivery(), config={"defer": True}, handler="raises", spool=True, status=200, spooled=1)
case(H, "at none of the forged ones", delivery(signature=None), handler="raises", **refused(401, MISSING))
