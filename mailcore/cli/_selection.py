"""Which provider a command uses, and with which settings.

Rule: a secret comes from the environment or a file. A command's arguments are in the shell's history and in
every process list of the machine, so one that holds a secret is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import attrs
import click

from mailcore import _config
from mailcore._mailers import Mailers
from mailcore._plugins import PluginHost
from mailcore.cli._option import Option, common_options, own_options
from mailcore.exceptions import ConfigurationError

__all__ = ["Selection", "selection_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--provider", metavar="NAME", help="Provider, its settings from the environment."),
    click.option("--config", metavar="FILE", help="TOML file with mailers (else MAILCORE_CONFIG)."),
    click.option("--mailer", metavar="NAME", help="Mailer of that file; its default where not given."),
    click.option("--url", metavar="URL", help="provider://?option=env:VARIABLE (else MAILCORE_URL)."),
)


def selection_options(command: F) -> F:
    """Give a command the options that say which provider to use."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@attrs.frozen(kw_only=True)
class Selection:
    """What the command line says of the provider to use; at most one of the first three is given."""

    provider: str | None
    config: str | None
    url: str | None
    mailer: str | None

    def configuration(self, **extra: Any) -> _config.Configuration:
        """
        Return the settings chosen, `extra` put over them.

        Raises:
            ConfigurationError: Nothing is chosen, or what is chosen cannot work.
        """
        return _config.configuration({**self._table(), **extra})

    def _table(self) -> Mapping[str, Any]:
        self._check()
        if self.provider:
            return {"provider": self.provider}
        if self.url:
            _refuse_secrets(self.url)
            return _config.from_url(self.url)
        path, url = _config.environment()
        if self.config or path:
            return _from_file(self.config or path, self.mailer)
        if url:
            return _config.from_url(url)
        installed = ", ".join(PluginHost.default().adapters) or "none"
        raise ConfigurationError(
            "Which provider? Give --provider NAME, --config FILE or --url URL, or set MAILCORE_CONFIG or "
            f"MAILCORE_URL. Installed: {installed}."
        )

    def _check(self) -> None:
        given = [f"--{name}" for name in ("provider", "config", "url") if getattr(self, name)]
        if len(given) > 1:
            raise click.UsageError(f"{' and '.join(given)} exclude each other: give one.")
        if self.mailer and (self.provider or self.url):
            raise click.UsageError("--mailer names a mailer of a configuration file; give --config as well.")


def _secret_option(provider: str, name: str) -> Option | None:
    spec = PluginHost.default().spec(provider)
    options = [*own_options(spec), *common_options(spec.name)]
    return next((option for option in options if option.name == name and option.secret), None)


def _from_file(path: str, name: str | None) -> Mapping[str, Any]:
    mailers = Mailers.from_file(path)
    if name is not None and name not in mailers:
        raise ConfigurationError(f"{path} has no mailer {name!r}. Mailers: {', '.join(mailers)}.")
    return mailers.config(name)


def _refuse_secrets(url: str) -> None:
    parts = urlsplit(url)
    for pair in filter(None, parts.query.split("&")):
        name, _, value = (unquote(part) for part in pair.partition("="))
        option = _secret_option(parts.scheme, name) if parts.scheme else None
        if option and not value.startswith(("env:", "file:")):
            raise ConfigurationError(
                f"--url holds the value of {name!r}, a secret, which every process list and the shell's "
                f"history would show. Write {name}=env:VARIABLE or {name}=file:PATH instead, or leave it out "
                f"and set {option.variables[0]}."
            )
