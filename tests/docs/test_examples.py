"""
The examples of every page run.

The blocks of a page share their names. A block that begins with a comment naming a file is that file, and
so is a block of JSON, whose file the line above it names. A block of the language `output` is what the Python
block before it prints. One of the language `sh` is run by a shell, and what it exports stays; `console` is
for what changes the reader's environment.
"""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from mailcore import PluginHost

FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")
ABOVE = re.compile(r"`([\w./-]+\.json)`:\n\n$")


class Runner:
    """Evaluate the blocks of one page, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._run = PythonEvaluator()
        self._printed: str | None = None

    def parsers(self) -> list[CodeBlockParser]:
        """Return what finds the blocks that mean something here."""
        return [
            CodeBlockParser("python", self.python),
            CodeBlockParser("toml", self.file),
            CodeBlockParser("json", self.sample),
            CodeBlockParser("output", self.output),
            CodeBlockParser("sh", self.shell),
        ]

    def python(self, example: Example) -> None:
        """Run a block and keep what it prints, or write it to the file it names."""
        if FILE.match(example.parsed):
            self.file(example)
            return
        printed = io.StringIO()
        with redirect_stdout(printed):
            self._run(example)
        self._printed = printed.getvalue()

    def file(self, example: Example) -> None:
        """Write a block to the file it names."""
        name = FILE.match(example.parsed)
        assert name, f"line {example.line}: the first line is not a comment that names the file"
        self.write(name[1], example)

    def sample(self, example: Example) -> None:
        """Write a block, which cannot hold a comment, to the file that the line above it names."""
        name = ABOVE.search(example.document.text[: example.region.start])
        assert name, f"line {example.line}: the line above does not end with the name of the file"
        self.write(name[1], example)

    def write(self, name: str, example: Example) -> None:
        """Write a block to a file, and make the folders it is in."""
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.parsed, encoding="utf-8")

    def shell(self, example: Example) -> None:
        """Run a block with the commands of this environment, and keep what it exports."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        exported = re.findall(r"^export (\w+)=(\S*)", example.parsed, re.MULTILINE)
        command = ["sh", "-e", "-c", example.parsed]
        done = subprocess.run(
            command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"line {example.line}: {done.stderr}"
        for name, value in exported:
            self._monkeypatch.setenv(name, value)

    def output(self, example: Example) -> None:
        """Compare with what the block before printed."""
        assert self._printed is not None, f"line {example.line}: nothing was printed that is not shown yet"
        assert example.parsed.rstrip() == self._printed.rstrip(), (
            f"line {example.line}: it prints something else"
        )
        self._printed = None


@pytest.fixture
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a page a folder, an environment, modules, plugins and logs of its own, and no network."""
    monkeypatch.setattr(PluginHost, "_default", None)
    logger = logging.getLogger("mailcore")
    monkeypatch.setattr(logger, "handlers", [])
    level = logger.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("MAILCORE_", "MAILPACE_"))]:
        monkeypatch.delenv(name)
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        assert address[0] in ("127.0.0.1", "localhost"), f"an example connects to {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
    before = set(sys.modules)
    yield
    logger.setLevel(level)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.loopback
@pytest.mark.usefixtures("_alone")
def test_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block runs, and prints what the page shows."""
    for example in Sybil(Runner(monkeypatch).parsers()).parse(page):
        example.evaluate()


def test_first_example_is_short(root: Path) -> None:
    """The README's first program keeps its promise of fifteen lines."""
    text = (root / "README.md").read_text(encoding="utf-8")
    program = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert len([line for line in program.splitlines() if line]) <= 15
