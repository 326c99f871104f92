"""What a plugin registers: everything core must know of an adapter before it imports it.

Rule: a spec points to code by name (`package.module:Name`). Registering imports none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from mailcore._capabilities import Capability, Support
from mailcore._event import EventType
from mailcore._mapping import FrozenMap
from mailcore.exceptions import ConfigurationError

__all__ = ["API_VERSION", "AdapterSpec", "Idempotency", "load_object"]

#: The contract this core speaks; a spec with another one is refused.
API_VERSION = 1

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_POINTER = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@attrs.frozen(kw_only=True)
class Idempotency:
    """
    What a provider promises about a repeated key.

    Attributes:
        ttl: Seconds a key is remembered.
        max_length: Most characters of a key.
        stores_errors: Whether an error is replayed too; if not, a refused request may be repeated.
        compares_payload: Whether the same key with other content is refused; if not, the new
            content is lost without a word.
        conflict_status: Status of a request whose key is being processed, where documented.
        per_batch: Whether one key covers a whole batch.
    """

    ttl: int
    max_length: int
    stores_errors: bool = False
    compares_payload: bool = False
    conflict_status: int | None = None
    per_batch: bool = False


def _capabilities(table: Mapping[Any, Support]) -> FrozenMap[Support]:
    try:
        return FrozenMap({Capability(name): support for name, support in table.items()})
    except ValueError as error:
        raise ConfigurationError(f"{error}. `mailcore providers --json` lists the names.") from None


def _event_types(types: Iterable[EventType]) -> frozenset[EventType]:
    return frozenset(types)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


@attrs.frozen(kw_only=True)
class AdapterSpec:
    """
    Describe one adapter.

    Attributes:
        name: `[a-z][a-z0-9-]*`; what users write in configuration.
        title: The provider's own spelling.
        factory: Pointer to the `Adapter` subclass; called with an instance of `options`.
        options: Pointer to the attrs class of its settings.
        api_version: The contract the adapter was written for.
        capabilities: Capability → Support; absent means unsupported.
        event_types: What its webhooks can become.
        idempotency: The provider's promise, or None.
        emulator: Pointer to a local provider, or empty.
        conformance_kit: Pointer to the kit, or empty.
        docs_url: The provider's API documentation.
        webhook_headers: Names of headers that every webhook of some kind has at this provider and at no
            other. They prove nothing; the log says by them whose webhook came to a wrong endpoint.

    Raises:
        ConfigurationError: A malformed name or pointer, or an unknown capability.
    """

    name: str = attrs.field()
    title: str = ""
    factory: str = attrs.field()
    options: str = attrs.field()
    api_version: int = API_VERSION
    capabilities: Mapping[Capability, Support] = attrs.field(factory=FrozenMap, converter=_capabilities)
    event_types: frozenset[EventType] = attrs.field(default=frozenset(), converter=_event_types)
    idempotency: Idempotency | None = None
    emulator: str = attrs.field(default="")
    conformance_kit: str = attrs.field(default="")
    docs_url: str = ""
    webhook_headers: tuple[str, ...] = attrs.field(default=(), converter=_names)

    @name.validator
    def _check_name(self, _: object, value: str) -> None:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise ConfigurationError(
                f"{value!r} is not an adapter name: lower-case letters, digits, hyphens."
            )

    @factory.validator
    @options.validator
    def _check_pointer(self, field: attrs.Attribute[Any], value: str) -> None:
        if not isinstance(value, str) or not _POINTER.fullmatch(value):
            raise ConfigurationError(f"{field.name} is not of the form package.module:Name, but {value!r}.")

    @emulator.validator
    @conformance_kit.validator
    def _check_optional_pointer(self, field: attrs.Attribute[Any], value: str) -> None:
        if value:
            self._check_pointer(field, value)


def load_object(pointer: str) -> Any:
    """Import and return what `package.module:Name` points to."""
    from importlib import import_module

    module, _, name = pointer.partition(":")
    return getattr(import_module(module), name)
