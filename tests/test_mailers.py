"""Several mailers under their own names, each built when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mailcore import (
    ConfigurationError,
    Mailer,
    Mailers,
    Message,
    MissingOption,
    PluginHost,
    UnknownOption,
    UnknownProvider,
)
from mailcore.testing import outbox

MESSAGE = Message(from_="ada@example.com", to=["bob@example.com"], text="Hello")
TWO: Mapping[str, Any] = {
    "default": "main",
    "mailers": {"main": {"provider": "memory"}, "news": {"provider": "memory", "deadline": 7}},
}


def make(host: PluginHost, config: Mapping[str, Any]) -> Mailers:
    """Return mailers of the built-in providers."""
    return Mailers(config, environ={}, host=host)


class TestNames:
    """Which mailer is meant."""

    def test_by_name(self, host: PluginHost) -> None:
        """Each name has its mailer, and keeps it."""
        mailers = make(host, TWO)
        assert (mailers["main"].name, mailers["news"].name) == ("main", "news")
        assert mailers["news"] is mailers["news"]
        assert (list(mailers), len(mailers), "news" in mailers) == (["main", "news"], 2, True)

    def test_default(self, host: PluginHost) -> None:
        """One of several is named; a single one need not be."""
        mailers = make(host, TWO)
        assert mailers.default is mailers["main"]
        assert make(host, {"mailers": {"only": {"provider": "memory"}}}).default.name == "only"

    def test_no_default(self, host: PluginHost) -> None:
        """Several without one are fine until one is asked for without a name."""
        mailers = make(host, {"mailers": TWO["mailers"]})
        assert mailers["news"].name == "news"
        assert mailers.check() == {}
        for ask in (lambda: mailers.default, mailers.config):
            with pytest.raises(ConfigurationError, match=r"no default\. Set default = .*: main, news\."):
                ask()

    def test_unknown_name(self, host: PluginHost) -> None:
        """They behave as a mapping does."""
        mailers = make(host, TWO)
        with pytest.raises(KeyError) as caught:
            mailers["other"]
        assert str(caught.value) == "There is no mailer 'other'. Mailers: main, news."
        assert isinstance(caught.value, ConfigurationError)
        with pytest.raises(ConfigurationError, match=r"^There is no mailer 'other'"):
            mailers.config("other")
        assert mailers.get("other") is None
        assert "other" not in mailers

    @pytest.mark.parametrize(
        "config,text",
        [
            ({}, "names no mailer"),
            ({"mailers": {}}, "names no mailer"),
            ({"mailers": []}, "names no mailer"),
            ({"mailers": {"main": "memory://"}}, "mailers.main"),
            ({"default": "other", "mailers": {"main": {}}}, "default is one of main, not 'other'"),
            ({"default": [], "mailers": {"a": {}}}, "default is one of a"),
        ],
    )
    def test_malformed(self, host: PluginHost, config: Mapping[str, Any], text: str) -> None:
        """What is not of that form is refused at once."""
        with pytest.raises(ConfigurationError, match=text):
            make(host, config)

    def test_unknown_key(self, host: PluginHost) -> None:
        """A misspelt key is not passed over."""
        with pytest.raises(UnknownOption, match=r"no key 'mailer'\. Keys: default, defaults, mailers"):
            make(host, {"mailer": {}})


class TestGroups:
    """What a name stands for."""

    def test_is_group(self, host: PluginHost) -> None:
        """A mailer made of others has no configuration of its own; one that is not there is neither."""
        mailers = make(host, {"mailers": {"a": {"provider": "memory"}, "b": {"group": ["a"]}}})
        assert [mailers.is_group(name) for name in mailers] == [False, True]
        with pytest.raises(KeyError):
            mailers.is_group("c")


class TestBuilding:
    """When a mailer is built, and what is said when it cannot be."""

    BROKEN: Mapping[str, Any] = {
        "default": "main",
        "mailers": {
            "main": {"provider": "memory"},
            "typo": {"provider": "memry"},
            "option": {"provider": "memory", "deadlin": 7},
            "bare": {},
        },
    }

    def test_broken_ones_stop_nobody(self, host: PluginHost) -> None:
        """A mailer that cannot work is no matter to the others."""
        mailers = make(host, self.BROKEN)
        mailers["main"].send(MESSAGE)
        with pytest.raises(UnknownProvider, match=r"^\[mailers\.typo\] No installed plugin"):
            mailers["typo"]

    def test_check_finds_all(self, host: PluginHost) -> None:
        """Every mailer that cannot work is named with its error."""
        problems = make(host, self.BROKEN).check()
        assert {name: type(error) for name, error in problems.items()} == {
            "typo": UnknownProvider,
            "option": UnknownOption,
            "bare": ConfigurationError,
        }

    def test_is_built_once(self, host: PluginHost) -> None:
        """Threads that ask at the same time get the same mailer."""
        mailers = make(host, TWO)
        found: list[Mailer] = []
        threads = [threading.Thread(target=lambda: found.append(mailers["main"])) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1

    def test_close(self, host: PluginHost) -> None:
        """Leaving the block closes those that were built, and builds none."""
        with make(host, self.BROKEN) as mailers:
            main = mailers["main"]
            main.send(MESSAGE)
            closed: list[str] = []
            main._carrier._made[next(iter(main._carrier._made))].close = lambda: closed.append("main")  # type: ignore[method-assign]  # reason: a spy
        assert closed == ["main"]

    def test_repr(self, host: PluginHost) -> None:
        """Names and nothing else."""
        assert repr(make(host, TWO)) == "Mailers(main, news)"


class TestDefaults:
    """Message fields of all, and of one."""

    CONFIG: Mapping[str, Any] = {
        "default": "a",
        "defaults": {"from_": "ada@example.com", "tags": ["all"]},
        "mailers": {
            "a": {"provider": "memory"},
            "b": {"provider": "memory", "defaults": {"tags": ["b"], "from_": "b@example.com"}},
            "c": {"provider": "memory", "defaults": {"tags": None}},
        },
    }

    @pytest.mark.parametrize(
        "name,sender,tags",
        [
            ("a", "ada@example.com", ("all", "own")),
            ("b", "b@example.com", ("all", "b", "own")),
        ],
    )
    def test_combine(self, host: PluginHost, name: str, sender: str, tags: tuple[str, ...]) -> None:
        """From the most general to the message itself."""
        mailer = make(host, self.CONFIG)[name]
        mailer.send(Message(to="bob@example.com", text="Hello", tags="own"))
        (message,) = outbox(mailer)
        assert (message.from_[0].addr_spec, message.tags) == (sender, tags)

    def test_one_may_suppress(self, host: PluginHost) -> None:
        """None in a mailer's defaults takes those of all away."""
        mailer = make(host, self.CONFIG)["c"]
        mailer.send(Message(to="bob@example.com", text="Hello"))
        assert outbox(mailer)[0].tags == ()

    def test_configuration_is_not_changed(self, host: PluginHost) -> None:
        """What was given can be used again."""
        mailers = make(host, self.CONFIG)
        for name in mailers:
            mailers[name]
        assert set(self.CONFIG["mailers"]["a"]) == {"provider"}


class TestSources:
    """Where the configuration comes from."""

    FILE = """
        default = "main"
        [defaults]
        from_ = "env:SENDER"
        [mailers.main]
        provider = "memory"
        [mailers.news]
        provider = "memory"
        webhook_secret = "env:NOT_SET"
    """

    def write(self, folder: Path) -> Path:
        """Return the file."""
        file = folder / "mailcore.toml"
        file.write_text(self.FILE)
        return file

    def test_file(self, host: PluginHost, tmp_path: Path) -> None:
        """A TOML file, with look-ups."""
        mailers = Mailers.from_file(self.write(tmp_path), environ={"SENDER": "ada@example.com"}, host=host)
        mailers["main"].send(Message(to="bob@example.com", text="Hello"))
        assert outbox(mailers["main"])[0].from_[0].addr_spec == "ada@example.com"

    def test_missing_variable_stops_one(self, host: PluginHost, tmp_path: Path) -> None:
        """A mailer whose variable is not set is no matter to the others."""
        mailers = Mailers.from_file(self.write(tmp_path), environ={"SENDER": "ada@example.com"}, host=host)
        assert mailers["main"].provider == "memory"
        assert list(mailers.check()) == ["news"]
        with pytest.raises(MissingOption) as caught:
            mailers["news"]
        file = tmp_path / "mailcore.toml"
        assert str(caught.value) == f"{file} [mailers.news] webhook_secret: env:NOT_SET is not set."

    def test_errors_name_file_and_table(self, host: PluginHost, tmp_path: Path) -> None:
        """Whatever is wrong, and whoever asks, the error says where it stands."""
        file = self.write(tmp_path)
        mailers = Mailers.from_file(file, environ={"NOT_SET": "no pair"}, host=host)
        with pytest.raises(MissingOption) as caught:
            mailers.config("main")
        assert str(caught.value) == f"{file} [defaults] from_: env:SENDER is not set."
        mailers = Mailers.from_file(file, environ={"NOT_SET": "no pair", "SENDER": "a@b.example"}, host=host)
        with pytest.raises(ConfigurationError) as found:
            mailers["news"]
        assert str(found.value).startswith(f"{file} [mailers.news] memory: webhook_secret is of the form")

    def test_environment_names_a_file(self, host: PluginHost, tmp_path: Path) -> None:
        """MAILCORE_CONFIG comes first."""
        environ = {
            "MAILCORE_CONFIG": str(self.write(tmp_path)),
            "MAILCORE_URL": "console://",
            "SENDER": "a@b.example",
        }
        assert Mailers.from_env(environ=environ, host=host).default.provider == "memory"

    def test_environment_holds_a_url(self, host: PluginHost) -> None:
        """MAILCORE_URL is one mailer, named `default`."""
        mailers = Mailers.from_env(environ={"MAILCORE_URL": "memory://?deadline=env:D", "D": "7"}, host=host)
        assert list(mailers) == ["default"]
        assert mailers.default.settings.deadline == 7.0

    def test_environment_says_nothing(self, host: PluginHost) -> None:
        """The error names both variables."""
        with pytest.raises(ConfigurationError, match=r"MAILCORE_CONFIG.*MAILCORE_URL"):
            Mailers.from_env(environ={}, host=host)

    def test_python_values_are_not_looked_up(self, host: PluginHost) -> None:
        """`env:` in a field of mail is text like any other."""
        mailers = make(host, {"mailers": {"a": {"provider": "memory", "defaults": {"subject": "env:X"}}}})
        mailers["a"].send(MESSAGE)
        assert outbox(mailers["a"])[0].subject == "env:X"

    def test_python_options_are_no_references(self, host: PluginHost) -> None:
        """An option that says `env:` in Python is refused, not taken for the value."""
        mailers = make(host, {"mailers": {"a": {"provider": "memory", "proxy": "env:PROXY"}}})
        with pytest.raises(ConfigurationError, match=r"^\[mailers\.a\] memory: proxy: env: and file:"):
            mailers["a"]
