"""What Resend keeps to be fetched, and from where (https://resend.com/docs/dashboard/receiving/attachments).

Rule 1: the API is asked with the key. An address in its answers is followed to a host of Resend's, or to
        that of a stand-in, and never with the key.
Rule 2: what fails for now fails as a whole, so that the delivery is asked for again. What is gone, or
        elsewhere, costs itself alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from mailcore import (
    Flow,
    HttpRequest,
    HttpResponse,
    InvalidDocument,
    Secret,
    ServiceUnavailable,
    error_for_status,
    strict_json,
)
from mailcore_resend._options import ResendOptions

__all__ = ["MAX_MAIL", "downloaded", "told"]

#: Bytes of a mail, or of all its files.
MAX_MAIL = 64 * 1024 * 1024
#: Files are shown at `inbound-cdn`, a source at another name.
_PLACE = re.compile(r"https://[a-z0-9-]{1,63}\.resend\.com")


def told(path: str, options: ResendOptions, *, now: datetime) -> Flow[Mapping[str, Any]]:
    """
    Return the object that the API answers with.

    Raises:
        InvalidDocument: There is none.
        ServiceUnavailable: It cannot be had for now.
    """
    headers: list[tuple[str, str | Secret]] = [("Accept", "application/json")]
    if options.api_key is not None:
        headers.append(("Authorization", options.api_key.as_bearer()))
    response = yield HttpRequest(
        method="GET", url=options.api_url + path, headers=headers, commits=False, max_response=MAX_MAIL
    )
    _check(response, now)
    document = strict_json(response.body)
    if not isinstance(document, dict):
        raise InvalidDocument("What was fetched is no object.")
    return document


def downloaded(url: Any, options: ResendOptions, *, now: datetime, most: int = MAX_MAIL) -> Flow[bytes]:
    """
    Return what is at an address that the API told.

    Raises:
        InvalidDocument: It is not at Resend's, not there, or larger than `most`.
        ServiceUnavailable: It cannot be had for now.
    """
    if not _is_resends(url, options):
        raise InvalidDocument("It is said to be in a place that is not Resend's.")
    # One byte more: an answer is cut off without a word where it is larger.
    response = yield HttpRequest(method="GET", url=url, commits=False, max_response=most + 1)
    _check(response, now)
    body: bytes = response.body
    if len(body) > most:
        raise InvalidDocument(f"It is larger than {most} bytes.")
    return body


def _check(response: HttpResponse, now: datetime) -> None:
    if response.status == 429 or response.status >= 500:
        raise error_for_status(response, now=now, cls=ServiceUnavailable)
    if response.status != 200:
        raise InvalidDocument(f"It could not be fetched (HTTP {response.status}).")


def _is_resends(url: Any, options: ResendOptions) -> bool:
    origin = _origin(url) if isinstance(url, str) and url.isascii() and url.isprintable() else None
    return origin is not None and (bool(_PLACE.fullmatch(origin)) or origin == _origin(options.api_url))


def _origin(url: str) -> str | None:
    """Return scheme, host and port, written one way only; None for what has more in that place."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if url.startswith((f"{origin}/", f"{origin}?")) or url == origin else None
