"""The plugin host: who offers what, and what did not load.

Rule 1: a host is a value that is passed; nothing but `default` is shared.
Rule 2: one broken plugin is reported, logged and left out; it never stops the others, and the caller
        only where `required_plugins` names it.
Rule 3: two distributions that claim one provider are both refused: the winner would receive the
        other's credentials.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import pluggy

from mailcore import hookspecs
from mailcore._installed import Installed, named, select
from mailcore._message import Message
from mailcore._nearest import did_you_mean
from mailcore._pip import adapter_of
from mailcore._plugin import Plugin, PluginProblem
from mailcore._spec import API_VERSION, AdapterSpec
from mailcore.exceptions import (
    AmbiguousPlugin,
    ConfigurationError,
    MailcoreError,
    SendCancelled,
    UnknownProvider,
)

if TYPE_CHECKING:
    from mailcore._adapter import Adapter

__all__ = ["Plugin", "PluginHost", "PluginProblem"]

_log = logging.getLogger("mailcore.plugins")

#: Calls a plugin's function with those of a hook's arguments that it takes; returns what it answers.
_Caller: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Any]]

_OBSERVERS = (
    "mailcore_send_started",
    "mailcore_webhook_started",
    "mailcore_request_prepared",
    "mailcore_response_received",
    "mailcore_send_finished",
    "mailcore_webhook_finished",
    "mailcore_event_received",
    "mailcore_inbound_received",
)


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
        self._installed = select(only, disabled) if installed else Installed()
        self._load_installed()
        self._claims = self._collect_claims()
        self._listen()
        for problem in self.problems:  # a plugin that is missing may be the one that holds mail back
            text = " ".join(problem.text.split())
            _log.warning("The plugin %s has a problem: %s `mailcore doctor` says more.", problem.name, text)

    @classmethod
    def default(cls) -> PluginHost:
        """Return the process's own host: all that is installed, minus what the environment says."""
        if cls._default is None:
            from mailcore._config import plugin_settings

            cls._default = cls(**plugin_settings())
        return cls._default

    # While it is used ---------------------------------------------------------------------------

    def add(self, name: str, plugin: object) -> None:
        """
        Load one more plugin: its hooks are called in everything this host is used for, from now on.

        Raises:
            ConfigurationError: It cannot be loaded, the name is taken, or it offers adapters, which a
                host is told of when it is made.
        """
        known = len(self.problems)
        self._register(name, name, plugin)
        if len(self.problems) > known:
            raise ConfigurationError(f"The plugin {name} was not added. {self.problems.pop().text}")
        if self.plugins[-1].adapters:
            self.remove(name)
            raise ConfigurationError(
                f"The plugin {name} offers adapters, and a host in use takes no more of them. Pass it as "
                "plugins={...} when you make the host."
            )
        self._listen()

    def remove(self, name: str) -> None:
        """
        Let go of a plugin that was added.

        Raises:
            ConfigurationError: No plugin has that name.
        """
        if not any(plugin.name == name for plugin in self.plugins):
            raise ConfigurationError(f"No plugin named {name!r} was added.")
        self._manager.unregister(name=name)
        self.plugins = [plugin for plugin in self.plugins if plugin.name != name]
        self._listen()

    def _listen(self) -> None:
        # Each table is replaced, never changed: another thread may be calling hooks by it.
        self._observers = {hook: self._callers(hook) for hook in _OBSERVERS}
        self._before_send = self._callers("mailcore_before_send")

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

    def adapter(self, config: Mapping[str, Any], *, environ: Mapping[str, str] | None = None) -> Adapter:
        """
        Return the adapter that a flat mapping such as `{"provider": "mailpace", ...}` amounts to.

        Args:
            environ: Where options not given are looked up; None: the process's environment.

        Raises:
            ConfigurationError: It cannot work; the error says what to change.
        """
        from mailcore._config import configuration

        return configuration(config, host=self, environ=environ).adapter()

    def _unknown(self, name: str) -> str:
        near = did_you_mean(name, self._claims)
        return " ".join(
            [
                f"No installed plugin offers the provider {name!r}.{near}",
                f"Available: {', '.join(self.adapters) or 'none'}.",
                *self._not_loaded(),
                *([] if near or self._is_here(name) else _install(name)),
            ]
        )

    def _is_here(self, provider: str) -> bool:
        """Return whether a plugin that was left out, or failed, looks like the provider's."""
        absent = [problem.name for problem in self.problems if problem.distribution]
        absent += [name for plugins in self._installed.left_out.values() for name in plugins]
        return any(named(plugin, {provider, f"mailcore-{provider}"}) for plugin in absent)

    def _not_loaded(self) -> Iterable[str]:
        broken = ", ".join(problem.name for problem in self.problems if problem.distribution)
        if broken:
            yield f"These plugins did not load: {broken} (`mailcore doctor` says why)."
        for variable, plugins in self._installed.left_out.items():
            if plugins:
                yield f"{variable} leaves out: {', '.join(plugins)}."

    def require(self, names: Iterable[str]) -> None:
        """
        Do nothing where all these plugins are loaded.

        Raises:
            ConfigurationError: One is not; the error says why.
        """
        for name in names:
            if not any(named(plugin.name, [name]) for plugin in self.plugins):
                raise ConfigurationError(
                    f"required_plugins names the plugin {name!r}, which is not loaded. {self._absent(name)}"
                )

    def _absent(self, name: str) -> str:
        """Return why a plugin is not loaded."""
        reasons = [problem.text for problem in self.problems if named(problem.name, [name])]
        reasons += [
            f"{variable} leaves it out."
            for variable, plugins in self._installed.left_out.items()
            if any(named(plugin, [name]) for plugin in plugins)
        ]
        loaded = ", ".join(plugin.name for plugin in self.plugins) or "none"
        return " ".join(reasons) or f"It is not installed. Loaded: {loaded}."

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

    def _load_installed(self) -> None:
        for name, text in self._installed.unknown.items():
            self.problems.append(PluginProblem(name=name, distribution="", text=text))
        for name, load in self._installed.wanted.items():
            self._guard(name, name.partition(":")[0], load)

    def _guard(self, name: str, distribution: str, load: Callable[[], object]) -> None:
        try:
            plugin = load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # reason: importing runs a stranger's code
            self._report(name, distribution, f"It cannot be imported: {_brief(error)}", error)
        else:
            self._register(name, distribution, plugin)

    def _register(self, name: str, distribution: str, plugin: object) -> None:
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            adapters = self._register_adapters(plugin)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # reason: registering runs a stranger's code
            if self._manager.get_plugin(name) is plugin:  # not another one that has the name already
                self._manager.unregister(name=name)
            self._report(name, distribution, f"It cannot be registered: {_brief(error)}", error)
        else:
            module = str(getattr(plugin, "__name__", "") or type(plugin).__module__)
            self.plugins.append(
                Plugin(name=name, distribution=distribution, module=module, adapters=adapters)
            )

    def _register_adapters(self, plugin: object) -> tuple[AdapterSpec, ...]:
        if not self._manager.get_hookcallers(plugin):
            raise ConfigurationError("it implements no hook; is @hookimpl missing?")
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

    def _callers(self, hook: str) -> list[tuple[str, _Caller]]:
        """Return one caller for each plugin that implements the hook, in calling order."""
        implementations = sorted(
            getattr(self._manager.hook, hook).get_hookimpls(),
            key=lambda found: (not found.tryfirst, found.trylast, found.plugin_name),
        )
        everyone = self._manager.get_plugins()
        return [
            (
                found.plugin_name,
                _through(self._manager.subset_hook_caller(hook, everyone - {found.plugin}))
                if found.wrapper or found.hookwrapper
                else _alone(found),
            )
            for found in implementations
        ]

    def before_send(self, message: Message, *, provider: str, mailer: str) -> Message:
        """
        Return the message after every plugin had its say.

        Raises:
            SendCancelled: A plugin stopped it, or failed: one that holds mail back must not let it
                through by failing. A `MailcoreError` of a plugin passes as it is.
        """
        arguments = {"message": message, "provider": provider, "mailer": mailer}
        for name, caller in self._before_send:
            try:
                answers = caller(arguments)
            except MailcoreError:
                raise
            except Exception as error:
                raise SendCancelled(
                    f"The plugin {name} failed in mailcore_before_send, so nothing was sent: {_brief(error)}"
                ) from error
            for answer in answers:
                if not isinstance(answer, Message):
                    raise ConfigurationError(
                        f"The plugin {name} returned {type(answer).__name__} from mailcore_before_send; "
                        "it returns a Message or None."
                    )
                message = arguments["message"] = answer
        return message

    def notify(self, hook: str, **arguments: Any) -> None:
        """Tell every observer; one that raises is logged and stops nobody."""
        for name, caller in self._observers[hook]:
            _tell(name, hook, caller, arguments)

    def listens(self, hook: str) -> bool:
        """Return whether any plugin observes that."""
        return bool(self._observers[hook])

    def begin(self, hook: str, **arguments: Any) -> Callable[[], None]:
        """Tell every observer that something begins, and return what tells them that it is over."""
        told = [(name, _tell(name, hook, caller, arguments)) for name, caller in self._observers[hook]]
        ends = [(name, end) for name, answers in told for end in answers or ()]

        def end() -> None:
            for name, last in reversed(ends):
                _tell(name, hook, last)

        return end


def _through(caller: Callable[..., list[Any]]) -> _Caller:
    """Return what calls a plugin's function through pluggy, as one that wraps others has to be."""
    return lambda arguments: caller(**arguments)


def _alone(found: pluggy.HookImpl) -> _Caller:
    """Return what calls one function of a plugin as pluggy does, several times as fast."""
    function, names = found.function, found.argnames

    def call(arguments: Mapping[str, Any]) -> Sequence[Any]:
        answer = function(*map(arguments.__getitem__, names))
        return () if answer is None else (answer,)

    return call


def _tell(name: str, hook: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what an observer answers, or None; one that raises is logged."""
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001  # reason: an observer is a stranger's code
        _log.exception("The plugin %s raised in %s; it was ignored.", name, hook)
        return None


def _brief(error: BaseException) -> str:
    try:
        text = str(error) if isinstance(error, ConfigurationError) else f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # reason: a stranger's error may fail at anything
        text = type(error).__name__
    return text if text.endswith((".", "?")) else f"{text}."


def _install(name: str) -> Iterable[str]:
    if name.isascii() and name.replace("-", "").isalnum():
        yield f"If it is missing, {adapter_of(name)}"


def _ambiguous(name: str, rivals: Iterable[Plugin]) -> str:
    names = " and ".join(plugin.name for plugin in rivals)
    return (
        f"The provider {name!r} is claimed by {names}; neither is used, because the wrong one would "
        "receive your credentials. Uninstall one, or name it in MAILCORE_DISABLED_PLUGINS."
    )
