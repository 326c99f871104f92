"""HTTP basic auth of webhooks (RFC 7617).

Rule: compared as bytes, in constant time, and every pair each time: neither the answer nor its timing
tells which part was wrong.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from hmac import compare_digest

import attrs

from mailcore._http import Headers
from mailcore._secret import Secret
from mailcore.exceptions import ConfigurationError

__all__ = ["BasicAuth", "match"]


@attrs.frozen
class BasicAuth:
    """One user name and password that a webhook may present; the user name is its label."""

    user: str
    password: Secret

    @classmethod
    def parse(cls, text: str | Secret | BasicAuth) -> BasicAuth:
        """
        Return the pair in `user:password`.

        Raises:
            ConfigurationError: There is no colon, or a part is empty.
        """
        if isinstance(text, BasicAuth):
            return text
        user, colon, password = Secret(text).reveal().partition(":")
        if not (colon and user and password):
            raise ConfigurationError("webhook_secret is of the form user:password, both not empty.")
        return cls(user, Secret(password))


def match(pairs: Iterable[BasicAuth], headers: Headers) -> str | None:
    """Return the label of the pair that `headers` present, or None."""
    given = _presented(headers)
    matched = None
    for pair in pairs:
        if compare_digest(given, f"{pair.user}:{pair.password.reveal()}".encode()):
            matched = pair.user
    return matched


def _presented(headers: Headers) -> bytes:
    """Return `user:password` as presented, or nothing: one header, one scheme, strict base64."""
    given = headers.get_all("Authorization")
    if len(given) != 1:
        return b""
    scheme, _, encoded = given[0].partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(encoded.strip().encode("ascii"), validate=True)
    except ValueError:
        return b""
