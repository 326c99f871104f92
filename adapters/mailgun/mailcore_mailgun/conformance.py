"""What the conformance suite needs to know of this adapter; the samples are in `kit/`."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs

from mailcore import WebhookRequest
from mailcore_conformance import Kit

__all__ = ["KIT"]

_FOLDER = Path(str(files("mailcore_mailgun") / "kit"))
_FIELDS = ("timestamp", "token", "signature")


def _key(number: int) -> str:
    """Return a key of the kit; number 0 signs the samples."""
    return f"kit-signing-key-{number}"


def _options(secret: str) -> Mapping[str, Any]:
    return {"api_key": secret}


def _webhook_options(keys: Sequence[int]) -> Mapping[str, Any]:
    return {"webhook_key": [_key(number) for number in keys]}


def _block(token: str, *, key: int, at: datetime) -> dict[str, str]:
    moment = f"{int(at.timestamp()):010}"
    made = hmac.new(_key(key).encode(), f"{moment}{token}".encode(), sha256).hexdigest()
    return dict(zip(_FIELDS, (moment, token, made), strict=True))


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as Mailgun would; a token that is there stays, another is made of the body."""
    body, kind = request.body, request.headers.get("Content-Type", "")
    token = (sha256(body).hexdigest() * 2)[:50]
    if "multipart/form-data" in kind:
        signed = _in_parts(body, key=key, at=at)
    elif body[:1] == b"{":
        signed = _in_json(body, token, key=key, at=at)
    else:
        signed = _in_fields(body, token, key=key, at=at)
    return attrs.evolve(request, body=signed)


def _in_json(body: bytes, token: str, *, key: int, at: datetime) -> bytes:
    try:
        document = json.loads(body)
        own = document.get("signature", {})
        kept = own.get("token", token)
    except (ValueError, AttributeError, RecursionError):
        return body
    return json.dumps({**document, "signature": _block(kept, key=key, at=at)}, separators=(",", ":")).encode()


def _in_fields(body: bytes, token: str, *, key: int, at: datetime) -> bytes:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding="latin-1"
        )
    except ValueError:
        return body
    kept = dict(pairs).get("token", token)
    rest = [pair for pair in pairs if pair[0] not in _FIELDS]
    return urlencode([*rest, *_block(kept, key=key, at=at).items()], encoding="latin-1").encode("ascii")


def _in_parts(body: bytes, *, key: int, at: datetime) -> bytes:
    """Write the values into the parts of a sample, which has all three."""
    found = {name: re.search(rb'name="%b"\r\n\r\n([^\r]*)' % name.encode(), body) for name in _FIELDS}
    old = {name: match[1].decode() for name, match in found.items() if match}
    for name, value in _block(old.get("token", ""), key=key, at=at).items():
        start = b'name="%b"\r\n\r\n' % name.encode()
        body = body.replace(start + old.get(name, "").encode(), start + value.encode(), 1)
    return body


KIT = Kit(
    provider="mailgun",
    folder=_FOLDER,
    options=_options,
    webhook_options=_webhook_options,
    sign=_sign,
    signed_fields=("timestamp", "token"),
)
