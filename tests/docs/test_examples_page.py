"""What the page on the examples shows is what one sees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
#: Command → the lines below it, where there are any.
SHOWN = dict(re.findall(r"^\$ python (examples/\S+(?: \w+)?)\n((?:(?!```|\$).*\n)+)", TEXT, re.MULTILINE))
#: What differs from run to run.
VARYING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=127\.0\.0\.1:)\d+")


def test_every_example_is_there() -> None:
    """Each folder has one command, and what it shows."""
    folders = {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}
    assert {command.split("/")[1] for command in SHOWN} == folders


def same(command: str, found: list[str]) -> bool:
    """Say whether a command prints what is shown, but for what differs from run to run."""
    shown = SHOWN[command].splitlines()
    return [VARYING.sub("*", line) for line in shown] == [VARYING.sub("*", line) for line in found]


@pytest.mark.loopback
@pytest.mark.parametrize("command", [command for command in SHOWN if not command.endswith("app.py")])
def test_shown(command: str, finished: Any) -> None:
    """The command, in a folder of somebody who just cloned, prints those lines, and ends."""
    if "celery" in command and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed; test_celery_app.py says whether it may be")
    done = finished(*command.split())
    assert done.returncode == 0, done.stderr
    assert same(command, done.stdout.splitlines()), done.stdout


@pytest.mark.loopback
@pytest.mark.parametrize("command", [command for command in SHOWN if command.endswith("app.py")])
def test_shown_by_what_runs_on(command: str) -> None:
    """What serves prints those lines, and does not end."""
    words = [sys.executable, "-u", *command.split(), "0"]
    environment = {name: value for name, value in os.environ.items() if "MAIL" not in name}
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=-1, stderr=-3, text=True) as process:
        assert process.stdout is not None
        found = [line.rstrip("\n") for line in islice(process.stdout, len(SHOWN[command].splitlines()))]
        assert process.poll() is None
        process.kill()
    assert same(command, found), found
