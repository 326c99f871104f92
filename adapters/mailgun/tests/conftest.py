"""What the adapter's tests share: a plugin host with Mailgun alone, and a token that must never show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mailcore_mailgun
from mailcore import Mailer, PluginHost, WebhookReceiver

#: The token of every mailer made here. Wherever it can be read, somebody could have leaked it.
TOKEN = "canary-b7f3-TOKEN-91d2"
#: Seconds that no recorded delivery is older than.
ANY_AGE = 100 * 365 * 24 * 3600


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """Return a host that knows Mailgun and nothing that happens to be installed."""
    host = PluginHost({"mailgun": mailcore_mailgun}, installed=False)
    assert not host.problems
    return host


@pytest.fixture
def token() -> str:
    """Return the token that must never show."""
    return TOKEN


@pytest.fixture
def make_mailer(host: PluginHost) -> Callable[..., Mailer]:
    """Return a function that makes a mailer with the token, and none of the environment; it tries once."""

    def make(transport: Any, **config: Any) -> Mailer:
        config = {"provider": "mailgun", "api_key": TOKEN, "max_attempts": 1, **config}
        return Mailer.from_config(config, environ={}, host=host, transport=transport)

    return make


@pytest.fixture
def make_receiver(host: PluginHost) -> Callable[..., WebhookReceiver]:
    """Return a function that makes a receiver with the token, and none of the environment."""

    def make(*, on_event: Any = None, on_inbound: Any = None, replay_store: Any = None, **config: Any) -> Any:
        return WebhookReceiver.from_config(
            {"provider": "mailgun", "api_key": TOKEN, "max_age": ANY_AGE, **config},
            on_event=on_event,
            on_inbound=on_inbound,
            replay_store=replay_store,
            environ={},
            host=host,
        )

    return make


@pytest.fixture(autouse=True)
def _no_token_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail every test that writes the token to a log, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in caplog.text
