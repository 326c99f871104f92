"""The headers of a request as they are sent: the one place that reveals the secrets in them."""

from __future__ import annotations

from collections.abc import Mapping

from mailcore._http import HttpRequest
from mailcore._secret import Secret
from mailcore.exceptions import ProtocolBug

__all__ = ["header_fields"]


def header_fields(request: HttpRequest, usual: Mapping[str, str]) -> dict[str, str]:
    """
    Return the headers of a request as they are sent, its length included, secrets revealed.

    Args:
        usual: What is sent where the request says nothing else.

    Raises:
        ProtocolBug: One that cannot be sent as it is.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, value in request.headers:
        if name.lower() in found:  # the library would send the last one alone
            raise ProtocolBug(f"The header {name!r} is there twice; a request carries each header once.")
        found[name.lower()] = (name, _header(name, value))
    others = {name: value for name, value in usual.items() if name.lower() not in found}
    return {**others, **dict(found.values()), "Content-Length": str(len(request.body))}


def _header(name: str, value: str | Secret) -> str:
    text = value.reveal() if isinstance(value, Secret) else value
    if not text.isascii() or not text.isprintable():
        raise ProtocolBug(f"The header {name!r} holds a character that no header can carry.")
    return text
