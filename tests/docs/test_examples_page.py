"""What the page on the examples shows is what one sees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

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


@pytest.mark.loopback
@pytest.mark.parametrize("command", SHOWN)
def test_shown(command: str, tmp_path: Path) -> None:
    """The command, in a folder of somebody who just cloned, prints those lines; what runs on does not end."""
    if "celery" in command and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed; test_celery_app.py says whether it may be")
    serves = command.endswith("app.py")
    words = [sys.executable, *command.split(), *(["0"] if serves else [])]
    environment = {name: value for name, value in os.environ.items() if "MAIL" not in name}
    environment |= {"PYTHONUNBUFFERED": "1", "SHOP_DATABASE": str(tmp_path / "shop.sqlite3")}
    expected = SHOWN[command].splitlines()
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=-1, stderr=-3, text=True) as process:
        assert process.stdout is not None
        found = [line.rstrip("\n") for line in islice(process.stdout, len(expected))]
        code = None if serves else process.wait(60)
        assert process.poll() == code
        process.kill()
        assert serves or (process.stdout.read(), code) == ("", 0)
    assert [VARYING.sub("*", line) for line in expected] == [VARYING.sub("*", line) for line in found]
