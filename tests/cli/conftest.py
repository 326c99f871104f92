"""What the tests of the command line share: a way to run it, and distributions made on the spot."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from mailcore.cli import main

#: Distribution → entry point; installed by whoever runs all tests, and stood in for otherwise.
OURS = {"mailcore-esp": "builtin = mailcore.providers", "mailcore-mailpace": "mailpace = mailcore_mailpace"}


@attrs.frozen
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def make_distribution(
    folder: Path, name: str, entry_points: str = "", modules: Mapping[str, str] | None = None
) -> None:
    """Write what pip would have installed."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mailcore.plugins]\n{entry_points}\n" if entry_points else "")
    files = {f"{module}.py": source for module, source in (modules or {}).items()}
    for file, source in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(source)
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


@pytest.fixture(scope="session", autouse=True)
def _ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stand in for our own distributions where the tests run on a tree that is not installed."""
    place = tmp_path_factory.mktemp("distributions")
    for name, entry_point in OURS.items():
        try:
            distribution(name)
        except PackageNotFoundError:
            make_distribution(place, name, entry_point)
    before = os.environ.get("PYTHONPATH")
    sys.path.insert(0, str(place))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(place), before]))
    yield
    sys.path.remove(str(place))
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Return a function that runs `mailcore` in this process."""

    def command(*arguments: str, stdin: bytes = b"", **environment: str) -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(arguments)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return command


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Ran]:
    """Return a function that runs `mailcore` in a process of its own, where `tmp_path` is installed."""

    def command(*arguments: str, **environment: str) -> Ran:
        found = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-m", "mailcore.cli", *arguments],
            env={**os.environ, "PYTHONPATH": found, **environment},
            capture_output=True,
            check=False,
            text=True,
            encoding="utf-8",
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return command


@pytest.fixture
def captured(tmp_path: Path) -> Any:
    """Return the files of one event and one incoming mail as MailPace would deliver them."""
    from datetime import UTC, datetime

    from mailcore import EndpointKind
    from mailcore_mailpace.emulator import MailPaceEmulator

    emulator = MailPaceEmulator()
    for kind in EndpointKind:
        emulator.subscribe(kind, f"https://app.example.com/{kind.value}")
    raw = b"From: zoe@example.org\r\nSubject: Hello\r\nMessage-ID: <a@b.example>\r\n\r\nHow are you?\r\n"
    emulator.receive(raw, datetime.now(UTC))
    files = {"key": emulator.webhook_public_key, "raw": raw}
    (made,) = emulator.due(datetime.now(UTC))
    files["inbound"] = _write(tmp_path / "inbound", made.request)
    files["event"] = _write(tmp_path / "event", _event(emulator))
    return SimpleNamespace(**files)


def _event(emulator: Any) -> Any:
    from datetime import UTC, datetime

    from mailcore import HttpRequest

    body = b'{"from": "ada@example.com", "to": "bob@example.net", "textbody": "Hi", "subject": "Gr\\u00fc\\u00dfe"}'
    headers = [
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("MailPace-Server-Token", emulator.token),
    ]
    url = emulator.settings("https://mailpace.example")["api_url"]
    request = HttpRequest(method="POST", url=url, headers=headers, body=body)
    assert emulator.handle(request, datetime.now(UTC)).status == 200
    (made,) = emulator.due(datetime.now(UTC))
    return made.request


def _write(path: Path, request: Any) -> Any:
    body, headers = path.with_suffix(".json"), path.with_suffix(".headers")
    body.write_bytes(request.body)
    headers.write_text("".join(f"{name}: {value}\n" for name, value in request.headers))
    return SimpleNamespace(body=str(body), headers=str(headers), pairs=dict(request.headers))
