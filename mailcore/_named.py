"""Several mailers under their own names: what `Mailers` and `AsyncMailers` have in common.

Rule: each is built when it is first asked for, so that one with a missing key stops nobody else; what
can be known at once (its provider, its options' names) is checked by `check`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self, TypeVar

from mailcore import _config
from mailcore._plugins import PluginHost
from mailcore._resolve import combine
from mailcore._settings import Settings
from mailcore.exceptions import ConfigurationError, MailcoreError, UnknownOption

__all__ = ["Named"]

M = TypeVar("M")

_KEYS = ("default", "defaults", "mailers")
_GROUP_KEYS = ("group", "strategy", "fail_over_on_unknown", "park_for")


class _UnknownMailer(ConfigurationError, KeyError):
    """No mailer has that name; a `KeyError` as any mapping's."""

    __str__ = Exception.__str__  # a KeyError would show the text in quotes


class Named(Mapping[str, M]):
    """Hold named mailers, built on first use; the base of both. Its arguments are those of `Mailers`."""

    #: What makes a mailer of a configuration, and a group of mailers.
    _mailer: ClassVar[Any]
    _group: ClassVar[Any]

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
        look_up: bool = False,
    ) -> None:
        for key in config:
            if key not in _KEYS:
                raise UnknownOption(f"The configuration has no key {key!r}. Keys: {', '.join(_KEYS)}.")
        tables = config.get("mailers")
        if not isinstance(tables, Mapping) or not tables:
            raise ConfigurationError(
                'The configuration names no mailer. Add one: [mailers.main] provider = "..."'
            )
        for name, table in tables.items():
            if not isinstance(table, Mapping):
                raise ConfigurationError(
                    f'mailers.{name} is no table. Write [mailers.{name}] provider = "..."'
                )
        self._tables: dict[str, Mapping[str, Any]] = dict(tables)
        self._defaults = config.get("defaults")
        self._default = self._default_name(config.get("default"))
        self._environ = environ
        self._look_up = look_up
        self._host = host
        self._source = ""
        self._built: dict[str, M] = {}
        self._building: list[str] = []
        self._lock = threading.RLock()  # a group builds its mailers

    def _default_name(self, given: Any) -> str | None:
        names = list(self._tables)
        if given is None:
            return names[0] if len(names) == 1 else None
        if given not in names:
            raise ConfigurationError(f"default is one of {', '.join(names)}, not {given!r}.")
        return str(given)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        environ: Mapping[str, str] | None = None,
        host: PluginHost | None = None,
    ) -> Self:
        """Return the mailers of a TOML file; `env:NAME` and `file:PATH` in it are looked up."""
        mailers = cls(_config.from_toml(path), environ=environ, host=host, look_up=True)
        mailers._source = f"{os.fspath(path)} "
        return mailers

    @classmethod
    def from_env(cls, *, environ: Mapping[str, str] | None = None, host: PluginHost | None = None) -> Self:
        """
        Return the mailers of the file MAILCORE_CONFIG names, or the one mailer of MAILCORE_URL.

        Raises:
            ConfigurationError: Neither is set.
        """
        path, url = _config.environment(environ)
        if path:
            return cls.from_file(path, environ=environ, host=host)
        if url:
            config = {"mailers": {"default": _config.from_url(url, environ=environ)}}
            return cls(config, environ=environ, host=host)
        raise ConfigurationError(
            "Set MAILCORE_CONFIG to a TOML file, or MAILCORE_URL to something like "
            "mailpace://?api_key=env:MAILPACE_API_KEY."
        )

    @property
    def default(self) -> M:
        """The mailer to use where none is named."""
        return self[self._chosen(None)]

    def _chosen(self, name: str | None) -> str:
        name = self._default if name is None else name
        names = ", ".join(self._tables)
        if name is None:
            raise ConfigurationError(
                f"There are several mailers and no default. Set default = to one of them, or name the one "
                f"you mean: {names}."
            )
        if name not in self._tables:
            raise _UnknownMailer(f"There is no mailer {name!r}. Mailers: {names}.")
        return name

    def __getitem__(self, name: str) -> M:
        name = self._chosen(name)
        with self._lock:
            if name not in self._built:
                self._built[name] = self._build(name)
            return self._built[name]

    def config(self, name: str | None = None) -> dict[str, Any]:
        """
        Return a mailer's flat configuration, as `WebhookReceiver.from_config` takes it too.

        Args:
            name: None: the mailer to use where none is named.
        """
        name = self._chosen(name)
        with self._said_of(f"mailers.{name}"):
            if "group" in self._tables[name]:
                raise ConfigurationError("It is a group. Name one of its mailers.")
            table: dict[str, Any] = self._looked_up(dict(self._tables[name]))
            own = Settings(defaults=table.get("defaults")).defaults
        with self._said_of("defaults"):
            shared = Settings(defaults=self._looked_up(self._defaults)).defaults
        table["defaults"] = combine(own, shared) if own and shared else own or shared
        return table

    def is_group(self, name: str) -> bool:
        """Tell whether a mailer is made of others, and has no configuration of its own."""
        return "group" in self._tables[self._chosen(name)]

    def _looked_up(self, value: Any) -> Any:
        return _config.looked_up(value, environ=self._environ) if self._look_up else value

    @contextmanager
    def _said_of(self, table: str) -> Iterator[None]:
        """Name the file and the table in what is raised."""
        try:
            yield
        except ConfigurationError as error:
            raise type(error)(f"{self._source}[{table}] {error}") from None

    def _build(self, name: str) -> M:
        if "group" in self._tables[name]:
            return self._build_group(name)
        config = self.config(name)
        with self._said_of(f"mailers.{name}"):
            made: M = self._mailer.from_config(config, environ=self._environ, host=self._host, name=name)
        return made

    def _build_group(self, name: str) -> M:
        table = self._tables[name]
        with self._said_of(f"mailers.{name}"):
            for key in table:
                if key not in _GROUP_KEYS:
                    raise UnknownOption(f"A group has no option {key!r}. Options: {', '.join(_GROUP_KEYS)}.")
            options = {key: value for key, value in table.items() if key != "group"}
            members = self._members(name, table["group"])
        made: M = self._group(members, name=name, **options)
        return made

    def _members(self, name: str, names: Any) -> list[M]:
        if not isinstance(names, list | tuple) or not names:
            raise ConfigurationError('group is a list of mailers, such as ["main", "spare"].')
        if name in self._building:
            raise ConfigurationError(f"group: {name!r} holds itself.")
        self._building.append(name)
        try:
            return [self[member] for member in names]
        finally:
            self._building.pop()

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def check(self) -> dict[str, MailcoreError]:
        """Build every mailer and return name → error for those that cannot work."""
        problems: dict[str, MailcoreError] = {}
        for name in self:
            try:
                self[name]
            except MailcoreError as error:
                problems[name] = error
        return problems

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._tables)})"
