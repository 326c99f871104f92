"""The example of a queue works with a broker that somebody else started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery

from reliability.brokers import Broker

RUN = Path(__file__).resolve().parents[2] / "examples" / "celery_app" / "run.py"


@pytest.mark.loopback
@pytest.mark.parametrize("name", ["redis", "rabbitmq"])
def test_mail_arrives(name: str, request: pytest.FixtureRequest) -> None:
    """Both mails arrive, mail of another queue is left alone, and no queue stays."""
    broker: Broker = request.getfixturevalue(f"{name}_broker")
    with Celery(broker=broker.url) as app, app.connection_for_write() as connection:
        others = connection.SimpleQueue("mail")
        others.clear()
        others.put("of somebody else")
        command = [sys.executable, str(RUN), broker.url]
        environment = {name: value for name, value in os.environ.items() if "MAIL" not in name}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[2:] == ["arrived: Hello", "arrived: Report", "in the review list: 0"]
        left = others.get(timeout=60)
        assert left.payload == "of somebody else"
        left.ack()
        others.close()
