"""Settings every provider has, as values; how they are found is `_config`'s.

Rule: converters take text, so that a URL, a TOML file and the environment mean the same.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import attrs

from mailcore._basic_auth import BasicAuth
from mailcore._message import Message
from mailcore._secret import Secret
from mailcore.exceptions import ConfigurationError, InvalidMessage, UnsupportedFeature

__all__ = ["Settings", "about"]

OnUnsupported = Literal["raise", "warn", "drop"]
OnAdvice = Literal["warn", "raise", "ignore"]

_YES = ("true", "yes", "1", "on")
_NO = ("false", "no", "0", "off")


def about(text: str, *, needed_to: Literal["send", "receive", ""] = "") -> dict[str, str]:
    """
    Return attrs metadata that describes a setting.

    Args:
        text: One sentence for users; it appears in `--help` and in the docs.
        needed_to: What cannot be done without it.
    """
    return {"about": text, "needed_to": needed_to}


def _pairs(value: str | Secret | Iterable[str | Secret | BasicAuth] | None) -> tuple[BasicAuth, ...]:
    if value is None:
        return ()
    if isinstance(value, Secret):
        value = value.reveal()
    if not isinstance(value, Iterable):
        raise ConfigurationError("webhook_secret is text, or a list of texts.")
    items: Iterable[Any] = value.replace(",", " ").split() if isinstance(value, str) else value
    return tuple(BasicAuth.parse(item) for item in items)


def _proxy(value: str | Secret | None) -> Secret | None:
    if value is None:
        return None
    secret = Secret(value)
    try:
        parts = urlsplit(secret.reveal())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:  # it may hold a password, and is not shown
        raise ConfigurationError("proxy is a URL such as http://user:password@host:port.")
    return secret


def _number(value: str | float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan  # refused below, in the field's name


def _integer(value: str | int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return -1


def _flag(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in (*_YES, *_NO):
        raise ConfigurationError(f"It is one of {', '.join((*_YES, *_NO))}, not {value!r}.")
    return text in _YES


def _path(value: str | os.PathLike[str]) -> str:
    try:
        return os.fsdecode(value)
    except TypeError:
        raise ConfigurationError(f"A path is text, not {type(value).__name__}.") from None


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    names = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(name, str) for name in names):
        raise ConfigurationError("required_plugins is text, or a list of texts.")
    return names


def _positive(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not 0 < value < math.inf:
        raise ConfigurationError(f"{field.name} is a number of {field.metadata['unit']} above 0.")


def _choice(_: object, field: attrs.Attribute[Any], value: str) -> None:
    choices: tuple[str, ...] = field.metadata["choices"]
    if value not in choices:
        raise ConfigurationError(f"{field.name} is one of {', '.join(choices)}, not {value!r}.")


def _defaults(value: Message | Mapping[str, Any] | None) -> Message | None:
    if isinstance(value, Mapping):
        value = _message(value)
    if value is not None and not isinstance(value, Message):
        raise ConfigurationError("defaults is a table of message fields.")
    if value is not None and isinstance(value.idempotency_key, str):
        raise ConfigurationError("defaults: idempotency_key would make a provider take all mail for one.")
    return value


def _message(value: Mapping[str, Any]) -> Message:
    known = [field.name for field in attrs.fields(Message)]
    for name in value:
        if name not in known:
            raise ConfigurationError(f"defaults has no field {name!r}. Fields: {', '.join(known)}.")
    try:
        return Message(**cast("dict[str, Any]", value))
    except (InvalidMessage, UnsupportedFeature) as error:
        raise ConfigurationError(f"defaults: {error}") from None


@attrs.frozen(kw_only=True)
class Settings:
    """
    What can be set for every provider.

    Attributes:
        deadline: Seconds one send may take in all, by the wall clock.
    """

    deadline: float = attrs.field(
        default=30.0,
        converter=_number,
        validator=_positive,
        metadata={**about("Seconds one send may take in all."), "unit": "seconds"},
    )
    connect_timeout: float = attrs.field(
        default=5.0,
        converter=_number,
        validator=_positive,
        metadata={**about("Seconds to wait for a connection."), "unit": "seconds"},
    )
    read_timeout: float = attrs.field(
        default=20.0,
        converter=_number,
        validator=_positive,
        metadata={**about("Seconds to wait for the next byte."), "unit": "seconds"},
    )
    max_attempts: int = attrs.field(
        default=4,
        converter=_integer,
        validator=_positive,
        metadata={
            **about("Attempts at one send, the first included; 1: it is never repeated."),
            "unit": "attempts",
        },
    )
    ca_bundle: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_path),
        metadata=about("File with the certificate authorities to trust instead of the usual ones."),
    )
    proxy: Secret | None = attrs.field(
        default=None,
        converter=_proxy,
        metadata=about("URL of a proxy; the environment's proxies are never used."),
    )
    on_unsupported: OnUnsupported = attrs.field(
        default="raise",
        validator=_choice,
        metadata={
            **about("What to do with a field the provider cannot carry: raise, warn (and drop it), drop."),
            "choices": ("raise", "warn", "drop"),
        },
    )
    on_advice: OnAdvice = attrs.field(
        default="warn",
        validator=_choice,
        metadata={
            **about("What to do where a message may break the provider's policy: warn, raise, ignore."),
            "choices": ("warn", "raise", "ignore"),
        },
    )
    defaults: Message | None = attrs.field(
        default=None,
        converter=_defaults,
        metadata=about("Message fields used where a message does not give its own."),
    )
    webhook_secret: tuple[BasicAuth, ...] = attrs.field(
        default=(),
        converter=_pairs,
        metadata=about("user:password pairs a webhook may present, separated by commas or spaces."),
    )
    max_event_bytes: int = attrs.field(
        default=16 * 1024 * 1024,
        converter=_integer,
        validator=_positive,
        metadata={**about("Largest event delivery, in bytes."), "unit": "bytes"},
    )
    max_inbound_bytes: int = attrs.field(
        default=100 * 1024 * 1024,
        converter=_integer,
        validator=_positive,
        metadata={**about("Largest inbound delivery, in bytes."), "unit": "bytes"},
    )
    max_age: float = attrs.field(
        default=7 * 24 * 3600.0,
        converter=_number,
        validator=_positive,
        metadata={
            **about("Seconds after which a signed delivery is acknowledged but not handled."),
            "unit": "seconds",
        },
    )
    quarantine: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_path),
        metadata=about("Folder that keeps genuine deliveries which could not be understood."),
    )
    spool: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_path),
        metadata=about("Folder that keeps deliveries whose handler raised, until drain() hands them over."),
    )
    defer: bool = attrs.field(
        default=False,
        converter=_flag,
        metadata=about(
            "Acknowledge each delivery once it is in the spool, and leave it to drain(): yes or no."
        ),
    )
    required_plugins: tuple[str, ...] = attrs.field(
        default=(),
        converter=_names,
        metadata=about("Plugins without which no mailer is built, separated by commas or spaces."),
    )
