"""The setting `MAILCORE`, and where else a Django project keeps what core looks up.

Rule 1: core's own rules hold; a Django setting stands before the environment variable of its name, and
        an entry of `MAILCORE` before both.
Rule 2: letter case of a key does not count: Django writes settings in capitals, core writes options small.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from django.conf import settings
from django.utils.module_loading import import_string

from mailcore import ConfigurationError, Mailers, PluginHost, ReplayStore, Settings
from mailcore._config import variables
from mailcore._spec import load_object

__all__ = [
    "Surroundings",
    "document",
    "is_ours",
    "is_used",
    "mailers",
    "receiver_config",
    "replay_store",
    "tables",
]

_PREFIX = "MAILCORE_"
#: Entries that are about this integration, not about a mailer.
OWN = frozenset({"replay_store"})


def document() -> dict[str, Any]:
    """
    Return `MAILCORE` with its keys in small letters; empty where it is not set.

    Raises:
        ConfigurationError: It is no dict, or holds a key twice.
    """
    return _small(getattr(settings, "MAILCORE", {}), "MAILCORE")


def is_used() -> bool:
    """Return whether the project has the setting at all."""
    return bool(getattr(settings, "MAILCORE", None))


def is_ours(setting: str) -> bool:
    """Return whether core looks at a setting of that name."""
    providers = [name.replace("-", "_").upper() + "_" for name in PluginHost.default().adapters]
    return setting.startswith(("MAILCORE", *providers))


def _small(table: Any, where: str) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(
            f'{where} is a dict such as {{"PROVIDER": "mailpace"}}, not {type(table).__name__}.'
        )
    found = {str(name).lower(): value for name, value in table.items()}
    if len(found) != len(table):
        raise ConfigurationError(f"{where} holds a key twice, in different letter case. Keep one.")
    return found


class Surroundings(Mapping[str, Any]):
    """Stand in for the environment where core looks an option up."""

    def __getitem__(self, variable: str) -> Any:
        for place in self._places(variable):
            if place not in (None, ""):
                return place
        raise KeyError(variable)

    def _places(self, variable: str) -> Iterator[Any]:
        if variable.startswith(_PREFIX):
            yield document().get(variable.removeprefix(_PREFIX).lower())
        yield getattr(settings, variable, None)
        yield os.environ.get(variable)

    def __iter__(self) -> Iterator[str]:
        return iter(())  # it is asked, never listed

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Surroundings()"


def mailers() -> Mailers:
    """
    Return the mailers that the settings describe, none of them built.

    Raises:
        ConfigurationError: There are none, or not of that form.
    """
    surroundings = Surroundings()
    config = {
        name: value
        for name, value in document().items()
        if name not in OWN and not (name not in ("provider", "mailers") and _is_looked_up(name))
    }
    if "mailers" in config:
        tables = _small_tables(config["mailers"])
        return Mailers({**config, "mailers": tables}, environ=surroundings)
    if config:
        return Mailers({"mailers": {"default": config}}, environ=surroundings)
    if any(surroundings.get(name) for name in ("MAILCORE_CONFIG", "MAILCORE_URL")):
        return Mailers.from_env(environ=surroundings)
    raise ConfigurationError(
        'There is no mailer. Set MAILCORE = {"PROVIDER": "mailpace", "MAILPACE_API_KEY": "..."}.'
    )


def _small_tables(tables: Any) -> Any:
    if not isinstance(tables, Mapping):
        return tables  # Mailers says what is wrong with it
    return {
        name: _small(table, f'MAILCORE["MAILERS"]["{name}"]') if isinstance(table, Mapping) else table
        for name, table in tables.items()
    }


def _is_looked_up(name: str) -> bool:
    """Return whether an entry is one that core looks up, such as `mailpace_api_key`."""
    wanted = _PREFIX + name.upper()
    for spec in PluginHost.default().adapters.values():
        if name == "webhook_secret" or name.startswith(spec.name.replace("-", "_") + "_"):
            kinds = (Settings, load_object(spec.options))
            options = [field.name for kind in kinds for field in attrs.fields(kind)]
            if any(wanted in variables(option, spec.name) for option in options):
                return True
    return False


def replay_store() -> ReplayStore | None:
    """
    Return the store that `REPLAY_STORE` names: a dotted path to what makes one, or a store.

    Raises:
        ConfigurationError: It cannot be made.
    """
    given = document().get("replay_store")
    if given is None or not isinstance(given, str):
        return given
    try:
        made: ReplayStore = import_string(given)()
    except (ImportError, TypeError) as error:
        raise ConfigurationError(f'MAILCORE["REPLAY_STORE"]: {given} cannot be used: {error}.') from None
    return made


def tables(mailers: Mailers | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield provider and settings of each mailer that is no group, the default one first."""
    for name in () if mailers is None else (None, *mailers):
        try:
            table = mailers.config(name) if mailers is not None else {}
        except ConfigurationError:  # a group, or no default, or what the checks report
            continue
        yield str(table.get("provider", "")).replace("_", "-"), table


def receiver_config(mailers: Mailers | None, provider: str) -> dict[str, Any]:
    """Return the settings that webhooks of a provider are received with: its first mailer's, or none."""
    found = (table for name, table in tables(mailers) if name == provider)
    return next(found, {"provider": provider})
