"""Settings come from Python, URLs, files and the environment, and mean the same everywhere."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

import mailcore.providers
from mailcore import (
    Adapter,
    AdapterSpec,
    BasicAuth,
    ConfigurationError,
    Mailer,
    MissingOption,
    PluginHost,
    Secret,
    UnknownOption,
    UnknownProvider,
    WebhookReceiver,
    about,
    check_service_url,
    hookimpl,
    to_json,
)
from mailcore._config import configuration, from_toml, from_url, looked_up

CANARY = "canary-7Q+/=w"


@attrs.frozen(kw_only=True)
class FakeOptions:
    """Settings of the fake provider."""

    api_key: Secret | None = attrs.field(
        default=None, converter=attrs.converters.optional(Secret), metadata=about("A key.", needed_to="send")
    )
    api_url: str = attrs.field(default="https://api.example.com", converter=check_service_url)


class FakeAdapter(Adapter):
    """Do nothing; these tests look at options only."""


SPEC = AdapterSpec(name="fake-mail", factory=f"{__name__}:FakeAdapter", options=f"{__name__}:FakeOptions")


class Plugin:
    """Offer the fake provider."""

    @hookimpl
    def mailcore_register_adapters(self) -> list[AdapterSpec]:
        """Return its spec."""
        return [SPEC]


HOST = PluginHost({"fake": Plugin(), "builtin": mailcore.providers}, installed=False)


def options(config: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Any:
    """Return the adapter's options a configuration amounts to."""
    return configuration(config, spec=SPEC, environ={} if environ is None else environ).options


def settings(config: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Any:
    """Return core's settings a configuration amounts to."""
    return configuration(config, spec=SPEC, environ={} if environ is None else environ).settings


class TestMapping:
    """A flat mapping, as written in Python."""

    def test_both_kinds_of_settings(self) -> None:
        """The adapter's options and core's settings stand side by side."""
        found = configuration(
            {"provider": "fake-mail", "api_key": CANARY, "deadline": 7}, spec=SPEC, environ={}
        )
        assert found.options.api_key.reveal() == CANARY
        assert found.settings.deadline == 7.0

    @pytest.mark.parametrize(
        "field,value",
        [
            ("deadline", 30.0),
            ("connect_timeout", 5.0),
            ("read_timeout", 20.0),
            ("on_unsupported", "raise"),
            ("on_advice", "warn"),
            ("webhook_secret", ()),
            ("max_event_bytes", 16 * 1024 * 1024),
            ("max_inbound_bytes", 100 * 1024 * 1024),
            ("max_age", 7 * 24 * 3600.0),
        ],
    )
    @pytest.mark.rule("N-G1")
    def test_defaults_are_limits(self, field: str, value: object) -> None:
        """Nothing is without a limit unless somebody says so."""
        assert getattr(settings({}), field) == value

    @pytest.mark.parametrize("value", [CANARY, Secret(CANARY), f"{CANARY}\n"])
    def test_secret(self, value: object) -> None:
        """Text and `Secret` are taken; the newline at the end of a file is not part of it."""
        assert options({"api_key": value}).api_key.reveal() == CANARY

    @pytest.mark.parametrize(
        "name,value",
        [
            ("api_key", "env:HOME"),
            ("api_key", Secret("env:HOME")),
            ("api_key", "file:key.txt"),
            ("webhook_secret", "env:HOME"),
            ("webhook_secret", ["a:1", "env:HOME"]),
            ("proxy", {"a": "env:HOME"}),
        ],
    )
    @pytest.mark.parametrize("given", [True, False])
    def test_plain_values_are_not_looked_up(self, name: str, value: Any, *, given: bool) -> None:
        """`env:` and `file:` mean something in files and URLs only; nobody has such a key."""
        variable = f"MAILCORE_FAKE_MAIL_{name.upper()}"
        environ = {"HOME": CANARY} if given else {variable: value}
        with pytest.raises(ConfigurationError) as caught:
            options({name: value} if given else {}, environ)
        assert str(caught.value).startswith(
            f"fake-mail: {name}: env: and file: are looked up in files and URLs only."
        )
        assert variable in str(caught.value)

    @pytest.mark.parametrize(
        "value,text",
        [
            (f"fake-mail://?api_key={CANARY}", "not str. A URL is for Mailer.from_url."),
            ([("provider", "fake-mail")], "not list."),
            (None, "not NoneType."),
        ],
    )
    @pytest.mark.parametrize("make", [Mailer.from_config, WebhookReceiver.from_config])
    def test_no_mapping(self, value: Any, text: str, make: Callable[..., object]) -> None:
        """Anything but a mapping is refused with a way out, and is not shown."""
        with pytest.raises(ConfigurationError, match="A configuration is a mapping such as") as caught:
            make(value, environ={}, host=HOST)
        assert text in str(caught.value)
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize("config", [{}, {"provider": ""}, {"provider": None}, {"provider": 5}])
    @pytest.mark.parametrize("make", [Mailer.from_config, WebhookReceiver.from_config, HOST.adapter])
    def test_no_provider(self, config: dict[str, Any], make: Callable[..., object]) -> None:
        """Whatever is built, the same error says what there is."""
        keywords = {} if make == HOST.adapter else {"host": HOST}
        with pytest.raises(ConfigurationError) as caught:
            make(config, environ={}, **keywords)
        available = "Available: console, fake-mail, file, memory."
        assert str(caught.value) == f"The configuration has no 'provider'. {available}"

    def test_key_that_is_no_text(self) -> None:
        """An option is named by text."""
        with pytest.raises(UnknownOption, match="no option '5'"):
            options({5: "x"})  # type: ignore[dict-item]  # reason: the point

    @pytest.mark.parametrize(
        "name,near",
        [
            ("api_kay", "api_key"),
            ("deadlin", "deadline"),
            ("webhook_secrets", "webhook_secret"),
            ("on_advise", "on_advice"),
        ],
    )
    def test_unknown_option(self, name: str, near: str) -> None:
        """The error names the nearest option and lists all."""
        with pytest.raises(
            UnknownOption, match=f"fake-mail has no option '{name}'. Did you mean '{near}'"
        ) as caught:
            options({name: CANARY})
        assert "api_url" in str(caught.value)
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize(
        "name,value",
        [
            ("deadline", "soon"),
            ("deadline", 0),
            ("deadline", -1),
            ("deadline", float("inf")),
            ("deadline", float("nan")),
            ("deadline", []),
            ("connect_timeout", "x"),
            ("read_timeout", object()),
            ("max_event_bytes", "many"),
            ("max_event_bytes", float("inf")),
            ("max_inbound_bytes", {}),
            ("max_age", "x"),
            ("on_unsupported", "ignore"),
            ("on_advice", "drop"),
            ("on_advice", []),
            ("webhook_secret", 5),
            ("webhook_secret", [5]),
            ("webhook_secret", CANARY),
            ("webhook_secret", f":{CANARY}"),
            ("webhook_secret", f"{CANARY}:"),
            ("webhook_secret", [f"user:{CANARY}", CANARY]),
            ("proxy", 5),
            ("proxy", f"socks5://{CANARY}@localhost:1"),
            ("proxy", f"{CANARY}"),
            ("proxy", f"http://[{CANARY}"),
            ("ca_bundle", 5),
            ("quarantine", 5),
            ("defaults", "x"),
            ("defaults", {"form_": "x"}),
            ("defaults", {"to": "not an address"}),
            ("defaults", {"to": 5}),
            ("defaults", {"tags": 5}),
            ("defaults", {"attachments": 5}),
            ("defaults", {5: 5}),
            ("api_key", 5),
            ("api_key", b"bytes"),
            ("api_key", ""),
            ("api_key", f"{CANARY} with a space"),
            ("api_key", f"{CANARY}\u4e2d"),
            ("api_url", "http://api.example.com"),
            ("api_url", f"https://user:{CANARY}@api.example.com"),
            ("api_url", 5),
        ],
    )
    def test_wrong_value(self, name: str, value: object) -> None:
        """Every value of a wrong type or range is a `ConfigurationError` that does not show it."""
        with pytest.raises(ConfigurationError, match=r"^fake-mail: ") as caught:
            configuration({name: value}, spec=SPEC, environ={})
        assert CANARY not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize(
        "name,value,text",
        [
            ("api_key", "", "fake-mail: api_key: A secret is empty."),
            ("api_key", "a b", "fake-mail: api_key: A secret holds a space"),
            ("api_url", "http://api.example.com", "fake-mail: api_url: The service address is https"),
            ("proxy", 5, "fake-mail: proxy: A secret is text, not int."),
            ("quarantine", 5, "fake-mail: quarantine: A path is text, not int."),
            ("deadline", 0, "fake-mail: deadline is a number of seconds"),
            ("defaults", {"to": "x y"}, "fake-mail: defaults: "),
        ],
    )
    def test_wrong_value_is_named(self, name: str, value: object, text: str) -> None:
        """The error names the option, once, whoever found the fault."""
        good = {"api_key": "k", "deadline": 7, "webhook_secret": "a:1"}
        with pytest.raises(ConfigurationError) as caught:
            options({**good, name: value})
        assert str(caught.value).startswith(text)

    @pytest.mark.parametrize(
        "value",
        [
            "a:1,b:2",
            "a:1 b:2",
            ["a:1", "b:2"],
            [Secret("a:1"), BasicAuth("b", Secret("2"))],
            Secret("a:1,b:2"),
        ],
    )
    def test_webhook_secrets(self, value: object) -> None:
        """Several pairs may stand in one text or in a list, so that one can be rotated."""
        pairs = settings({"webhook_secret": value}).webhook_secret
        assert [(pair.user, pair.password.reveal()) for pair in pairs] == [("a", "1"), ("b", "2")]

    def test_password_may_hold_a_colon(self) -> None:
        """Only the first colon separates."""
        (pair,) = settings({"webhook_secret": "a:b:c"}).webhook_secret
        assert (pair.user, pair.password.reveal()) == ("a", "b:c")


class TestLookUp:
    """Where an option is found that was not given."""

    ENVIRON: Mapping[str, str] = {"MAILCORE_FAKE_MAIL_API_KEY": "first", "FAKE_MAIL_API_KEY": "second"}

    @pytest.mark.parametrize(
        "config,removed,expected",
        [
            ({"api_key": "given"}, (), "given"),
            ({}, (), "first"),
            ({}, ("MAILCORE_FAKE_MAIL_API_KEY",), "second"),
        ],
    )
    def test_order(self, config: Mapping[str, str], removed: tuple[str, ...], expected: str) -> None:
        """What is given, then our variable, then the provider's usual one."""
        environ = {name: value for name, value in self.ENVIRON.items() if name not in removed}
        assert options(config, environ).api_key.reveal() == expected

    def test_empty_variable_is_none(self) -> None:
        """An empty variable is passed over."""
        environ = {**self.ENVIRON, "MAILCORE_FAKE_MAIL_API_KEY": ""}
        assert options({}, environ).api_key.reveal() == "second"

    def test_missing_names_all_places(self) -> None:
        """The error says how to write it in each place."""
        with pytest.raises(MissingOption) as caught:
            Mailer.from_config({"provider": "fake-mail"}, environ={}, host=HOST)
        for spelling in ("api_key=", "MAILCORE_FAKE_MAIL_API_KEY", "FAKE_MAIL_API_KEY"):
            assert spelling in str(caught.value)

    def test_core_settings_too(self) -> None:
        """Core's settings are looked up in the same way, and text means what a number means."""
        assert settings({}, {"MAILCORE_FAKE_MAIL_DEADLINE": "7.5"}).deadline == 7.5

    @pytest.mark.parametrize("variable", ["MAILCORE_FAKE_MAIL_WEBHOOK_SECRET", "MAILCORE_WEBHOOK_SECRET"])
    def test_shared_webhook_secret(self, variable: str) -> None:
        """One pair may serve every provider."""
        (pair,) = settings({}, {variable: "user:pass"}).webhook_secret
        assert pair.user == "user"

    def test_environment_of_the_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without another one, the process's environment is used."""
        monkeypatch.setenv("FAKE_MAIL_API_KEY", "mine")
        found = configuration({}, spec=SPEC)
        assert found.options.api_key.reveal() == "mine"

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Mailer.from_config({"provider": "fake-mail"}, environ={}, host=HOST),
            lambda: Mailer.from_url("fake-mail://", environ={}, host=HOST),
            lambda: Mailer.from_url("fake-mail://?api_key=env:FAKE_MAIL_API_KEY", environ={}, host=HOST),
            lambda: WebhookReceiver.from_config({"provider": "fake-mail"}, environ={}, host=HOST),
        ],
    )
    def test_empty_environment_isolates(
        self, make: Callable[[], object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A tenant without a key of its own never gets the process's."""
        monkeypatch.setenv("FAKE_MAIL_API_KEY", "mine")
        monkeypatch.setenv("MAILCORE_WEBHOOK_SECRET", "user:pass")
        with pytest.raises(MissingOption):
            make()


class TestURL:
    """A mailer in one line."""

    @pytest.mark.parametrize(
        "query,expected",
        [
            ("", {}),
            ("api_key=abc", {"api_key": "abc"}),
            ("api_key=a+b/c=", {"api_key": "a+b/c="}),
            ("api_key=a%2Bb%2Fc%3D%26", {"api_key": "a+b/c=&"}),
            ("api_key=abc&&deadline=7&", {"api_key": "abc", "deadline": "7"}),
            ("api%5Fkey=abc", {"api_key": "abc"}),
            ("proxy=http%3A%2F%2Fp%3A1", {"proxy": "http://p:1"}),
        ],
    )
    def test_options(self, query: str, expected: Mapping[str, str]) -> None:
        """Values are percent-decoded; a plus stays a plus, as base64 keys need."""
        assert from_url(f"fake-mail://?{query}") == {"provider": "fake-mail", **expected}

    def test_secret(self) -> None:
        """A URL may be a `Secret`, as it holds one."""
        assert from_url(Secret("fake-mail://?api_key=abc"))["api_key"] == "abc"

    def test_look_ups(self, tmp_path: Path) -> None:
        """`env:` and `file:` keep the secret out of the URL."""
        (tmp_path / "key").write_text("from-file\n")
        environ = {"KEY": "from-environment"}
        assert from_url("fake-mail://?api_key=env:KEY", environ=environ)["api_key"] == "from-environment"
        assert from_url(f"fake-mail://?api_key=file:{tmp_path}/key")["api_key"] == "from-file"

    @pytest.mark.parametrize(
        "url",
        [
            CANARY,
            "",
            "://?api_key=x",
            f"fake-mail://{CANARY}@?deadline=1",
            f"fake-mail://host?api_key={CANARY}",
            f"fake-mail:///path?api_key={CANARY}",
            f"fake-mail://?api_key={CANARY}#fragment",
            f"fake-mail://?api_key={CANARY}&api_key={CANARY}",
            f"fake-mail://?api_key=ab&{CANARY.partition('=')[0]}",
            f"fake-mail://?{CANARY.partition('=')[0]}",
            f"fake-mail://?api_key={CANARY}&api%5Fkey={CANARY}",
            "fake-mail://?%70rovider=memory",
            f"fake-mail://[{CANARY}?api_key=x",
            f"fake-mail://\u2100{CANARY}?api_key=x",
            f"fake_mail://?api_key={CANARY}",
        ],
    )
    def test_malformed(self, url: str) -> None:
        """Any other form is refused without showing a part of it: it may hold a secret."""
        with pytest.raises(ConfigurationError) as caught:
            from_url(url)
        assert "canary" not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize(
        "value,text",
        [
            ("env:NOT_SET", "api_key: env:NOT_SET is not set."),
            ("env:EMPTY", "api_key: env:EMPTY is empty."),
            ("file:/not/there", "api_key: file:/not/there cannot be read: No such file or directory."),
            ("file:a%00b", "api_key: file:a\x00b cannot be read: embedded null byte."),
        ],
    )
    def test_look_up_that_finds_nothing(self, value: str, text: str) -> None:
        """The error names the option, and says once what was looked for and why it was not found."""
        with pytest.raises(ConfigurationError) as caught:
            from_url(f"fake-mail://?api_key={value}", environ={"EMPTY": ""})
        assert str(caught.value) == text

    def test_file_that_is_no_text(self, tmp_path: Path) -> None:
        """The error says so without a byte of it."""
        file = tmp_path / "key"
        file.write_bytes(b"\xff" + CANARY.encode())
        with pytest.raises(ConfigurationError, match=r"key is not text in UTF-8\.$") as caught:
            from_url(f"fake-mail://?api_key=file:{file}")
        assert "canary" not in "".join(traceback.format_exception(caught.value))

    def test_mailer(self) -> None:
        """A URL is all a mailer needs."""
        mailer = Mailer.from_url("memory://?deadline=7", environ={}, host=HOST)
        assert (mailer.provider, mailer.settings.deadline) == ("memory", 7.0)

    def test_unknown_scheme(self) -> None:
        """The scheme is the provider."""
        with pytest.raises(UnknownProvider, match="Did you mean 'memory'"):
            Mailer.from_url("memry://", environ={}, host=HOST)


class TestTOML:
    """A file with tables."""

    def test_look_ups_at_any_depth(self, tmp_path: Path) -> None:
        """`env:` and `file:` are looked up wherever they stand."""
        (tmp_path / "pair").write_text("user:pass\n")
        file = tmp_path / "mailcore.toml"
        file.write_text(
            f'a = "env:KEY"\n[b]\nc = ["env:KEY", "plain", 5]\n[b.d]\ne = "file:{tmp_path}/pair"\nf = true\n'
        )
        assert looked_up(from_toml(file), environ={"KEY": "k"}) == {
            "a": "k",
            "b": {"c": ["k", "plain", 5], "d": {"e": "user:pass", "f": True}},
        }

    @pytest.mark.parametrize(
        "content,text",
        [
            (f'api_key = "{CANARY}', "not valid TOML"),
            (f'api_key = "{CANARY}"\napi_key = "{CANARY}"', "not valid TOML"),
            (b"\xff\xfe", "not valid TOML"),
            ("a = " + "[" * 100_000, "not valid TOML"),
        ],
    )
    def test_malformed(self, tmp_path: Path, content: str | bytes, text: str) -> None:
        """The error names the file and shows nothing that stands in it."""
        file = tmp_path / "mailcore.toml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigurationError, match=text) as caught:
            from_toml(file)
        assert str(file) in str(caught.value)
        assert CANARY not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize("name", ["missing.toml", "."])
    def test_unreadable(self, tmp_path: Path, name: str) -> None:
        """The error says why."""
        with pytest.raises(ConfigurationError, match="cannot be read"):
            from_toml(tmp_path / name)


class TestSecrets:
    """Whatever is shown, a credential is not."""

    def test_nothing_shows_them(self) -> None:
        """No repr of anything that holds one."""
        config = {
            "provider": "fake-mail", "api_key": CANARY, "webhook_secret": f"user:{CANARY}",
            "proxy": f"http://user:{CANARY}@proxy.example:1",
        }  # fmt: skip
        found = configuration(config, spec=SPEC, environ={})
        mailer = Mailer(found, host=HOST)
        receiver = WebhookReceiver(found, host=HOST)
        for value in (found, found.options, found.settings, found.settings.webhook_secret, mailer, receiver):
            for text in (repr(value), str(value), f"{value}"):
                assert CANARY not in text

    @pytest.mark.parametrize("write", [pickle.dumps, to_json])
    def test_nothing_carries_them_off(self, write: Callable[[object], object]) -> None:
        """What holds one is neither pickled nor written to JSON."""
        found = configuration({"api_key": CANARY}, spec=SPEC, environ={})
        with pytest.raises(TypeError):
            write(found.options)


def test_every_setting_is_described() -> None:
    """Users read of each setting in help and docs: one sentence, and a unit for a number."""
    from mailcore import Settings

    for field in attrs.fields(Settings):
        assert field.metadata["about"].endswith("."), field.name
