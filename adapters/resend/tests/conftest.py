"""What the adapter's tests share: a plugin host with Resend alone, and a token that must never show."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import mailcore_resend
from mailcore import Context, Mailer, PluginHost, WebhookReceiver
from mailcore_resend._adapter import ResendAdapter
from mailcore_resend._options import ResendOptions

#: The token of every mailer made here. Wherever it can be read, somebody could have leaked it.
TOKEN = "canary-b7f3-TOKEN-91d2"
#: A signing secret of nobody.
SECRET = "whsec_" + b64encode(b"resend-tests-signing-secret").decode()
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """Return a host that knows Resend and nothing that happens to be installed."""
    host = PluginHost({"resend": mailcore_resend}, installed=False)
    assert not host.problems
    return host


@pytest.fixture
def adapter() -> ResendAdapter:
    """Return the adapter by itself."""
    return ResendAdapter(ResendOptions(api_key=TOKEN))


@pytest.fixture
def ctx() -> Context:
    """Return what an adapter may know of the world."""
    return Context(now=NOW, created=NOW, unique="0" * 32)


@pytest.fixture
def make_mailer(host: PluginHost) -> Callable[..., Mailer]:
    """Return a function that makes a mailer with the token, and none of the environment; it tries once."""

    def make(transport: Any, **config: Any) -> Mailer:
        config = {"provider": "resend", "api_key": TOKEN, "max_attempts": 1, **config}
        return Mailer.from_config(config, environ={}, host=host, transport=transport)

    return make


@pytest.fixture
def make_receiver(host: PluginHost) -> Callable[..., WebhookReceiver]:
    """Return a function that makes a receiver that trusts one signing secret."""

    def make(**arguments: Any) -> WebhookReceiver:
        config = {"provider": "resend", "webhook_key": SECRET, "api_key": TOKEN}
        return WebhookReceiver.from_config(config, environ={}, host=host, clock=lambda: NOW, **arguments)

    return make


@pytest.fixture(autouse=True)
def _no_token_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail every test that writes the token to a log, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in caplog.text
