"""Mail through a queue, in short."""

from __future__ import annotations

import pytest

from reliability import workers
from reliability.brokers import Broker
from reliability.load import Slow
from reliability.workers import Throughput

pytestmark = [pytest.mark.long, pytest.mark.loopback]


def test_every_mail_is_sent(redis_broker: Broker) -> None:
    """Each process sends its share, and no faster than the provider answers."""
    made = Throughput(broker=redis_broker, processes=2, mails=5, pause=0.05)
    with Slow(0.05) as provider:
        filled, rate = made.measure(provider)
        assert provider.answered == 2 * 6
    assert filled > 0
    assert 0 < rate <= made.ideal() * 1.3  # a process may be ahead of another when the clock starts


def test_sees_a_worker_that_hangs(redis_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is sent, it says so instead of waiting."""
    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    made = Throughput(broker=redis_broker, processes=1, mails=5, pause=30.0)
    with Slow(30.0) as provider, pytest.raises(RuntimeError, match="Nothing was sent for 1 s; 1 are missing"):
        made.measure(provider)
