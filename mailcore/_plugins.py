"""The plugin host: who offers what, and what did not load.

Rule 1: a host is a value that is passed; nothing but `default` is shared.
Rule 2: one broken plugin is reported and left out; it never stops the others or the caller.
Rule 3: two distributions that claim one provider are both refused: the winner would receive the
        other's credentials.
"""

from __future__ import annotations

import difflib
import logging
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar

import attrs
import pluggy

from mailcore import hookspecs
from mailcore._message import Message
from mailcore._spec import API_VERSION, AdapterSpec
from mailcore.exceptions import AmbiguousPlugin, ConfigurationError, UnknownProvider

__all__ = ["Plugin", "PluginHost", "PluginProblem"]

GROUP = "mailcore.plugins"

_log = logging.getLogger("mailcore.plugins")

_OBSERVERS = (
    "mailcore_request_prepared",
    "mailcore_response_received",
    "mailcore_send_finished",
    "mailcore_webhook_finished",
    "mailcore_event_received",
    "mailcore_inbound_received",
)


@attrs.frozen(kw_only=True)
class Plugin:
    """
    One loaded plugin.

    Attributes:
        name: `distribution:entry point`, unique.
    """

    name: str
    distribution: str
    adapters: tuple[AdapterSpec, ...] = ()


@attrs.frozen(kw_only=True)
class PluginProblem:
    """
    Why a plugin, or one of its adapters, is not available.

    Attributes:
        text: What is wrong and what to do, in one sentence or two.
        details: The traceback, where code failed; empty otherwise.
    """

    name: str
    distribution: str
    text: str
    details: str = attrs.field(default="", repr=False)


class PluginHost:
    """
    Load plugins and call their hooks.

    Args:
        plugins: Objects with hook implementations, by name; loaded before the installed ones.
        installed: Whether to load what is installed under the entry-point group `mailcore.plugins`.
        only: Names of the installed plugins wanted; empty: all.
        disabled: Names of the installed plugins not wanted.

    A name is a distribution, an entry point, or `distribution:entry point`.
    """

    _default: ClassVar[PluginHost | None] = None

    def __init__(
        self,
        plugins: Mapping[str, object] | None = None,
        *,
        installed: bool = True,
        only: Collection[str] = (),
        disabled: Collection[str] = (),
    ) -> None:
        self._manager = pluggy.PluginManager("mailcore")
        self._manager.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []
        self.problems: list[PluginProblem] = []
        for name, plugin in (plugins or {}).items():
            self._register(name, name, plugin)
        if installed:
            self._load_installed(frozenset(only), frozenset(disabled))
        self._claims = self._collect_claims()
        self._observers = {hook: self._callers(hook) for hook in _OBSERVERS}
        self._before_send = self._callers("mailcore_before_send")

    @classmethod
    def default(cls) -> PluginHost:
        """Return the process's own host: all that is installed, minus what the environment says."""
        if cls._default is None:
            from mailcore._config import plugin_settings

            cls._default = cls(**plugin_settings())
        return cls._default

    # Adapters -----------------------------------------------------------------------------------

    @property
    def adapters(self) -> Mapping[str, AdapterSpec]:
        """Every usable adapter by name, sorted; those claimed twice are left out."""
        return {name: claims[0][1] for name, claims in sorted(self._claims.items()) if len(claims) == 1}

    def spec(self, provider: str) -> AdapterSpec:
        """
        Return the adapter of that name; `_` is read as `-`.

        Raises:
            UnknownProvider: Nothing installed offers it.
            AmbiguousPlugin: Two distributions do.
        """
        name = provider.replace("_", "-")
        claims = self._claims.get(name, [])
        if len(claims) > 1:
            raise AmbiguousPlugin(_ambiguous(name, [plugin for plugin, _ in claims]))
        if not claims:
            raise UnknownProvider(self._unknown(name))
        return claims[0][1]

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._claims, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        broken = [problem.name for problem in self.problems]
        failed = (
            f" These plugins did not load: {', '.join(broken)} (`mailcore doctor` says why)."
            if broken
            else ""
        )
        there = ", ".join(self.adapters) or "none"
        return f"No installed plugin offers the provider {name!r}.{hint} Available: {there}.{failed}"

    def _collect_claims(self) -> dict[str, list[tuple[Plugin, AdapterSpec]]]:
        claims: dict[str, list[tuple[Plugin, AdapterSpec]]] = {}
        for plugin in self.plugins:
            for spec in plugin.adapters:
                claims.setdefault(spec.name, []).append((plugin, spec))
        for name, rivals in claims.items():
            if len(rivals) > 1:
                text = _ambiguous(name, [plugin for plugin, _ in rivals])
                self.problems += [
                    PluginProblem(name=plugin.name, distribution=plugin.distribution, text=text)
                    for plugin, _ in rivals
                ]
        return claims

    # Loading ------------------------------------------------------------------------------------

    def _load_installed(self, only: frozenset[str], disabled: frozenset[str]) -> None:
        from importlib.metadata import entry_points

        found = sorted(entry_points(group=GROUP), key=lambda entry: (_distribution(entry), entry.name))
        for entry in found:
            distribution = _distribution(entry)
            names = {distribution, entry.name, f"{distribution}:{entry.name}"}
            if (only and not names & only) or names & disabled:
                continue
            self._guard(f"{distribution}:{entry.name}", distribution, entry.load)

    def _guard(self, name: str, distribution: str, load: Callable[[], object]) -> None:
        try:
            plugin = load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # reason: importing runs a stranger's code
            self._report(name, distribution, f"It cannot be imported: {_brief(error)}.", error)
        else:
            self._register(name, distribution, plugin)

    def _register(self, name: str, distribution: str, plugin: object) -> None:
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            adapters = self._register_adapters(plugin)
        except Exception as error:  # noqa: BLE001  # reason: registering runs a stranger's code
            if self._manager.get_plugin(name) is plugin:  # not another one that has the name already
                self._manager.unregister(name=name)
            self._report(name, distribution, f"It cannot be registered: {_brief(error)}.", error)
        else:
            self.plugins.append(Plugin(name=name, distribution=distribution, adapters=adapters))

    def _register_adapters(self, plugin: object) -> tuple[AdapterSpec, ...]:
        others = [known for known in self._manager.get_plugins() if known is not plugin]
        caller = self._manager.subset_hook_caller("mailcore_register_adapters", others)
        specs = [spec for answer in caller() for spec in answer]
        for spec in specs:
            if not isinstance(spec, AdapterSpec):
                raise ConfigurationError(
                    f"mailcore_register_adapters returned {type(spec).__name__}, no AdapterSpec"
                )
            if spec.api_version != API_VERSION:
                raise ConfigurationError(
                    f"the adapter {spec.name!r} speaks contract {spec.api_version}, this core {API_VERSION}; "
                    "install versions that fit together"
                )
        return tuple(specs)

    def _report(self, name: str, distribution: str, text: str, error: BaseException) -> None:
        details = "".join(traceback.format_exception(error))
        self.problems.append(PluginProblem(name=name, distribution=distribution, text=text, details=details))

    # Hooks --------------------------------------------------------------------------------------

    def _callers(self, hook: str) -> list[tuple[str, Callable[..., list[Any]]]]:
        """Return one caller for each plugin that implements the hook, in calling order."""
        implementations = sorted(
            getattr(self._manager.hook, hook).get_hookimpls(),
            key=lambda found: (not found.tryfirst, found.trylast, found.plugin_name),
        )
        everyone = self._manager.get_plugins()
        return [
            (found.plugin_name, self._manager.subset_hook_caller(hook, everyone - {found.plugin}))
            for found in implementations
        ]

    def before_send(self, message: Message, *, provider: str, mailer: str) -> Message:
        """
        Return the message after every plugin had its say.

        Raises:
            SendCancelled: A plugin stopped it. Any other error of a plugin passes through too.
        """
        for name, caller in self._before_send:
            for answer in caller(message=message, provider=provider, mailer=mailer):
                if not isinstance(answer, Message):
                    raise ConfigurationError(
                        f"The plugin {name} returned {type(answer).__name__} from mailcore_before_send; "
                        "it returns a Message or None."
                    )
                message = answer
        return message

    def notify(self, hook: str, **arguments: Any) -> None:
        """Tell every observer; one that raises is logged and stops nobody."""
        for name, caller in self._observers[hook]:
            try:
                caller(**arguments)
            except Exception:  # noqa: BLE001  # reason: an observer is a stranger's code
                _log.exception("The plugin %s raised in %s; it was ignored.", name, hook)


def _distribution(entry: Any) -> str:
    return entry.dist.name if entry.dist is not None else "unknown"


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")


def _ambiguous(name: str, rivals: Iterable[Plugin]) -> str:
    names = " and ".join(plugin.name for plugin in rivals)
    return (
        f"The provider {name!r} is claimed by {names}; neither is used, because the wrong one would "
        "receive your credentials. Uninstall one, or name it in MAILCORE_DISABLED_PLUGINS."
    )
