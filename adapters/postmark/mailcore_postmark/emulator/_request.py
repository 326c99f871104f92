"""One API call as Postmark's server sees it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from mailcore import HttpRequest
from mailcore_postmark.emulator._answers import (
    BAD_JSON,
    JSON_REQUIRED,
    OTHER_JSON,
    TOO_MANY,
    not_found,
    refused,
    too_large,
)

__all__ = ["ApiCall", "path_of"]

JSON = "application/json"
MAX_BATCH = 500
MAX_SIZE = 10 * 1024 * 1024
MAX_BATCH_SIZE = 50 * 1024 * 1024
#: Path → whether it takes many mails, and whether by templates.
ENDPOINTS: Mapping[str, tuple[bool, bool]] = {
    "/email": (False, False),
    "/email/batch": (True, False),
    "/email/withTemplate": (False, True),
    "/email/batchWithTemplates": (True, True),
}


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

    @property
    def base(self) -> str:
        """What stands before the endpoint."""
        for endpoint in sorted(ENDPOINTS, key=len, reverse=True):
            if self.path.endswith(endpoint):
                return self.path.removesuffix(endpoint)
        return self.path

    def endpoint(self, bases: Collection[str]) -> tuple[bool, bool]:
        """Return what the endpoint takes."""
        found = ENDPOINTS.get(self.path.removeprefix(self.base))
        if self.method != "POST" or found is None or self.base not in bases:
            raise not_found()
        return found

    @property
    def token(self) -> str:
        """The server's token."""
        return self.headers.get("x-postmark-server-token", "")

    def check_types(self) -> None:
        """Refuse what does not say that it is JSON."""
        for name in ("accept", "content-type"):
            media_type = self.headers.get(name, "").partition(";")[0].strip().lower()
            if media_type != JSON:
                raise refused(JSON_REQUIRED)

    def mails(self, *, many: bool, templates: bool) -> list[Any]:
        """Return the mails in the body."""
        if len(self.body) > (MAX_BATCH_SIZE if many else MAX_SIZE):
            raise too_large()
        try:
            document = json.loads(self.body.decode())
            json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate could not be delivered
        except (ValueError, RecursionError):
            raise refused(BAD_JSON) from None
        if many and templates:
            document = document.get("Messages") if isinstance(document, dict) else None
        found = document if many else [document]
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise refused(OTHER_JSON)
        if len(found) > MAX_BATCH:
            raise refused(TOO_MANY)
        return found
