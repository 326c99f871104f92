"""The headers of a request as they are sent."""

from __future__ import annotations

import pytest

from mailcore import HttpRequest, ProtocolBug
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


def test_there_twice() -> None:
    """The one that is, whichever comes first; in any letter case."""
    headers = [("Accept", "a"), ("X-Token", "b"), ("x-token", "c")]
    request = HttpRequest(method="POST", url="https://api.example", headers=headers)
    with pytest.raises(ProtocolBug, match=r"^The header 'x-token' is there twice; "):
        header_fields(request, {})
