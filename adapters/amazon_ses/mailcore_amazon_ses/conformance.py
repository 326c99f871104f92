"""What the conformance suite needs to know of this adapter; the samples are in `kit/`."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mailcore import (
    HttpRequest,
    HttpResponse,
    InvalidDocument,
    Request,
    Response,
    WebhookRequest,
    strict_json,
)
from mailcore_conformance import Kit

__all__ = ["KIT"]

_FOLDER = Path(str(files("mailcore_amazon_ses") / "kit"))
_CERTIFICATE = (_FOLDER / "certificate.pem").read_bytes()
_CERTIFICATE_URL = (
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-6d61696c636f72652d6b697400000000.pem"
)
_MAIL = (_FOLDER / "stored.eml").read_bytes()
#: SNS docs: what is signed, in this order; a subject only where there is one.
_SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES: Mapping[str, Any] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # reason: SNS's default


def _key() -> rsa.RSAPrivateKey:
    found = serialization.load_pem_private_key((_FOLDER / "key.pem").read_bytes(), password=None)
    assert isinstance(found, rsa.RSAPrivateKey)  # noqa: S101  # reason: the kit's own file
    return found


_KEY = _key()


def _topic(number: int) -> str:
    """Return a topic of the kit. SNS signs for all with one key: whose a delivery is, its topic says."""
    return f"arn:aws:sns:us-east-1:123456789012:kit-{number}"


def _options(secret: str) -> Mapping[str, Any]:
    # The id of the key is what a request shows; its secret half takes part in the signature alone.
    return {
        "access_key_id": secret,
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "region": "us-east-1",
    }


def _webhook_options(keys: Sequence[int]) -> Mapping[str, Any]:
    return {"topic_arns": [_topic(number) for number in keys]}


def _sign(request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
    try:
        document = strict_json(request.body)
    except InvalidDocument:
        return request
    if not isinstance(document, dict) or not isinstance(document.get("Message"), str):
        return request
    old, new = document.get("TopicArn", ""), _topic(key)
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
    document |= {"TopicArn": new, "Timestamp": stamp, "SigningCertURL": _CERTIFICATE_URL}
    if "SubscribeURL" in document:
        document["SubscribeURL"] = document["SubscribeURL"].replace(old, new)
    names = [name for name in _SIGNED if isinstance(document.get(name), str)]
    text = "".join(f"{name}\n{document[name]}\n" for name in names)
    version = document.setdefault("SignatureVersion", "1")
    signature = _KEY.sign(text.encode(), padding.PKCS1v15(), _HASHES[version])
    document["Signature"] = b64encode(signature).decode()
    return attrs.evolve(request, body=json.dumps(document, separators=(",", ":")).encode())


def _answer(request: Request) -> Response:
    """Serve the certificate, take confirmations, and keep one mail for any key."""
    url = request.url if isinstance(request, HttpRequest) else ""
    if url == _CERTIFICATE_URL:
        return HttpResponse(status=200, body=_CERTIFICATE)
    if url.startswith("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&"):
        return HttpResponse(status=200, body=b"<ConfirmSubscriptionResponse/>")
    if url.endswith("/no-such-object"):
        return HttpResponse(status=404, body=b"<Error><Code>NoSuchKey</Code></Error>")
    return HttpResponse(status=200, body=_MAIL)


KIT = Kit(
    provider="amazon-ses",
    folder=_FOLDER,
    options=_options,
    webhook_options=_webhook_options,
    sign=_sign,
    signed_fields=("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    answer=_answer,
)
