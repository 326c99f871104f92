"""Addresses of services: what may receive a credential."""

from __future__ import annotations

from urllib.parse import urlsplit

from mailcore.exceptions import ConfigurationError

__all__ = ["check_service_url"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_service_url(url: str) -> str:
    """
    Return `url` if credentials may be sent there: https, or http to this machine.

    Raises:
        ConfigurationError: Anything else, or an address with a user name or fragment in it.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"The service address is text, not {type(url).__name__}.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError("The service address is not a URL.") from None
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise ConfigurationError(
            "The service address is a URL with a host, and without user name or fragment."
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError("The service address holds a character that no URL can carry.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ConfigurationError(
            f"The service address is https (http only to this machine), not {parts.scheme or 'nothing'}."
        )
    return url
