"""What every test of core may rely on: no network unless marked, and nobody's own settings."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mailcore.providers
from mailcore import PluginHost

# The harness `reliability` is in no distribution. Last on the path: mailcore is the installed one.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from reliability.brokers import BROKERS, Broker, find

#: Programs without which a test fails instead of being skipped; `.ci/run` says which.
REQUIRED = os.environ.get("MAILCORE_REQUIRE", "").split(",")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse internet sockets to a test that is not marked `loopback`."""
    if request.node.get_closest_marker("loopback"):
        return
    make = socket.socket.__init__

    def guarded(self: socket.socket, family: int = -1, *args: Any, **kwargs: Any) -> None:
        if family in (-1, socket.AF_INET, socket.AF_INET6):
            raise AssertionError(
                "This test opens a socket. Mark it with @pytest.mark.loopback, or do without."
            )
        make(self, family, *args, **kwargs)

    def resolve(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("This test looks a host name up.")

    monkeypatch.setattr(socket.socket, "__init__", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Have every test log, also after one whose command is silent."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings and the plugins of whoever runs the tests."""
    for name in list(os.environ):
        if "MAILPACE" in name or (name.startswith("MAILCORE_") and name != "MAILCORE_VECTORS"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(PluginHost, "_default", None)


@pytest.fixture
def host() -> PluginHost:
    """Return a host with the built-in providers and nothing else."""
    return PluginHost({"builtin": mailcore.providers}, installed=False)


def _broker(name: str, folder: Path) -> Iterator[Broker]:
    """Start a broker; without its program, skip, or fail where it is required."""
    program, start = BROKERS[name]
    if find(program) is None:
        if name in REQUIRED:
            pytest.fail(f"{program} is required by MAILCORE_REQUIRE, and is not installed.")
        pytest.skip(f"{program} is not installed")
    with start(folder) as broker:
        yield broker


@pytest.fixture(scope="session")
def redis_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start Redis, once for all tests."""
    yield from _broker("redis", tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="session")
def rabbitmq_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start RabbitMQ, once for all tests; it takes its time, so that one Python does it for all."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("RabbitMQ takes long to start: Python 3.11 does it for all")
    yield from _broker("rabbitmq", tmp_path_factory.mktemp("rabbitmq"))
