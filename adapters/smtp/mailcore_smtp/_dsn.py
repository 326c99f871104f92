"""What a mail asks to be told about its delivery (RFC 3461)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mailcore import ConfigurationError

__all__ = ["DSN", "envid", "notify", "ret"]

#: Most characters of an id, before it is encoded (RFC 3461, 4.4).
MAX_ENVID = 100

_WHEN = ("success", "failure", "delay")
_WHAT = ("full", "hdrs")


def notify(value: Any) -> tuple[str, ...]:
    """
    Return when to tell: `never`, or some of `success`, `failure` and `delay`.

    Raises:
        ConfigurationError: Anything else.
    """
    items = value.replace(",", " ").split() if isinstance(value, str) else value
    if isinstance(items, Iterable):
        words = tuple(str(item).lower() for item in items)
        if words == ("never",) or (words and set(words) <= set(_WHEN)):
            return tuple(dict.fromkeys(words))
    raise ConfigurationError("notify is never, or some of success, failure and delay.")


def ret(value: Any) -> str:
    """
    Return how much of the mail comes back: `full`, or `hdrs` alone.

    Raises:
        ConfigurationError: Anything else.
    """
    if str(value).lower() not in _WHAT:
        raise ConfigurationError("ret is full or hdrs.")
    return str(value).lower()


def envid(value: Any) -> str:
    """
    Return the id that comes back with what is told.

    Raises:
        ConfigurationError: It is no printable ASCII text of at most 100 characters.
    """
    if not isinstance(value, str) or not value or len(value) > MAX_ENVID:
        raise ConfigurationError(f"envid is a text of at most {MAX_ENVID} characters.")
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError("envid is printable ASCII.")
    return value


#: Name → how its value is read.
DSN: Mapping[str, Callable[[Any], Any]] = {"notify": notify, "ret": ret, "envid": envid}
