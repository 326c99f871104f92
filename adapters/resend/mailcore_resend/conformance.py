"""What the conformance suite needs to know of this adapter; the samples are in `kit/`."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs

from mailcore import HttpRequest, HttpResponse, Request, Response, WebhookRequest
from mailcore_conformance import Kit

__all__ = ["KIT"]

_FOLDER = Path(str(files("mailcore_resend") / "kit"))
_HEADERS = ("svix-id", "svix-timestamp", "svix-signature")
#: What can be fetched: sources of mails, and what Resend tells of them.
_FETCHED = {
    file.name: json.dumps(json.loads(file.read_text(encoding="utf-8"))["body"]).encode()
    if file.suffix == ".json"
    else file.read_bytes()
    for file in (_FOLDER / "fetched").iterdir()
}


def _key(number: int) -> bytes:
    """Return a key of the kit; number 0 signs the samples."""
    return b"kit-signing-secret-no-%d" % number


def _options(secret: str) -> Mapping[str, Any]:
    return {"api_key": secret}


def _webhook_options(keys: Sequence[int]) -> Mapping[str, Any]:
    return {"webhook_key": ["whsec_" + b64encode(_key(number)).decode() for number in keys]}


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    """Sign as Resend would; an id that is there stays, another is made of the body."""
    given = request.headers.get_all("svix-id")
    name = given[0] if len(given) == 1 else f"msg_{sha256(request.body).hexdigest()[:27]}"
    time = f"{int(at.timestamp()):010}"
    made = hmac.new(_key(key), f"{name}.{time}.".encode() + request.body, sha256).digest()
    kept = [pair for pair in request.headers.pairs if pair[0].lower() not in _HEADERS]
    values = (name, time, "v1," + b64encode(made).decode())
    return attrs.evolve(request, headers=[*kept, *zip(_HEADERS, values, strict=True)])


def _answer(request: Request) -> Response:
    """Answer what is fetched for a delivery: the files of `kit/fetched/`, by the id of the mail."""
    path = request.url.partition("?")[0] if isinstance(request, HttpRequest) else ""
    name = path.rpartition("/")[2]
    # A source is given to whoever asks: an adapter that asks in the wrong place has what it must not have.
    body = _FETCHED.get(name if name.endswith(".eml") else f"{name}.json")
    return HttpResponse(status=404) if body is None else HttpResponse(status=200, body=body)


KIT = Kit(
    provider="resend",
    folder=_FOLDER,
    options=_options,
    webhook_options=_webhook_options,
    sign=_sign,
    answer=_answer,
)
