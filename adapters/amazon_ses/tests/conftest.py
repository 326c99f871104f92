"""What the adapter's tests share: a plugin host with Amazon SES alone, and secrets that must never show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mailcore_amazon_ses
from mailcore import HttpRequest, Mailer, PluginHost, WebhookReceiver
from mailcore.testing import RecordingTransport

#: The secrets of every mailer made here. Wherever they can be read, somebody could have leaked them.
SECRETS = {
    "access_key_id": "AKIACANARY17E92B",
    "secret_access_key": "canary/b7f3+SECRET/91d2",
    "session_token": "canary-5c1e-SESSION-77aa",
}


@pytest.fixture(scope="session")
def host() -> PluginHost:
    """Return a host that knows Amazon SES and nothing that happens to be installed."""
    host = PluginHost({"amazon-ses": mailcore_amazon_ses}, installed=False)
    assert not host.problems
    return host


@pytest.fixture
def secrets() -> dict[str, str]:
    """Return the secrets that must never show."""
    return dict(SECRETS)


@pytest.fixture
def make_mailer(host: PluginHost) -> Callable[..., Mailer]:
    """Return a function that makes a mailer with the secrets, and none of the environment; it tries once."""

    def make(transport: Any, **config: Any) -> Mailer:
        base = {"provider": "amazon-ses", "region": "us-east-1", "max_attempts": 1, **SECRETS}
        return Mailer.from_config({**base, **config}, environ={}, host=host, transport=transport)

    return make


@pytest.fixture
def make_receiver(host: PluginHost) -> Callable[..., WebhookReceiver]:
    """Return a function that makes a receiver; `answer` answers what it fetches."""

    def make(answer: Callable[[HttpRequest], Any] | None = None, **arguments: Any) -> WebhookReceiver:
        names = ("on_event", "on_inbound", "on_quarantine", "replay_store", "clock")
        given = {name: arguments.pop(name) for name in names if name in arguments}
        config = {"provider": "amazon-ses", "region": "us-east-1", **arguments}
        transport = RecordingTransport(answer) if answer else RecordingTransport()
        return WebhookReceiver.from_config(config, environ={}, host=host, transport=transport, **given)

    return make


@pytest.fixture(autouse=True)
def _no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail every test that writes a secret to a log, at any level."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it logs what it signs
    yield
    assert not [name for name, value in SECRETS.items() if value in caplog.text]
