"""Where settings come from: Python, a URL, a TOML file, the environment.

Rule 1: explicit value, then MAILCORE_<PROVIDER>_<OPTION>, then <PROVIDER>_<OPTION>.
Rule 2: `env:NAME` and `file:PATH` are looked up in files and URLs only, where a secret should not stand.
Rule 3: what is wrong is said before anything is built, with the nearest right spelling.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from mailcore._secret import Secret
from mailcore._settings import Settings
from mailcore._spec import AdapterSpec, load_object
from mailcore.exceptions import ConfigurationError, MissingOption, UnknownOption

__all__ = ["Configuration", "configuration", "from_toml", "from_url", "looked_up", "plugin_settings"]

Environment = Mapping[str, str]

#: A table of message fields is no single text.
_NOT_IN_ENVIRONMENT = frozenset({"defaults"})


@attrs.frozen(kw_only=True)
class Configuration:
    """One mailer's or receiver's settings, checked: core's and the adapter's own."""

    spec: AdapterSpec
    settings: Settings
    options: Any


def configuration(
    config: Mapping[str, Any], *, spec: AdapterSpec, environ: Environment | None = None
) -> Configuration:
    """
    Return the settings a flat mapping and the environment amount to.

    Args:
        environ: Where options not given are looked up; None: the process's environment. Pass an
            empty mapping where tenants must not share credentials.

    Raises:
        UnknownOption: No such setting; the error names the nearest one.
        ConfigurationError: A value that cannot work.
    """
    given = {name: value for name, value in config.items() if name != "provider"}
    options_class = load_object(spec.options)
    ours, theirs = _names(Settings), _names(options_class)
    for name in given:
        if name not in ours and name not in theirs:
            raise UnknownOption(_unknown(name, spec.name, [*theirs, *ours]))
    surroundings = os.environ if environ is None else environ
    settings = {name: _found(name, given, spec.name, surroundings) for name in ours}
    options = {name: _found(name, given, spec.name, surroundings) for name in theirs}
    return Configuration(
        spec=spec,
        settings=_build(Settings, settings, spec.name),
        options=_build(options_class, options, spec.name),
    )


def require(configuration: Configuration, purpose: str) -> None:
    """
    Raise `MissingOption` if an option that `purpose` ("send" or "receive") needs is not set.

    The error names every place it was looked for.
    """
    for field in attrs.fields(type(configuration.options)):
        if field.metadata.get("needed_to") == purpose and getattr(configuration.options, field.name) is None:
            raise MissingOption(missing(configuration.spec.name, field.name, purpose))


def missing(provider: str, option: str, purpose: str) -> str:
    """Return the sentence that says where to put an option."""
    spellings = " or ".join(variables(option, provider))
    return (
        f"{provider} needs {option!r} to {purpose}. Give {option}= in the configuration, "
        f"or set the environment variable {spellings}."
    )


def variables(option: str, provider: str) -> tuple[str, ...]:
    """Return the environment variables an option is looked up in, first one first."""
    name = f"{provider.replace('-', '_')}_{option}".upper()
    shared = (f"MAILCORE_{option.upper()}",) if option == "webhook_secret" else ()
    return (f"MAILCORE_{name}", name, *shared)


def _names(options_class: type[Any]) -> list[str]:
    return [field.name for field in attrs.fields(options_class)]


def _unknown(name: str, provider: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{provider} has no option {name!r}.{hint} Options: {', '.join(sorted(known))}."


def _found(name: str, given: Mapping[str, Any], provider: str, environ: Environment) -> Any:
    if name in given or name in _NOT_IN_ENVIRONMENT:
        return given.get(name)
    return next((environ[variable] for variable in variables(name, provider) if environ.get(variable)), None)


def _build(cls: type[Any], values: Mapping[str, Any], provider: str) -> Any:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return cls(**given)
    except ConfigurationError as error:
        raise type(error)(f"{provider}: {error}") from None


def from_url(url: str | Secret, *, environ: Environment | None = None) -> dict[str, Any]:
    """
    Return the flat mapping that `provider://?option=value&...` stands for.

    Values are percent-decoded; a `+` stays a `+`. A value may be `env:NAME` or `file:PATH`.

    Raises:
        ConfigurationError: Not of that form. The URL itself is not shown, since it may hold a secret.
    """
    from urllib.parse import unquote, urlsplit

    text = url.reveal() if isinstance(url, Secret) else url
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or parts.netloc or parts.path.strip("/") or parts.fragment:
        raise ConfigurationError(
            "A mailer URL is of the form provider://?option=value&option=value, with nothing else in it."
        )
    config: dict[str, Any] = {"provider": parts.scheme}
    for pair in filter(None, parts.query.split("&")):
        name, equals, value = map(unquote, pair.partition("="))
        if not equals or name in config:
            # Not named: it may be the rest of a secret that holds an `&`.
            raise ConfigurationError("An option of the mailer URL has no value, or is there twice.")
        config[name] = looked_up(value, environ=environ)
    return config


def from_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """
    Return the table of a TOML file as it stands there; `looked_up` does the rest.

    Raises:
        ConfigurationError: It cannot be read, or is not TOML.
    """
    import tomllib

    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None


def looked_up(value: Any, *, environ: Environment | None = None) -> Any:
    """
    Return `value` with every text `env:NAME` and `file:PATH` in it, at any depth, looked up.

    Raises:
        ConfigurationError: A variable is not set, or a file cannot be read.
    """
    if isinstance(value, dict):
        return {name: looked_up(item, environ=environ) for name, item in value.items()}
    if isinstance(value, list):
        return [looked_up(item, environ=environ) for item in value]
    if isinstance(value, str) and value.startswith("env:"):
        return _from_environment(value.removeprefix("env:"), environ)
    if isinstance(value, str) and value.startswith("file:"):
        return _from_file(value.removeprefix("file:"))
    return value


def _from_environment(name: str, environ: Environment | None) -> str:
    found = (os.environ if environ is None else environ).get(name)
    if not found:
        raise MissingOption(f"The configuration says env:{name}, but that environment variable is not set.")
    return found


def _from_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The configuration says file:{path}, which cannot be read: {error}."
        ) from None


def environment(environ: Environment | None = None) -> tuple[str, str]:
    """Return MAILCORE_CONFIG and MAILCORE_URL; empty where not set."""
    found = os.environ if environ is None else environ
    return found.get("MAILCORE_CONFIG", ""), found.get("MAILCORE_URL", "")


def plugin_settings(environ: Environment | None = None) -> dict[str, Any]:
    """Return the plugins the environment wants (MAILCORE_LOAD_PLUGINS) and does not want."""
    found = os.environ if environ is None else environ

    def names(variable: str) -> list[str]:
        return found.get(variable, "").replace(",", " ").split()

    return {"only": names("MAILCORE_LOAD_PLUGINS"), "disabled": names("MAILCORE_DISABLED_PLUGINS")}
