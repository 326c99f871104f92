"""What the conformance suite needs to know of this adapter; the samples are in `kit/`."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
from nacl.signing import SigningKey

from mailcore import WebhookRequest
from mailcore_conformance import Kit

__all__ = ["KIT"]

_FOLDER = Path(str(files("mailcore_mailpace") / "kit"))
_SEED = bytes.fromhex(json.loads((_FOLDER / "key.json").read_text(encoding="utf-8"))["seed"])
_HEADER = "X-MailPace-Signature"
#: RFC 8032, section 7.1, test 1 prints this key; one sample is signed with it.
_RFC_8032 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def _key(number: int) -> SigningKey:
    """Return a key of the kit; number 0 signs the samples."""
    return SigningKey(sha256(_SEED + bytes([number])).digest() if number else _SEED)


def _options(secret: str) -> Mapping[str, Any]:
    return {"api_key": secret}


def _webhook_options(keys: Sequence[int]) -> Mapping[str, Any]:
    trusted = [b64encode(bytes(_key(number).verify_key)).decode() for number in keys]
    return {"webhook_key": [*trusted, _RFC_8032]}


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:  # noqa: ARG001  # reason: the scheme holds no time
    signature = b64encode(_key(key).sign(request.body).signature).decode()
    kept = [(name, value) for name, value in request.headers.pairs if name.lower() != _HEADER.lower()]
    return attrs.evolve(request, headers=[*kept, (_HEADER, signature)])


KIT = Kit(
    provider="mailpace",
    folder=_FOLDER,
    options=_options,
    webhook_options=_webhook_options,
    sign=_sign,
)
