"""Settings: where they are looked up, what they take, and that no error shows a secret."""

from __future__ import annotations

import pickle
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import (
    ConfigurationError,
    HttpResponse,
    Mailer,
    Mailers,
    Message,
    MissingOption,
    PluginHost,
    Secret,
    UnknownOption,
    WebhookReceiver,
)
from mailcore.testing import RecordingTransport
from mailcore_mailpace._options import MailPaceOptions

#: Of RFC 8032, section 7.1, tests 1 and 2.
KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OTHER = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="


def token_of(config: dict[str, Any], environ: dict[str, str], host: PluginHost) -> str:
    """Return the token a mailer sends with."""
    transport = RecordingTransport(HttpResponse(status=200, body=b'{"id":1}'))
    config = {"provider": "mailpace", **config}
    mailer = Mailer.from_config(config, environ=environ, host=host, transport=transport)
    mailer.send(Message(from_="ada@example.com", to="bob@example.com", text="Hello"))
    value = dict(transport.requests[0].headers)["MailPace-Server-Token"]
    assert isinstance(value, Secret)
    return value.reveal()


def keys(value: Any) -> list[tuple[int | None, str]]:
    """Return domain id and label of each key."""
    return [(key.domain_id, key.label) for key in MailPaceOptions(webhook_key=value).webhook_key]


class TestLookUp:
    """An explicit value, then two environment variables, then an error."""

    @pytest.mark.parametrize(
        "config, environ, expected",
        [
            ({"api_key": "a"}, {"MAILCORE_MAILPACE_API_KEY": "b", "MAILPACE_API_KEY": "c"}, "a"),
            ({}, {"MAILCORE_MAILPACE_API_KEY": "b", "MAILPACE_API_KEY": "c"}, "b"),
            ({}, {"MAILPACE_API_KEY": "c"}, "c"),
            ({}, {"MAILCORE_MAILPACE_API_KEY": "", "MAILPACE_API_KEY": "c"}, "c"),
        ],
    )
    def test_order(
        self, config: dict[str, Any], environ: dict[str, str], expected: str, host: PluginHost
    ) -> None:
        """The first one found counts; an empty variable is none."""
        assert token_of(config, environ, host) == expected

    @pytest.mark.parametrize(
        "environ", [{}, {"API_KEY": "x", "MAILPACE_TOKEN": "x", "MAILCORE_API_KEY": "x"}]
    )
    def test_without_a_token_the_error_names_every_spelling(
        self, environ: dict[str, str], host: PluginHost
    ) -> None:
        """Nobody has to search for where to put it."""
        with pytest.raises(MissingOption) as caught:
            Mailer.from_config({"provider": "mailpace"}, environ=environ, host=host)

        for spelling in ("api_key=", "MAILCORE_MAILPACE_API_KEY", "MAILPACE_API_KEY"):
            assert spelling in str(caught.value)

    @pytest.mark.parametrize("variable", ["MAILCORE_MAILPACE_WEBHOOK_KEY", "MAILPACE_WEBHOOK_KEY"])
    def test_webhook_key(self, variable: str, host: PluginHost) -> None:
        """The environment can give the key; nothing else is needed to receive."""
        pytest.importorskip("nacl")
        receiver = WebhookReceiver.from_config({"provider": "mailpace"}, environ={variable: KEY}, host=host)

        assert receiver.provider == "mailpace"

    @pytest.mark.parametrize(
        "variable", ["MAILCORE_MAILPACE_WEBHOOK_SECRET", "MAILPACE_WEBHOOK_SECRET", "MAILCORE_WEBHOOK_SECRET"]
    )
    def test_webhook_secret(self, variable: str, host: PluginHost) -> None:
        """The pair for basic auth has a spelling for all providers as well."""
        environ = {variable: "user:password"}

        assert WebhookReceiver.from_config({"provider": "mailpace"}, environ=environ, host=host)

    def test_url_keeps_the_plus_of_a_key(self, host: PluginHost) -> None:
        """A `+` in a URL is a plus, not a space; percent-encoding works too."""
        pytest.importorskip("nacl")
        for spelling in (OTHER, OTHER.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")):
            url = f"mailpace://?api_key=env:TOKEN&webhook_key={spelling}"

            assert Mailer.from_url(url, environ={"TOKEN": "a"}, host=host).provider == "mailpace"

    def test_file(self, tmp_path: Path, host: PluginHost) -> None:
        """A TOML file takes all options, several keys as a table of domain and key."""
        pytest.importorskip("nacl")
        (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
        (tmp_path / "mailcore.toml").write_text(
            f'[mailers.default]\nprovider = "mailpace"\napi_key = "file:{tmp_path / "token"}"\n'
            f'[mailers.default.webhook_key]\n7 = "{KEY}"\n8 = "{OTHER}"\n',
            encoding="utf-8",
        )
        mailers = Mailers.from_file(tmp_path / "mailcore.toml", environ={}, host=host)

        assert mailers["default"].provider == "mailpace"

    def test_misspelt_options_are_refused(self, host: PluginHost) -> None:
        """The error names the nearest option."""
        with pytest.raises(UnknownOption, match="Did you mean 'webhook_key'"):
            Mailer.from_config({"provider": "mailpace", "webhok_key": KEY}, environ={}, host=host)


class TestWebhookKey:
    """One key or many, free or bound to a domain."""

    @pytest.mark.rule("MP-W6")
    @pytest.mark.parametrize(
        "value, expected",
        [
            (None, []),
            (KEY, [(None, "key 1")]),
            (f" {KEY}\n", [(None, "key 1")]),
            (f"{KEY} {OTHER}", [(None, "key 1"), (None, "key 2")]),
            (f"{KEY},{OTHER}", [(None, "key 1"), (None, "key 2")]),
            ([KEY, OTHER], [(None, "key 1"), (None, "key 2")]),
            ((KEY,), [(None, "key 1")]),
            (f"7:{KEY}", [(7, "domain 7")]),
            ([f"7:{KEY}", OTHER], [(7, "domain 7"), (None, "key 2")]),
            ({"7": KEY, 8: OTHER}, [(7, "domain 7"), (8, "domain 8")]),
        ],
    )
    def test_forms(self, value: Any, expected: list[tuple[int | None, str]]) -> None:
        """A text, a list, a table; what events will name the key by is its label."""
        assert keys(value) == expected

    def test_domains_as_the_organization_api_lists_them(self) -> None:
        """A domain's `id` and `webhook_public_key` make an entry."""
        domains = [{"id": 7, "webhook_public_key": KEY}, {"id": 8, "webhook_public_key": OTHER}]
        value = {domain["id"]: domain["webhook_public_key"] for domain in domains}

        assert keys(value) == [(7, "domain 7"), (8, "domain 8")]

    @pytest.mark.rule("MP-C17", "MP-W6")
    @pytest.mark.parametrize(
        "value",
        [
            "",
            " ",
            [],
            {},
            [""],
            "x",
            KEY[:-1],
            KEY + "=",
            KEY[:-2] + "p=",
            b64encode(bytes(31)).decode(),
            b64encode(bytes(33)).decode(),
            urlsafe_b64encode(b"\xff" * 32).decode(),
            bytes(32).hex(),
            "MCowBQYDK2VwAyEA" + KEY,
            "-----BEGIN PUBLIC KEY-----",
            f"example.com:{KEY}",
            f"7:8:{KEY}",
            f"7:{KEY[:-1]}",
            [KEY, "x"],
            [f"{KEY} {OTHER}"],
            [None],
            [7],
            7,
            True,
            b"x",
            {"example.com": KEY},
            {"7": ""},
            {"7": None},
            "é" * 44,
            [KEY] * 33,
        ],
        ids=repr,
    )
    def test_what_is_no_key_is_refused(self, value: Any) -> None:
        """At construction, by number: 32 bytes in the one base64 text MailPace shows, and nothing else."""
        with pytest.raises(ConfigurationError, match="webhook_key") as caught:
            MailPaceOptions(webhook_key=value)

        assert KEY[:20] not in str(caught.value)

    def test_thirty_two_keys_are_tried(self) -> None:
        """Each costs a forged delivery one verification, so there is an end."""
        assert len(keys([KEY] * 32)) == 32


class TestApiUrl:
    """Where the token may go."""

    @pytest.mark.rule("MP-S1")
    def test_default(self) -> None:
        """The documented endpoint."""
        assert MailPaceOptions().api_url == "https://app.mailpace.com/api/v1/send"

    @pytest.mark.rule("MP-S1")
    @pytest.mark.parametrize(
        "url",
        [
            "https://eu.mailpace.example/api/v1/send",
            "http://127.0.0.1:8025/api/v1/send",
            "http://localhost:8025/api/v1/send",
            "http://[::1]:8025/api/v1/send",
        ],
    )
    def test_https_or_this_machine(self, url: str) -> None:
        """Another place is possible, and an emulator on this machine needs no TLS."""
        assert MailPaceOptions(api_url=url).api_url == url

    @pytest.mark.rule("MP-S1")
    @pytest.mark.parametrize(
        "url",
        [
            "http://app.mailpace.com/api/v1/send",
            "http://192.0.2.1/",
            "http://localhost.evil.example/",
            "ftp://app.mailpace.com/",
            "app.mailpace.com",
            "",
            "https://user:password@app.mailpace.com/",
            "https://app.mailpace.com/#x",
            "https://app.mailpace.com/\r\nX: y",
            "https://app.mailpace.com/ x",
            "https://",
            "https://[",
        ],
    )
    def test_others_are_refused(self, url: str) -> None:
        """A token is never sent in the clear."""
        with pytest.raises(ConfigurationError):
            MailPaceOptions(api_url=url)


class TestSecrets:
    """No error and no text shows the token, even where it is what is wrong."""

    @pytest.mark.parametrize("spoilt", ["{} ", " {}", "{}\n\n", "{}\tx", "{}é", "Bearer {}", "{}\x00"])
    def test_a_spoilt_token_is_refused_unseen(self, spoilt: str, token: str, host: PluginHost) -> None:
        """A header could not carry it; the error does not quote it."""
        config = {"provider": "mailpace", "api_key": spoilt.format(token)}
        with pytest.raises(ConfigurationError, match="mailpace: api_key: A secret holds") as caught:
            Mailer.from_config(config, environ={}, host=host)

        assert token not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"

    @pytest.mark.parametrize("option", ["api_url", "webhook_key", "webhook_secret", "timeout"])
    def test_a_token_in_the_wrong_place_is_refused_unseen(
        self, option: str, token: str, host: PluginHost
    ) -> None:
        """Pasted into another option, it is not quoted either."""
        with pytest.raises(ConfigurationError) as caught:
            Mailer.from_config({"provider": "mailpace", option: token}, environ={}, host=host)

        assert token not in f"{caught.value} {caught.value!r}"

    def test_a_token_in_a_broken_url_is_refused_unseen(self, token: str, host: PluginHost) -> None:
        """A URL that cannot be read is not shown."""
        for url in (
            f"mailpace://{token}",
            f"mailpace://?api_key={token}&api_key={token}",
            f"mailpace:{token}",
        ):
            with pytest.raises(ConfigurationError) as caught:
                Mailer.from_url(url, environ={}, host=host)
            assert token not in f"{caught.value} {caught.value!r}"

    def test_options_do_not_show_it(self, token: str) -> None:
        """Neither as text nor in a pickle; keys for webhooks are public, and not shown either."""
        options = MailPaceOptions(api_key=token, webhook_key=f"7:{KEY}")

        assert token not in f"{options!r} {options} {attrs.asdict(options)}"
        assert KEY not in repr(options)
        with pytest.raises(TypeError, match="Secret"):
            pickle.dumps(options)

    def test_a_trailing_newline_is_taken_off(self, host: PluginHost) -> None:
        """As left by an editor in a file that holds a token."""
        assert token_of({"api_key": "a\n"}, {}, host) == "a"


class TestDescriptions:
    """What help and docs say of each option."""

    def test_each_option_has_a_sentence(self) -> None:
        """And says whether sending or receiving needs it."""
        found = {field.name: dict(field.metadata) for field in attrs.fields(MailPaceOptions)}

        assert list(found) == ["api_key", "webhook_key", "api_url"]
        assert all(data["about"].endswith(".") for data in found.values())
        assert [data["needed_to"] for data in found.values()] == ["send", "receive", ""]
