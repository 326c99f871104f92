"""Whether a request is signed by the account's key.

IAM docs (Create a signed AWS API request): the canonical request, the string to sign, the signing key; a
signature is good for some minutes around its date.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

from mailcore import HttpRequest, Secret
from mailcore_amazon_ses.emulator._refusal import Refusal

__all__ = ["body_of", "check_proof", "headers_of", "key_of"]

SKEW = timedelta(minutes=15)
FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/, ]+)/(?P<day>[0-9]{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9]+)/aws4_request, ?SignedHeaders=(?P<names>[a-z0-9;-]+)"
    r", ?Signature=(?P<proof>[0-9a-f]{64})"
)


def headers_of(request: HttpRequest) -> Mapping[str, str]:
    """Return the headers by lower-case name, as the wire carries them; HTTP itself brings `host`."""
    found = {"host": urlsplit(request.url).netloc}
    for name, value in request.headers:
        found[name.lower()] = value.reveal() if isinstance(value, Secret) else value
    return found


def body_of(request: HttpRequest) -> bytes:
    """Return the body in one piece."""
    return request.body if isinstance(request.body, bytes) else b"".join(request.body)


def key_of(request: HttpRequest) -> str:
    """Return the id of the key that a request names, or nothing."""
    found = FORM.fullmatch(headers_of(request).get("authorization", ""))
    return found["key"] if found else ""


def check_proof(
    request: HttpRequest, service: str, now: datetime, *, keys: Mapping[str, str], adopted: Collection[str]
) -> None:
    """Refuse a request that no key of the account signed; of an adopted key the secret half is not known."""
    headers = headers_of(request)
    if "authorization" not in headers:
        raise Refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    found = FORM.fullmatch(headers["authorization"])
    if found is None or found["service"] != service or "host" not in found["names"].split(";"):
        raise Refusal(403, "IncompleteSignature", "The request signature does not conform to AWS standards.")
    _check_date(headers.get("x-amz-date", ""), found["day"], now)
    if found["key"] in adopted:
        return
    if found["key"] not in keys:
        raise Refusal(
            403, "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    if not hmac.compare_digest(_expected(request, headers, found, keys[found["key"]]), found["proof"]):
        raise Refusal(
            403,
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret Access Key and signing method.",
        )


def _check_date(text: str, day: str, now: datetime) -> None:
    try:
        signed = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(403, "IncompleteSignature", "X-Amz-Date is not a date.") from None
    if not text.startswith(day) or abs(now - signed) > SKEW:
        raise Refusal(403, "InvalidSignatureException", f"Signature expired: {text} is not now.")


def _expected(request: HttpRequest, headers: Mapping[str, str], found: re.Match[str], secret: str) -> str:
    url = urlsplit(request.url)
    names = found["names"].split(";")
    pairs = sorted(parse_qsl(url.query, keep_blank_values=True))
    lines = [
        request.method,
        url.path or "/",
        "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs),
        *(f"{name}:{headers.get(name, '').strip()}" for name in names),
        "",
        found["names"],
        hashlib.sha256(body_of(request)).hexdigest(),
    ]
    scope = "/".join([found["day"], found["region"], found["service"], "aws4_request"])
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashed])
    key = ("AWS4" + secret).encode()
    for word in (*scope.split("/"), text):
        key = hmac.digest(key, word.encode(), "sha256")
    return key.hex()
