"""What the reference says of settings, from their classes."""

from __future__ import annotations

from typing import Any

import attrs
from _markdown import table
from _providers import specs

from mailcore import Settings
from mailcore._config import variables
from mailcore._spec import load_object

__all__ = ["provider_settings", "settings"]


def settings() -> str:
    """Write the settings every provider has."""
    return _fields(Settings, "<provider>")


def provider_settings() -> str:
    """Write each provider's own settings."""
    options = {spec.name: load_object(spec.options) for spec in specs()}
    return "\n\n".join(
        f"### `{name}`\n\n{_fields(own, name)}" for name, own in options.items() if attrs.fields(own)
    )


def _fields(options: type[Any], provider: str) -> str:
    rows = []
    for field in attrs.fields(options):
        needed = field.metadata.get("needed_to")
        about = field.metadata["about"] + (f" Needed to {needed}." if needed else "")
        looked_up = ", ".join(f"`{name}`" for name in variables(field.name, provider))
        rows.append((f"`{field.name}`", _default(field.default), about, looked_up))
    return table(["setting", "default", "meaning", "environment variables"], rows)


def _default(value: object) -> str:
    if value in (None, ()) or callable(getattr(value, "factory", None)):
        return ""  # there is none, or the text says what it depends on
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
