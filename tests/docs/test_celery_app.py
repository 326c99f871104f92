"""The example of a queue works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.loopback
def test_mail_arrives(finished: Any) -> None:
    """One command starts a broker, a worker and a provider, and the mail comes out at the other end."""
    if shutil.which("redis-server") is None and "redis" not in os.environ.get("MAILCORE_REQUIRE", ""):
        pytest.skip("redis-server is not installed")
    done = finished("examples/celery_app/run.py")
    assert done.returncode == 0, done.stderr
    words = [line.split(": ")[0] for line in done.stdout.splitlines()]
    assert words == ["in the queue", "in the queue", "arrived", "arrived", "in the review list"]
    assert sorted(done.stdout.splitlines()[2:4]) == ["arrived: Hello", "arrived: Report"]
    assert done.stdout.endswith("in the review list: 0\n")


def test_no_redis_is_said_in_words(root: Path, tmp_path: Path) -> None:
    """Who has no Redis is told how to get one, and shown no traceback."""
    command = [sys.executable, str(root / "examples" / "celery_app" / "run.py")]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "apt-get install redis-server" in done.stderr
    assert "Traceback" not in done.stderr
