"""What the tests of the command line share: a way to run it, and distributions made on the spot."""

from __future__ import annotations

import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import pytest

from mailcore import (
    Adapter,
    AdapterSpec,
    Context,
    Covers,
    EndpointKind,
    Flow,
    HttpRequest,
    PluginHost,
    Secret,
    VerifiedWebhook,
    hookimpl,
)
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
def install(tmp_path: Path) -> Callable[..., None]:
    """Return a function that installs a distribution for `start`."""
    return functools.partial(make_distribution, tmp_path)


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
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a provider with a secret webhook key, which keeps the mail itself behind an address."""
    code = ModuleType("acme_of_a_test")
    code.Adapter, code.Options = AcmeAdapter, AcmeOptions  # type: ignore[attr-defined]  # reason: just made
    monkeypatch.setitem(sys.modules, code.__name__, code)
    monkeypatch.setattr(PluginHost, "_default", PluginHost({"acme": AcmePlugin()}, installed=False))


@attrs.frozen(kw_only=True)
class AcmeOptions:
    """Settings of a made-up provider."""

    webhook_key: Secret | None = attrs.field(default=None, converter=attrs.converters.optional(Secret))


class AcmeAdapter(Adapter):
    """Say that a mail came in, and where it can be fetched."""

    webhook_covers = Covers.BODY

    def webhook_kind(self, webhook: VerifiedWebhook) -> EndpointKind:
        """Know only one kind."""
        return EndpointKind.INBOUND

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Any]:
        """Fetch the mail."""
        yield HttpRequest(method="GET", url=webhook.request.json()["url"], commits=False)
        return ()


class AcmePlugin:
    """Offer `acme`."""

    @hookimpl
    def mailcore_register_adapters(self) -> list[AdapterSpec]:
        """Offer it."""
        return [AdapterSpec(name="acme", factory="acme_of_a_test:Adapter", options="acme_of_a_test:Options")]


@pytest.fixture
def captured(tmp_path: Path) -> Any:
    """Return the files of one event and one incoming mail as MailPace would deliver them."""
    from datetime import UTC, datetime

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

    mail = {"from": "ada@example.com", "to": "bob@example.net", "textbody": "Hi", "subject": "Grüße"}
    headers = [
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("MailPace-Server-Token", emulator.token),
    ]
    url = emulator.settings("https://mailpace.example")["api_url"]
    request = HttpRequest(method="POST", url=url, headers=headers, body=json.dumps(mail).encode())
    assert emulator.handle(request, datetime.now(UTC)).status == 200
    (made,) = emulator.due(datetime.now(UTC))
    return made.request


def _write(path: Path, request: Any) -> Any:
    body, headers = path.with_suffix(".json"), path.with_suffix(".headers")
    body.write_bytes(request.body)
    headers.write_text("".join(f"{name}: {value}\n" for name, value in request.headers))
    return SimpleNamespace(body=str(body), headers=str(headers), pairs=dict(request.headers))


@attrs.frozen
class Lists:
    """A real provider on this machine, and a command that sends lists to it."""

    run: Callable[..., Ran]
    local: Any
    folder: Path
    config: Path

    def send(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """Run `mailcore send` with the provider's settings."""
        return self.run("send", "--config", str(self.config), *arguments, stdin=stdin)

    def file(self, name: str, content: str | bytes) -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    @property
    def sent(self) -> list[Any]:
        """What the provider was told of the mails that it took, in order of their recipients."""
        return sorted((mail.payload for mail in self.local.emulator.sent), key=lambda mail: mail["to"])


@pytest.fixture
def lists(run: Callable[..., Ran], tmp_path: Path) -> Iterator[Lists]:
    """Return a local MailPace whose chaos a test can set, without pauses between repeats."""
    from mailcore.sandbox import Chaos, LocalProvider
    from mailcore.testing import no_pauses

    config = tmp_path / "mailcore.toml"
    with LocalProvider("mailpace", chaos=Chaos(seed=1)) as local, no_pauses():
        lines = [f"{name} = {json.dumps(value)}" for name, value in local.settings.items()]
        config.write_text("\n".join(["[mailers.local]", *lines, "max_attempts = 1\n"]))
        yield Lists(run, local, tmp_path, config)
