"""Where settings come from: Python, a URL, a TOML file, the environment.

Rule 1: explicit value, then MAILCORE_<PROVIDER>_<OPTION>, then <PROVIDER>_<OPTION>.
Rule 2: `env:NAME` and `file:PATH` are looked up in files and URLs only, where a secret should not stand;
        elsewhere they are refused.
Rule 3: what is wrong is said before anything is built, with the nearest right spelling.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mailcore._nearest import did_you_mean
from mailcore._secret import Secret
from mailcore._settings import Settings
from mailcore._spec import AdapterSpec, load_object
from mailcore.exceptions import ConfigurationError, MissingOption, UnknownOption

if TYPE_CHECKING:
    from mailcore._adapter import Adapter
    from mailcore._plugins import PluginHost

__all__ = ["Configuration", "configuration", "from_toml", "from_url", "looked_up", "plugin_settings"]

Environment = Mapping[str, str]

#: A table of message fields is no single text.
_NOT_IN_ENVIRONMENT = frozenset({"defaults"})
#: One variable may serve every provider.
_SHARED = frozenset({"required_plugins", "webhook_secret"})
#: What stands for a value that is kept elsewhere.
_REFERENCES = ("env:", "file:")


@attrs.frozen(kw_only=True)
class Configuration:
    """One mailer's or receiver's settings, checked: core's and the adapter's own."""

    spec: AdapterSpec
    settings: Settings
    options: Any

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The options that are secrets."""
        values = [getattr(self.options, field.name) for field in attrs.fields(type(self.options))]
        listed = [value if isinstance(value, list | tuple) else [value] for value in values]
        return tuple(item for items in listed for item in items if isinstance(item, Secret))

    def adapter(self) -> Adapter:
        """Return the adapter with these options."""
        made: Adapter = load_object(self.spec.factory)(self.options)
        return made


def configuration(
    config: Mapping[str, Any],
    *,
    host: PluginHost | None = None,
    spec: AdapterSpec | None = None,
    environ: Environment | None = None,
) -> Configuration:
    """
    Return the settings a flat mapping and the environment amount to.

    Args:
        host: Where `provider` and required plugins are looked for; None: all that is installed.
        spec: The adapter, where it is known already; None: the one that `provider` names.
        environ: Where options not given are looked up; None: the process's environment. Pass an
            empty mapping where tenants must not share credentials.

    Raises:
        UnknownProvider: Nothing installed offers it.
        UnknownOption: No such setting; the error names the nearest one.
        ConfigurationError: A value that cannot work, or a required plugin that is not loaded.
    """
    try:
        return _configured(config, host=host, spec=spec, environ=environ)
    except ConfigurationError as error:
        failure = error.with_traceback(None)
    # Raised out here: the frames that looked things up hold the environment and its secrets.
    raise failure


def _configured(
    config: Mapping[str, Any],
    *,
    host: PluginHost | None,
    spec: AdapterSpec | None,
    environ: Environment | None,
) -> Configuration:
    spec = _spec(config, _host(host)) if spec is None else spec
    given = {name: value for name, value in config.items() if name != "provider"}
    options_class = load_object(spec.options)
    ours, theirs = _names(Settings), _names(options_class)
    for name in given:
        if name not in ours and name not in theirs:
            raise UnknownOption(_unknown(str(name), spec.name, [*theirs, *ours]))
    surroundings = os.environ if environ is None else environ
    settings = {name: _found(name, given, spec.name, surroundings) for name in ours}
    options = {name: _found(name, given, spec.name, surroundings) for name in theirs}
    _refuse_references({**settings, **options}, spec.name)
    found = Configuration(
        spec=spec,
        settings=_build(Settings, settings, spec.name),
        options=_build(options_class, options, spec.name),
    )
    if found.settings.required_plugins:
        _host(host).require(found.settings.required_plugins)
    return found


def _host(host: PluginHost | None) -> PluginHost:
    from mailcore._plugins import PluginHost

    return PluginHost.default() if host is None else host


def _spec(config: Mapping[str, Any], host: PluginHost) -> AdapterSpec:
    if not isinstance(config, Mapping):
        raise ConfigurationError(
            'A configuration is a mapping such as {"provider": "memory"}, '
            f"not {type(config).__name__}. A URL is for Mailer.from_url."
        )
    provider = config.get("provider")
    if not isinstance(provider, str) or not provider:
        raise ConfigurationError(
            f"The configuration has no 'provider'. Available: {', '.join(host.adapters) or 'none'}."
        )
    return host.spec(provider)


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
    shared = (f"MAILCORE_{option.upper()}",) if option in _SHARED else ()
    return (f"MAILCORE_{name}", name, *shared)


def _names(options_class: type[Any]) -> list[str]:
    return [field.name for field in attrs.fields(options_class)]


def _unknown(name: str, provider: str, known: list[str]) -> str:
    near = did_you_mean(name, known)
    return f"{provider} has no option {name!r}.{near} Options: {', '.join(sorted(known))}."


def _found(name: str, given: Mapping[str, Any], provider: str, environ: Environment) -> Any:
    if name in given or name in _NOT_IN_ENVIRONMENT:
        return given.get(name)
    return next((environ[variable] for variable in variables(name, provider) if environ.get(variable)), None)


def _build(cls: type[Any], values: Mapping[str, Any], provider: str) -> Any:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return cls(**given)
    except ConfigurationError as error:
        text = str(error)
        option = next((name for name in given if _refuses(cls, name, given[name])), "")
        own = f"{option}: " if option and not text.startswith(option) else ""
        raise type(error)(f"{provider}: {own}{text}") from None


def _refuses(cls: type[Any], name: str, value: Any) -> bool:
    """Return whether it is this value that cannot work, by itself."""
    try:
        cls(**{name: value})
    except ConfigurationError:
        return True
    except TypeError:  # it cannot be alone: nobody knows
        return False
    return False


def _refuse_references(values: Mapping[str, Any], provider: str) -> None:
    """Raise where `env:NAME` would be taken for the value itself: a key that looks set, and is wrong."""
    for name, value in values.items():
        if name not in _NOT_IN_ENVIRONMENT and _is_reference(value):
            raise ConfigurationError(
                f"{provider}: {name}: env: and file: are looked up in files and URLs only. Pass "
                "os.environ[...] or the file's content, or leave the option out: it is looked up as "
                f"{' or '.join(variables(name, provider))}."
            )


def _is_reference(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(map(_is_reference, value))
    text = value.reveal() if isinstance(value, Secret) else value
    return isinstance(text, str) and text.startswith(_REFERENCES)


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
        config[name] = looked_up(value, environ=environ, name=name)
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
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None


def looked_up(value: Any, *, environ: Environment | None = None, name: str = "") -> Any:
    """
    Return `value` with every text `env:NAME` and `file:PATH` in it, at any depth, looked up.

    Args:
        name: The option's, for errors; empty for a table of them.

    Raises:
        ConfigurationError: A variable is not set, or a file cannot be read.
    """
    if isinstance(value, dict):
        within = f"{name}." if name else ""
        return {key: looked_up(item, environ=environ, name=f"{within}{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [looked_up(item, environ=environ, name=name) for item in value]
    if not isinstance(value, str) or not value.startswith(_REFERENCES):
        return value
    kind, _, where = value.partition(":")
    return _from_environment(where, name, environ) if kind == "env" else _from_file(where, name)


def _from_environment(variable: str, name: str, environ: Environment | None) -> str:
    found = (os.environ if environ is None else environ).get(variable)
    if not found:
        raise MissingOption(f"{name}: env:{variable} is {'not set' if found is None else 'empty'}.")
    return found


def _from_file(path: str, name: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except UnicodeError:
        raise ConfigurationError(f"{name}: file:{path} is not text in UTF-8.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{name}: file:{path} cannot be read: {why}.") from None


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
