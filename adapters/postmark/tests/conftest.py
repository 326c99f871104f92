"""What the adapter's tests share: a plugin host with Postmark alone, and a token that must never show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import mailcore_postmark
from mailcore import Context, Mailer, PluginHost, WebhookReceiver
from mailcore_postmark._adapter import PostmarkAdapter
from mailcore_postmark._options import PostmarkOptions

#: The token of every mailer made here. Wherever it can be read, somebody could have leaked it.
TOKEN = "canary-b7f3-TOKEN-91d2"
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """Return a host that knows Postmark and nothing that happens to be installed."""
    host = PluginHost({"postmark": mailcore_postmark}, installed=False)
    assert not host.problems
    return host


@pytest.fixture
def adapter() -> PostmarkAdapter:
    """Return the adapter by itself."""
    return PostmarkAdapter(PostmarkOptions(server_token=TOKEN))


@pytest.fixture
def ctx() -> Context:
    """Return what an adapter may know of the world."""
    return Context(now=NOW, created=NOW, unique="0" * 32)


@pytest.fixture
def make_mailer(host: PluginHost) -> Callable[..., Mailer]:
    """Return a function that makes a mailer with the token, and none of the environment; it tries once."""

    def make(transport: Any, **config: Any) -> Mailer:
        config = {"provider": "postmark", "server_token": TOKEN, "max_attempts": 1, **config}
        return Mailer.from_config(config, environ={}, host=host, transport=transport)

    return make


@pytest.fixture
def make_receiver(host: PluginHost) -> Callable[..., WebhookReceiver]:
    """Return a function that makes a receiver with one pair of basic auth."""

    def make(**arguments: Any) -> WebhookReceiver:
        config = {"provider": "postmark", "webhook_secret": "postmark:secret", "max_age": 10**10}
        return WebhookReceiver.from_config(config, environ={}, host=host, **arguments)

    return make


@pytest.fixture(autouse=True)
def _no_token_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail every test that writes the token to a log, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in caplog.text
