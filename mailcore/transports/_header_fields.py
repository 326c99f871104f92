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
    names = [name.lower() for name, _ in request.headers]
    if len(set(names)) < len(names):  # the library would send the last one alone
        twice = next(name for name in names if names.count(name) > 1)
        raise ProtocolBug(f"The header {twice!r} is there twice; a request carries each header once.")
    fields = {name: text for name, text in usual.items() if name.lower() not in names}
    for name, value in request.headers:
        text = value.reveal() if isinstance(value, Secret) else value
        if not text.isascii() or not text.isprintable():
            raise ProtocolBug(f"The header {name!r} holds a character that no header can carry.")
        fields[name] = text
    fields["Content-Length"] = str(len(request.body))
    return fields
