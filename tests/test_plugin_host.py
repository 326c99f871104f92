"""The plugin host loads what is installed, and survives whatever that is."""

from __future__ import annotations

import itertools
import logging
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import mailcore.providers
from mailcore import (
    AdapterSpec,
    AmbiguousPlugin,
    ConfigurationError,
    Mailer,
    Message,
    PluginHost,
    UnknownOption,
    UnknownProvider,
    WebhookReceiver,
    hookimpl,
)
from mailcore.hookspecs import hookspec

REGISTERING = """
    from mailcore import AdapterSpec, hookimpl

    @hookimpl
    def mailcore_register_adapters():
        return [AdapterSpec(name={name!r}, factory="{module}_code:Adapter", options="{module}_code:Options")]
"""

_numbers = itertools.count()

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that makes a distribution with one plugin, and returns the plugin's module."""
    made: list[str] = []

    def make(distribution: str, source: str = REGISTERING, *, name: str = "", target: str = "") -> str:
        module = f"mailcore_plugin_of_a_test_{next(_numbers)}"
        made.append(module)
        root = tmp_path / distribution
        info = root / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        text = (
            textwrap.dedent(source)
            .replace("{module}", module)
            .replace("{name!r}", repr(name or distribution))
        )
        (root / f"{module}.py").write_text(text)
        (root / f"{module}_code.py").write_text("raise AssertionError('The adapter is imported too early.')")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mailcore.plugins]\nentry = {module}{target}\n")
        monkeypatch.syspath_prepend(str(root))
        return module

    yield make
    for module in made:
        sys.modules.pop(module, None)


def only(*wanted: str, **options: Any) -> PluginHost:
    """Return a host of these distributions alone."""
    return PluginHost(only=wanted, **options)


class TestLoading:
    """What is installed is found."""

    def test_adapters_are_registered(self, install: Install) -> None:
        """An installed plugin is listed with its distribution and what it offers."""
        install("acme-mail", name="acme")
        found = only("acme-mail")
        (plugin,) = found.plugins
        assert (plugin.name, plugin.distribution) == ("acme-mail:entry", "acme-mail")
        assert [spec.name for spec in plugin.adapters] == list(found.adapters) == ["acme"]
        assert found.problems == []

    def test_nothing_of_the_adapter_is_imported(self, install: Install) -> None:
        """Registering and listing load the plugin's own module and no more."""
        module = install("acme-mail", name="acme")
        assert only("acme-mail").spec("acme").factory == f"{module}_code:Adapter"
        assert module in sys.modules
        assert f"{module}_code" not in sys.modules

    def test_entry_point_names_an_object(self, install: Install) -> None:
        """A plugin may be an object in a module, with methods for hooks."""
        source = """
            from mailcore import hookimpl

            class Plugin:
                @hookimpl
                def mailcore_before_send(self, message):
                    return None

            plugin = Plugin()
        """
        install("acme-mail", source, target=":plugin")
        found = only("acme-mail")
        assert found.problems == []
        assert [name for name, _ in found._before_send] == ["acme-mail:entry"]

    def test_nothing_installed(self) -> None:
        """A host may be told to look nowhere."""
        found = PluginHost(installed=False)
        assert (found.plugins, found.problems, dict(found.adapters)) == ([], [], {})

    def test_hosts_are_separate(self, install: Install) -> None:
        """What one host knows, another does not."""
        install("acme-mail", name="acme")
        given = PluginHost({"builtin": mailcore.providers}, installed=False)
        assert list(given.adapters) == ["console", "file", "memory"]
        assert list(only("acme-mail").adapters) == ["acme"]

    @pytest.mark.parametrize("spelling", ["acme-mail", "acme_mail"])
    def test_underscore_is_a_hyphen(self, install: Install, spelling: str) -> None:
        """Both spellings name one provider."""
        install("acme-mail", name="acme-mail")
        assert only("acme-mail").spec(spelling).name == "acme-mail"


class TestSelection:
    """Which plugins are wanted."""

    @pytest.mark.parametrize("name", ["one", "one:entry"])
    def test_only(self, install: Install, name: str) -> None:
        """A list of the wanted ones leaves the others alone; they are not even imported."""
        install("one")
        other = install("two")
        assert list(only(name).adapters) == ["one"]
        assert other not in sys.modules

    @pytest.mark.parametrize("name", ["two", "two:entry"])
    def test_disabled(self, install: Install, name: str) -> None:
        """A disabled plugin is not imported, even where it is wanted."""
        install("one")
        other = install("two")
        assert list(only("one", "two", disabled=[name]).adapters) == ["one"]
        assert other not in sys.modules

    def test_entry_point_alone(self, install: Install) -> None:
        """A plugin may be named by its entry point."""
        install("one")
        assert list(only("entry").adapters) == ["one"]

    @pytest.mark.parametrize(
        "options,variable",
        [
            ({"only": ["one", "acme-mial"]}, "MAILCORE_LOAD_PLUGINS"),
            ({"only": ["one"], "disabled": ["acme-mial"]}, "MAILCORE_DISABLED_PLUGINS"),
        ],
    )
    def test_name_of_nothing(self, install: Install, options: dict[str, list[str]], variable: str) -> None:
        """A name that nothing installed has is a problem, with the nearest right one."""
        install("one")
        install("acme-mail")
        found = PluginHost(**options)
        (problem,) = found.problems
        assert (problem.name, problem.distribution) == ("acme-mial", "")
        assert problem.text.startswith(
            f"{variable} names 'acme-mial', which is no installed plugin. Did you mean 'acme-mail'?"
        )
        assert list(found.adapters) == ["one"]

    @pytest.mark.parametrize("separator", [",", " ", ", ", "\n"])
    def test_environment(self, install: Install, monkeypatch: pytest.MonkeyPatch, separator: str) -> None:
        """The process's own host does what two variables say."""
        for distribution in ("one", "two", "three"):
            install(distribution)
        monkeypatch.setenv("MAILCORE_LOAD_PLUGINS", separator.join(["one", "two"]))
        monkeypatch.setenv("MAILCORE_DISABLED_PLUGINS", "two:entry")
        assert list(PluginHost.default().adapters) == ["one"]

    def test_default_is_built_once(self, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everyone who passes no host shares one."""
        install("one")
        monkeypatch.setenv("MAILCORE_LOAD_PLUGINS", "one")
        first = PluginHost.default()
        monkeypatch.setenv("MAILCORE_LOAD_PLUGINS", "none-of-them")
        assert PluginHost.default() is first


class TestDamagedPackage:
    """Files of other packages that nobody can read."""

    @pytest.mark.parametrize(
        "metadata, entries",
        [("", "[mailcore.plugins]\nodd = no_such_module\n"), ("Name: odd\n", "[mailcore.plugins\nodd\n")],
        ids=["nameless", "malformed"],
    )
    def test_stops_nobody(
        self,
        install: Install,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        metadata: str,
        entries: str,
    ) -> None:
        """What is left of a package that was half removed does not keep the others from loading."""
        install("acme")
        info = tmp_path / "odd" / "odd-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(entries)
        monkeypatch.syspath_prepend(str(tmp_path / "odd"))
        assert "acme" in PluginHost().adapters


class TestBrokenPlugin:
    """One that does not work is reported by name, and stops nobody."""

    @pytest.mark.parametrize(
        "source,text",
        [
            ("import a_module_that_is_not_there", "cannot be imported: ModuleNotFoundError"),
            ("def (", "cannot be imported: SyntaxError"),
            ("1 / 0", "cannot be imported: ZeroDivisionError"),
            ("raise SystemExit(1)", "cannot be imported: SystemExit"),
            (
                """
                class Odd(Exception):
                    def __str__(self):
                        raise ValueError
                raise Odd
                """,
                "cannot be imported: Odd.",
            ),
            (
                """
                from mailcore import hookimpl
                @hookimpl
                def mailcore_register_adapters():
                    raise SystemExit(1)
                """,
                "cannot be registered: SystemExit",
            ),
            (
                """
                from mailcore import hookimpl
                @hookimpl
                def mailcore_befor_send(message): ...
                """,
                "mailcore_befor_send",
            ),
            (
                """
                from mailcore import hookimpl
                @hookimpl
                def mailcore_before_send(message, weather): ...
                """,
                "weather",
            ),
            (
                """
                from mailcore import AdapterSpec, hookimpl
                @hookimpl
                def mailcore_register_adapters():
                    return [AdapterSpec(name="acme", factory="a:B", options="a:C", api_version=2)]
                """,
                "the adapter 'acme' speaks contract 2, this core 1",
            ),
            (
                """
                from mailcore import AdapterSpec, hookimpl
                @hookimpl
                def mailcore_register_adapters():
                    return [AdapterSpec(name="Acme!", factory="a:B", options="a:C")]
                """,
                "'Acme!' is not an adapter name",
            ),
            (
                "def mailcore_before_send(message): raise AssertionError",
                "It cannot be registered: it implements no hook; is @hookimpl missing?",
            ),
            (
                """
                from mailcore import AdapterSpec, hookimpl
                @hookimpl
                def mailcore_register_adapters():
                    fax = {"send.fax": None}
                    return [AdapterSpec(name="acme", factory="a:B", options="a:C", capabilities=fax)]
                """,
                "send.fax",
            ),
            *(
                (
                    f"""
                    from mailcore import hookimpl
                    @hookimpl
                    def mailcore_register_adapters():
                        {garbage}
                    """,
                    text,
                )
                for garbage, text in (
                    ("return 5", "TypeError"),
                    ("return ['acme']", "returned str, no AdapterSpec"),
                    ("return 'acme'", "returned str, no AdapterSpec"),
                    ("return [None]", "returned NoneType, no AdapterSpec"),
                    ("raise LookupError('gone')", "LookupError: gone"),
                    ("yield 1 / 0", "ZeroDivisionError"),
                )
            ),
        ],
    )
    def test_is_left_out(self, install: Install, source: str, text: str) -> None:
        """Its problem has its name, what is wrong and the traceback; the next plugin works."""
        install("broken", source)
        install("working")
        found = only("broken", "working")
        (problem,) = found.problems
        assert (problem.name, problem.distribution) == ("broken:entry", "broken")
        assert text in problem.text
        assert "Traceback" in problem.details
        assert list(found.adapters) == ["working"]
        assert [plugin.name for plugin in found.plugins] == ["working:entry"]

    def test_object_that_is_not_there(self, install: Install) -> None:
        """An entry point may point to nothing."""
        install("broken", target=":missing")
        (problem,) = only("broken").problems
        assert "AttributeError" in problem.text

    def test_is_logged(self, install: Install, caplog: pytest.LogCaptureFixture) -> None:
        """It may be the one that holds mail back, so the log has it in one line, without the traceback."""
        install("broken", "raise RuntimeError('first line\\nsecond line')")
        install("working")
        with caplog.at_level(logging.WARNING, "mailcore.plugins"):
            only("broken", "working")
        (text,) = caplog.messages
        assert text.startswith("The plugin broken:entry has a problem: It cannot be imported: RuntimeError: ")
        assert text.endswith("first line second line. `mailcore doctor` says more.")

    def test_none_offers_nothing(self, install: Install) -> None:
        """A plugin may decide at run time to offer no adapter."""
        source = "from mailcore import hookimpl\n@hookimpl\ndef mailcore_register_adapters(): return None"
        install("shy", source)
        found = only("shy")
        assert (found.problems, dict(found.adapters), len(found.plugins)) == ([], {}, 1)

    def test_hooks_of_a_broken_plugin_are_not_called(self, install: Install) -> None:
        """A plugin with one wrong hook is out with all of its hooks."""
        source = """
            from mailcore import hookimpl
            @hookimpl
            def mailcore_before_send(message): raise AssertionError
            @hookimpl
            def mailcore_register_adapters(): return 5
        """
        install("broken", source)
        assert only("broken")._before_send == []

    def test_unhashable_plugin(self) -> None:
        """An object that pluggy cannot hold is a broken plugin, and no more."""

        @attrs.define
        class Odd:
            @hookimpl
            def mailcore_register_adapters(self) -> list[AdapterSpec]:
                return []

        found = PluginHost({"odd": Odd(), "builtin": mailcore.providers}, installed=False)
        assert [problem.name for problem in found.problems] == ["odd"]
        assert list(found.adapters) == ["console", "file", "memory"]

    def test_second_plugin_of_one_name(self, install: Install) -> None:
        """The first one stays as it is; the second one is the problem."""

        class First:
            @hookimpl
            def mailcore_before_send(self, message: Message) -> None: ...

        install("acme-mail")
        found = only("acme-mail", plugins={"acme-mail:entry": First()})
        assert [problem.name for problem in found.problems] == ["acme-mail:entry"]
        assert [name for name, _ in found._before_send] == ["acme-mail:entry"]

    def test_is_named_where_its_provider_is_missed(self, install: Install) -> None:
        """Whoever asks for a provider hears which plugins did not load."""
        install("acme-mail", "1 / 0")
        with pytest.raises(UnknownProvider, match="did not load: acme-mail:entry"):
            only("acme-mail").spec("acme")


class Guard:
    """Hold all mail back."""

    @hookimpl
    def mailcore_before_send(self, message: Message) -> None:
        """Do nothing yet."""


class TestRequired:
    """Plugins without which nothing is built."""

    @pytest.mark.parametrize(
        "required", ["guard", "guard:entry", ["entry"], "guard entry", "guard,entry", []]
    )
    def test_loaded(self, install: Install, required: object) -> None:
        """One that is loaded, under any of its names, is all that is asked for."""
        source = "from mailcore import hookimpl\n@hookimpl\ndef mailcore_before_send(message): ..."
        install("guard", source)
        found = only("guard", plugins={"builtin": mailcore.providers})
        config = {"provider": "memory", "required_plugins": required}
        assert Mailer.from_config(config, environ={}, host=found).provider == "memory"

    def test_given(self) -> None:
        """A plugin that was passed to the host counts."""
        found = PluginHost({"builtin": mailcore.providers, "guard": Guard()}, installed=False)
        assert found.adapter({"provider": "memory", "required_plugins": "guard"}, environ={})

    @pytest.mark.parametrize(
        "source,options,text",
        [
            ("1 / 0", {"only": ["guard"]}, "It cannot be imported: ZeroDivisionError"),
            ("def mailcore_before_send(message): ...", {"only": ["guard"]}, "is @hookimpl missing"),
            ("", {"only": ["guard"], "disabled": ["guard"]}, "MAILCORE_DISABLED_PLUGINS leaves it out"),
            ("", {"only": ["other"]}, "MAILCORE_LOAD_PLUGINS leaves it out"),
            ("", {"installed": False}, "It is not installed. Loaded: builtin"),
        ],
    )
    @pytest.mark.parametrize("make", [Mailer.from_config, WebhookReceiver.from_config])
    def test_absent(
        self, install: Install, source: str, options: dict[str, Any], text: str, make: Callable[..., object]
    ) -> None:
        """Where one is absent, nothing is built; the error says why it is."""
        install("guard", source)
        install("other")
        found = PluginHost({"builtin": mailcore.providers}, **options)
        config = {"provider": "memory", "webhook_secret": "user:pass", "required_plugins": ["guard"]}
        with pytest.raises(
            ConfigurationError, match="names the plugin 'guard', which is not loaded"
        ) as caught:
            make(config, environ={}, host=found)
        assert text in str(caught.value)

    @pytest.mark.parametrize(
        "variable",
        ["MAILCORE_REQUIRED_PLUGINS", "MAILCORE_MEMORY_REQUIRED_PLUGINS", "MEMORY_REQUIRED_PLUGINS"],
    )
    def test_environment(self, host: PluginHost, variable: str) -> None:
        """One variable may speak for all providers."""
        with pytest.raises(ConfigurationError, match="'guard'"):
            Mailer.from_config({"provider": "memory"}, environ={variable: "builtin guard"}, host=host)

    @pytest.mark.parametrize("value", [5, [5], [None]])
    def test_no_names(self, host: PluginHost, value: object) -> None:
        """What is no list of names is refused."""
        with pytest.raises(ConfigurationError, match=r"^memory: required_plugins is text, or a list"):
            Mailer.from_config({"provider": "memory", "required_plugins": value}, environ={}, host=host)


class TestAdapter:
    """An adapter without a mailer, for embedders and for tests."""

    def test_is_built(self, host: PluginHost) -> None:
        """A flat mapping is all it takes."""
        assert type(host.adapter({"provider": "memory"}, environ={})).__name__ == "MemoryAdapter"

    def test_is_checked(self, host: PluginHost) -> None:
        """It is refused what a mailer is refused."""
        with pytest.raises(UnknownOption, match="Did you mean 'deadline'"):
            host.adapter({"provider": "memory", "deadlin": 7}, environ={})


class TestUnknownProvider:
    """A provider nobody offers."""

    @pytest.mark.parametrize(
        "asked,near", [("memmory", "memory"), ("Console", "console"), ("memory ", "memory")]
    )
    def test_names_the_nearest(self, host: PluginHost, asked: str, near: str) -> None:
        """A slip of the pen is answered with the right spelling."""
        with pytest.raises(UnknownProvider, match=f"Did you mean '{near}'"):
            host.spec(asked)

    def test_lists_what_there_is(self, host: PluginHost) -> None:
        """Without a near one, there is the list."""
        with pytest.raises(UnknownProvider, match=r"provider 'xyz'\. Available: console, file, memory\."):
            host.spec("xyz")

    def test_says_what_to_install(self, host: PluginHost) -> None:
        """Adapters are packages of their own, by a common pattern; a slip of the pen is none."""
        with pytest.raises(UnknownProvider, match=r"a clone: pip install ./adapters/xyz$"):
            host.spec("xyz")
        for slip in ("memmory", "x y"):
            with pytest.raises(UnknownProvider) as caught:
                host.spec(slip)
            assert "install its package" not in str(caught.value)

    @pytest.mark.parametrize("distribution", ["acme", "mailcore-acme"])
    @pytest.mark.parametrize("disabled", [True, False])
    def test_does_not_say_to_install_what_is_there(
        self, install: Install, distribution: str, *, disabled: bool
    ) -> None:
        """A plugin of the provider's name that was left out or failed needs another cure."""
        install(distribution, "1 / 0", name="acme")
        found = only(distribution, disabled=[distribution] if disabled else [])
        with pytest.raises(UnknownProvider) as caught:
            found.spec("acme")
        assert f"{distribution}:entry" in str(caught.value)
        assert "install its package" not in str(caught.value)

    @pytest.mark.parametrize(
        "options,text",
        [
            ({"only": ["other"]}, "MAILCORE_LOAD_PLUGINS leaves out: "),
            ({"disabled": ["acme-mail"]}, "MAILCORE_DISABLED_PLUGINS leaves out: "),
        ],
    )
    def test_names_what_is_left_out(self, install: Install, options: dict[str, list[str]], text: str) -> None:
        """The plugin that offers it may be installed and not wanted."""
        install("acme-mail", name="acme")
        install("other")
        with pytest.raises(UnknownProvider) as caught:
            PluginHost(**options).spec("acme")
        assert "acme-mail:entry" in str(caught.value).partition(text)[2]


class TestAmbiguity:
    """Two distributions that claim one provider."""

    def test_both_are_refused(self, install: Install) -> None:
        """The wrong one would receive the other's credentials, so neither is used."""
        install("acme-mail", name="acme")
        install("evil-mail", name="acme")
        found = only("acme-mail", "evil-mail")
        with pytest.raises(AmbiguousPlugin, match="claimed by acme-mail:entry and evil-mail:entry") as caught:
            found.spec("acme")
        assert "MAILCORE_DISABLED_PLUGINS" in str(caught.value)
        assert list(found.adapters) == []
        assert [problem.name for problem in found.problems] == ["acme-mail:entry", "evil-mail:entry"]
        with pytest.raises(AmbiguousPlugin):
            Mailer.from_config({"provider": "acme", "api_key": "canary"}, environ={}, host=found)

    def test_until_one_is_disabled(self, install: Install) -> None:
        """Naming one of them leaves the other."""
        module = install("acme-mail", name="acme")
        install("evil-mail", name="acme")
        found = only("acme-mail", "evil-mail", disabled=["evil-mail"])
        assert found.spec("acme").factory == f"{module}_code:Adapter"
        assert found.problems == []

    def test_other_adapters_stay(self, install: Install) -> None:
        """Only the name in question is refused."""
        both = REGISTERING.replace("{name!r}", "'acme'").replace(
            "return [", "return [AdapterSpec(name='other', factory='a:B', options='a:C'), "
        )
        install("acme-mail", both)
        install("evil-mail", name="acme")
        assert list(only("acme-mail", "evil-mail").adapters) == ["other"]

    def test_built_in_names_are_not_special(self, install: Install) -> None:
        """A stranger cannot take `memory` over, and nor does the built-in win."""
        install("evil-mail", name="memory")
        found = only("evil-mail", plugins={"builtin": mailcore.providers})
        with pytest.raises(AmbiguousPlugin, match="builtin and evil-mail:entry"):
            found.spec("memory")
        assert list(found.adapters) == ["console", "file"]


class TestWhileUsed:
    """Plugins that come and go."""

    class Listening:
        """Keep what was sent."""

        def __init__(self) -> None:
            self.heard: list[str | None] = []

        @hookimpl
        def mailcore_send_finished(self, message: Message) -> None:
            """Keep the subject."""
            self.heard.append(message.subject)

    def test_added_and_removed(self, host: PluginHost) -> None:
        """A mailer made before calls the hooks, from then on and until then."""
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=host)
        plugin = self.Listening()
        for subject in ("before", "with", "after"):
            if subject == "with":
                host.add("listening", plugin)
            if subject == "after":
                host.remove("listening")
            mailer.send(Message(from_="a@x.example", to="b@x.example", subject=subject, text="."))
        assert plugin.heard == ["with"]
        assert [found.name for found in host.plugins] == ["builtin"]
        assert not any(host._observers.values()), "a removed plugin costs nothing"

    def test_may_be_required(self, host: PluginHost) -> None:
        """One that was added is loaded."""
        host.add("listening", self.Listening())
        host.require(["listening"])

    @pytest.mark.parametrize(
        "name, plugin, words",
        [
            ("builtin", Listening(), "already registered"),
            ("other", object(), "implements no hook"),
            ("other", mailcore.providers, "already registered"),
        ],
        ids=["name taken", "no hook", "plugin taken"],
    )
    def test_what_cannot_be_added(self, host: PluginHost, name: str, plugin: object, words: str) -> None:
        """It is refused, and the host stays as it was."""
        with pytest.raises(ConfigurationError, match=words):
            host.add(name, plugin)
        assert ([found.name for found in host.plugins], host.problems) == (["builtin"], [])

    def test_adapters_come_with_the_host(self) -> None:
        """A provider does not appear, or become ambiguous, in the middle of things."""
        host = PluginHost({}, installed=False)
        with pytest.raises(ConfigurationError, match="offers adapters"):
            host.add("late", mailcore.providers)
        assert (host.plugins, dict(host.adapters)) == ([], {})

    def test_removing_what_is_not_there(self, host: PluginHost) -> None:
        """A name that no plugin has is a mistake."""
        with pytest.raises(ConfigurationError, match="No plugin named 'x'"):
            host.remove("x")


def test_every_hook_has_a_specification() -> None:
    """The hooks are exactly the functions of `mailcore.hookspecs`, each with a docstring."""
    import mailcore.hookspecs as specs

    hooks = [name for name in vars(specs) if name.startswith("mailcore_")]
    assert len(hooks) == 10
    for name in hooks:
        function = getattr(specs, name)
        assert function.__doc__
        assert hasattr(function, f"{hookspec.project_name}_spec")
