"""One API call as MailPace's server sees it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from mailcore import HttpRequest
from mailcore_mailpace.emulator._answers import BAD_FORMAT, LONG_KEY, NOT_FOUND, failed

__all__ = ["SEND_PATH", "ApiCall", "path_of"]

SEND_PATH = "/api/v1/send"
JSON = "application/json"
#: MailPace docs: the key has at most 255 characters.
MAX_KEY = 255


def path_of(url: str) -> str:
    """Return the path of a URL without its last slash; empty where the URL cannot be read."""
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


@attrs.frozen(kw_only=True)
class ApiCall:
    """A request with its headers by lower-case name; of a repeated header, the first counts."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, request: HttpRequest) -> ApiCall:
        """Take a request apart."""
        headers: dict[str, str] = {}
        for name, value in request.headers:
            # A Secret is revealed by what stands in for the wire, and that is us.
            text = value if isinstance(value, str) else value.reveal()
            headers.setdefault(name.lower(), text.strip())
        body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
        return cls(method=request.method, path=path_of(request.url), headers=headers, body=body)

    def check(self, bases: Collection[str]) -> None:
        """Refuse what is not a JSON call of the send endpoint below one of the base paths."""
        if self.method != "POST" or self.path not in {base + SEND_PATH for base in bases}:
            raise failed(NOT_FOUND)
        media_type = self.headers.get("content-type", "").partition(";")[0].strip()
        # MailPace docs: Accept must be application/json; */* is answered 406 as well.
        if self.headers.get("accept", "").lower() != JSON or media_type.lower() != JSON:
            raise failed(BAD_FORMAT)

    @property
    def token(self) -> str:
        """The domain's token; `Authorization` is not looked at."""
        return self.headers.get("mailpace-server-token", "")

    @property
    def idempotency_key(self) -> str | None:
        """The key, empty where the header is blank, None where there is no header."""
        key = self.headers.get("idempotency-key")
        if key is not None and len(key) > MAX_KEY:
            raise failed(LONG_KEY)
        return key

    def payload(self) -> dict[str, Any]:
        """Return the body as a JSON object of text that UTF-8 can carry."""
        try:
            document = json.loads(self.body.decode())
            json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate could not be delivered
        except (ValueError, RecursionError):
            raise failed(BAD_FORMAT) from None
        if not isinstance(document, dict):
            raise failed(BAD_FORMAT)
        return document
