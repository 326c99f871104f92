"""The headers of a request as they are sent."""

from __future__ import annotations

from mailcore import HttpRequest
from mailcore.transports._header_fields import header_fields


def test_what_a_request_says_replaces_the_usual() -> None:
    """In any letter case: no header is there twice."""
    request = HttpRequest(method="POST", url="https://api.example", headers=[("user-agent", "mine")])
    usual = {"User-Agent": "mailcore", "Accept-Encoding": "identity"}
    assert header_fields(request, usual) == {
        "Accept-Encoding": "identity",
        "user-agent": "mine",
        "Content-Length": "0",
    }
