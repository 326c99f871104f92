"""What can be set for SMTP."""

from __future__ import annotations

from typing import Any

import attrs

from mailcore import ConfigurationError, Secret, about
from mailcore_smtp import _dsn

__all__ = ["SmtpOptions"]

#: How the connection is encrypted → the usual port (RFC 6409, RFC 8314, RFC 5321).
PORTS = {"starttls": 587, "tls": 465, "plain": 25}

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _name(value: Any) -> str:
    """Take a host name or an address."""
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        raise ConfigurationError("It is a host name or an address, in ASCII.")
    if any(one in value for one in " /@[]") or value.startswith("."):
        raise ConfigurationError("It is a host name or an address alone, with nothing around it.")
    return value


def _client_name(value: Any) -> str:
    bare = value[1:-1] if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]" else value
    _name(bare)  # an address stands in brackets there (RFC 5321, 4.1.3)
    return str(value)


def _port(value: Any) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) < 65536):
        raise ConfigurationError("port is a number from 1 to 65535.")
    return int(text)


def _security(value: Any) -> str:
    if not isinstance(value, str) or value not in PORTS:
        raise ConfigurationError(f"security is one of {', '.join(PORTS)}.")
    return value


def _username(value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ConfigurationError("username is a text without control characters.")
    return value


@attrs.frozen(kw_only=True)
class SmtpOptions:
    """Settings of the SMTP adapter."""

    host: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_name),
        metadata=about("Name of the mail server.", needed_to="send"),
    )
    port: int | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_port),
        metadata=about("Its port; unless given, 587 for starttls, 465 for tls, 25 for plain."),
    )
    security: str = attrs.field(
        default="starttls",
        converter=_security,
        metadata=about("How the connection is encrypted: starttls, tls (from its first byte on), or plain."),
    )
    username: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_username),
        metadata=about("Whom to log in as; nobody, unless given."),
    )
    password: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("The password that goes with username."),
    )
    client_name: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_client_name),
        metadata=about("What this machine calls itself; unless given, the address that it connects from."),
    )
    notify: tuple[str, ...] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_dsn.notify),
        metadata=about("When to be told of a delivery: never, or some of success, failure and delay."),
    )
    ret: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_dsn.ret),
        metadata=about("How much of a mail comes back when that is told: full, or hdrs alone."),
    )

    def check(self) -> None:
        """
        Do nothing where the settings can work together.

        Raises:
            ConfigurationError: Half a login, or a password that would cross a network unencrypted.
        """
        if (self.username is None) is not (self.password is None):
            raise ConfigurationError("smtp: username and password go together: give both, or neither.")
        if self.password is not None and self.security == "plain" and self.host not in _LOOPBACK:
            raise ConfigurationError(
                "smtp: A password crosses no network unencrypted: set security to starttls or tls."
            )

    @property
    def server(self) -> str:
        """Host and port, as a request names them."""
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host
        return f"{host}:{self.port or PORTS[self.security]}"
