"""A provider's settings as users meet them: a name, a sentence, and where to put the value.

Rule: whether a setting is secret is read from its type, so that no second list can be wrong.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, get_args

import attrs

from mailcore._config import variables
from mailcore._secret import Secret
from mailcore._settings import Settings
from mailcore._spec import AdapterSpec, load_object

__all__ = ["Option", "common_options", "own_options"]

#: A value within a value within a setting: deeper ones are mail, which holds no credentials.
MAX_DEPTH = 3


@attrs.frozen(kw_only=True)
class Option:
    """
    One setting.

    Attributes:
        about: One sentence.
        variables: Environment variables it is looked up in, first one first.
        secret: Whether its value must not be shown.
        needed_to: `send`, `receive`, or empty.
    """

    name: str
    about: str
    variables: tuple[str, ...]
    secret: bool
    needed_to: str


def own_options(spec: AdapterSpec) -> list[Option]:
    """Return the settings of one provider; importing them runs the adapter's code."""
    return _options(load_object(spec.options), spec.name)


def common_options(provider: str) -> list[Option]:
    """Return the settings that every provider has."""
    return _options(Settings, provider)


def _options(cls: type[Any], provider: str) -> list[Option]:
    return [
        Option(
            name=field.name,
            about=field.metadata.get("about", ""),
            variables=variables(field.name, provider),
            secret=_holds_secret(field.type),
            needed_to=field.metadata.get("needed_to", ""),
        )
        for field in _fields(cls)
    ]


def _fields(cls: type[Any]) -> tuple[attrs.Attribute[Any], ...]:
    with suppress(NameError, TypeError):  # annotations that cannot be resolved stay text, which says enough
        attrs.resolve_types(cls)
    found: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return found


def _holds_secret(kind: Any, depth: int = 0) -> bool:
    if isinstance(kind, str):
        return "Secret" in kind
    if kind is Secret:
        return True
    if depth < MAX_DEPTH and isinstance(kind, type) and attrs.has(kind):
        return any(_holds_secret(field.type, depth + 1) for field in _fields(kind))
    return any(_holds_secret(part, depth) for part in get_args(kind))
