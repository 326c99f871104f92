"""AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

Rule 1: a signature is made of what goes over the wire: of the URL as it is, and of the bytes that the body
        gives. A body is read once to be hashed, and once more to be sent.
Rule 2: the path is signed as it stands. So it holds nothing that anybody would normalise or encode again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

import attrs

from mailcore import HttpRequest, Secret
from mailcore_amazon_ses._options import AmazonSesOptions

__all__ = ["Authorization", "canonical_request", "sign", "signature"]

ALGORITHM = "AWS4-HMAC-SHA256"
_PORTS = {"https": 443, "http": 80}


class Authorization(Secret):
    """The value of the header: whoever sees it can send the same request for some minutes."""

    __slots__ = ()

    def __init__(self, key_id: Secret, scope: str, signed: str, proof: str) -> None:
        super().__init__(f"Credential={key_id.reveal()}/{scope},SignedHeaders={signed},Signature={proof}")

    def reveal(self) -> str:
        """Return the value as AWS's own clients write it."""
        return f"{ALGORITHM} {super().reveal().replace(',', ', ')}"


def sign(
    request: HttpRequest, options: AmazonSesOptions, *, service: str, region: str, now: datetime
) -> HttpRequest:
    """Return the request with the headers that prove it; without a key, the request itself."""
    if options.access_key_id is None or options.secret_access_key is None:
        return request
    digest = _digest(request)
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    headers: list[tuple[str, str | Secret]] = [*request.headers, ("X-Amz-Date", stamp)]
    if service == "s3":
        headers.append(("X-Amz-Content-SHA256", digest))
    if options.session_token is not None:
        headers.append(("X-Amz-Security-Token", options.session_token))
    shown = [(name, value if isinstance(value, str) else value.reveal()) for name, value in headers]
    canonical, signed = canonical_request(
        request.method, request.url, [("Host", _host(request.url)), *shown], digest
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    proof = signature(options.secret_access_key, canonical, stamp, scope)
    headers.append(("Authorization", Authorization(options.access_key_id, scope, signed, proof)))
    return attrs.evolve(request, headers=headers)


def canonical_request(
    method: str, url: str, headers: Iterable[tuple[str, str]], digest: str
) -> tuple[str, str]:
    """Return the request in the one form that is signed, and the names of the headers in it."""
    parts = urlsplit(url)
    query = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in _query(parts.query))
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    lines = "".join(f"{name}:{','.join(values[name])}\n" for name in sorted(values))
    signed = ";".join(sorted(values))
    asked = "&".join(f"{name}={value}" for name, value in query)
    return "\n".join([method, parts.path or "/", asked, lines, signed, digest]), signed


def signature(key: Secret, canonical: str, stamp: str, scope: str) -> str:
    """Return the signature of a canonical request."""
    secret = f"AWS4{key.reveal()}".encode()
    for part in scope.split("/"):
        secret = _hmac(secret, part).digest()
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return _hmac(secret, f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}").hexdigest()


def _hmac(key: bytes, text: str) -> hmac.HMAC:
    return hmac.new(key, text.encode(), hashlib.sha256)


def _query(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _digest(request: HttpRequest) -> str:
    found = hashlib.sha256()
    for piece in [request.body] if isinstance(request.body, bytes) else request.body:
        found.update(piece)
    return found.hexdigest()


def _host(url: str) -> str:
    """Return what the transport says in `Host`: the port where it is not the usual one."""
    parts = urlsplit(url)
    return parts.netloc.removesuffix(f":{_PORTS[parts.scheme]}")
