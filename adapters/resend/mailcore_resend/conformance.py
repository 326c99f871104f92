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


def _fetched(file: Path) -> HttpResponse:
    """Return the answer that a file of `kit/fetched/` holds."""
    if file.suffix != ".json":
        return HttpResponse(status=200, body=file.read_bytes())
    told = json.loads(file.read_text(encoding="utf-8"))["body"]
    return HttpResponse(status=200, body=json.dumps(told).encode())


_FETCHED = {file.name: _fetched(file) for file in (_FOLDER / "fetched").iterdir()}
_RECEIVING = "/emails/receiving/"


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
    """Answer what is fetched for a delivery: the files of `kit/fetched/`, by the end of the address."""
    path = request.url.partition("?")[0] if isinstance(request, HttpRequest) else ""
    _, told, name = path.partition(_RECEIVING)
    file = name.replace("/", "-") + ".json" if told else path.rpartition("/")[2]
    return _FETCHED.get(file, HttpResponse(status=404))


KIT = Kit(
    provider="resend",
    folder=_FOLDER,
    options=_options,
    webhook_options=_webhook_options,
    sign=_sign,
    answer=_answer,
)
