"""Secrets: known to the code that sends them and to nobody else."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from base64 import b64decode
from copy import copy, deepcopy
from pprint import pformat

import attrs
import pytest

from mailcore import BasicAuth, ConfigurationError, HttpRequest, Secret, Settings, to_json
from mailcore._config import configuration
from mailcore._spec import AdapterSpec

VALUE = "hunter2-hunter2"

SPEC = AdapterSpec(
    name="memory",
    factory="mailcore.providers.local:MemoryAdapter",
    options="mailcore.providers.local:LocalOptions",
)


@pytest.mark.rule("N-G10")
class TestShowing:
    """No usual way of showing a value shows a secret."""

    @pytest.mark.parametrize(
        "show",
        [
            repr,
            str,
            ascii,
            pformat,
            "{}".format,
            "{!r:>20}".format,
            "{:>20}".format,
            "%s".__mod__,
            "%r".__mod__,
        ],
        ids=["repr", "str", "ascii", "pformat", "{}", "{!r:}", "{:}", "%s", "%r"],
    )
    def test_text(self, show) -> None:  # noqa: ANN001  # reason: any way to make text
        """It shows as stars, within other values too."""
        secret = Secret(VALUE)
        for value in (secret, [secret], {"a": secret}, BasicAuth("user", secret)):
            assert VALUE not in show(value if show != "{:>20}".format else secret)
        assert "****" in show(secret)

    @pytest.mark.parametrize(
        "value",
        [
            BasicAuth.parse(f"user:{VALUE}"),
            Settings(webhook_secret=f"user:{VALUE}", proxy=f"http://user:{VALUE}@proxy"),
            HttpRequest(method="POST", url=f"https://x/?key={VALUE}", headers=[("Token", Secret(VALUE))]),
            HttpRequest(method="POST", url="https://x/", headers=[("Token", VALUE)], body=VALUE.encode()),
            configuration({"webhook_secret": f"user:{VALUE}"}, spec=SPEC, environ={}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_values_that_hold_one(self, value: object) -> None:
        """The repr of what holds a secret does not show it."""
        assert VALUE not in repr(value)

    def test_logs(self, caplog: pytest.LogCaptureFixture) -> None:
        """A log record shows stars."""
        logging.getLogger("test").warning("token %s", Secret(VALUE))
        assert "token ****" in caplog.text

    def test_tracebacks(self) -> None:
        """A traceback that shows variables shows stars."""
        secret = Secret(VALUE)
        with pytest.raises(ZeroDivisionError) as caught:
            _ = secret and 1 / 0
        shown = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )
        assert "Secret(****)" in shown
        assert VALUE not in shown.replace(f'VALUE = "{VALUE}"', "")

    def test_serialisers(self) -> None:
        """It does not travel: not by pickle, not as JSON, not within other values."""
        secret = Secret(VALUE)
        request = HttpRequest(method="POST", url="https://x/", headers=[("Token", secret)])
        for write in (pickle.dumps, json.dumps, to_json):
            for value in (secret, BasicAuth("user", secret), request):
                with pytest.raises(TypeError):
                    write(value)

    def test_no_attributes(self) -> None:
        """It has no `__dict__` for a dumper of objects to walk."""
        assert not hasattr(Secret(VALUE), "__dict__")
        assert VALUE not in repr(attrs.asdict(BasicAuth("user", Secret(VALUE))))


class TestSecret:
    """What a secret is."""

    def test_reveal(self) -> None:
        """The one way to the value; a secret of a secret is the same."""
        assert Secret(VALUE).reveal() == Secret(Secret(VALUE)).reveal() == VALUE

    def test_as_header(self) -> None:
        """What a header holds is as secret as what it is made of."""
        bearer, basic = Secret(VALUE).as_bearer(), Secret(VALUE).as_basic("api")
        assert bearer.reveal() == f"Bearer {VALUE}"
        assert b64decode(basic.reveal().removeprefix("Basic ")).decode() == f"api:{VALUE}"
        assert {repr(bearer), str(basic), f"{bearer}"} == {"Secret(****)", "****"}

    def test_as_login(self) -> None:
        """What a mail server is told is as secret."""
        plain, login = Secret(VALUE).as_plain("ada"), Secret(VALUE).as_login()
        assert b64decode(plain.reveal()).decode() == f"\0ada\0{VALUE}"
        assert b64decode(login.reveal()).decode() == VALUE
        assert {repr(plain), str(login)} == {"Secret(****)", "****"}

    @pytest.mark.parametrize("text", [f"{VALUE}\n", f"{VALUE}\r\n"])
    def test_newline(self, text: str) -> None:
        """One trailing newline, as files have, is no part of it."""
        assert Secret(text).reveal() == VALUE

    @pytest.mark.parametrize(
        "bad",
        ["", "\n", " ", "a b", " a", "a\n\n", "a\r\nX: y", "ä", "a\x00", "a\x7f", b"a", 5, None],
        ids=ascii,
    )
    def test_refused(self, bad: object) -> None:
        """What no header can carry is refused, without being shown."""
        with pytest.raises(ConfigurationError) as caught:
            Secret(bad)
        assert "X: y" not in str(caught.value)

    def test_equal(self) -> None:
        """Secrets compare with each other, not with text, and do not hash."""
        assert Secret(VALUE) == Secret(VALUE)
        assert Secret(VALUE) != Secret("other")
        assert Secret(VALUE) != VALUE
        with pytest.raises(TypeError):
            hash(Secret(VALUE))

    def test_copies(self) -> None:
        """A copy is the same object."""
        secret = Secret(VALUE)
        assert copy(secret) is secret
        assert deepcopy([secret])[0] is secret
