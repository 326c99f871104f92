"""What a stranger's adapter or kit may do to a run: nothing but fail."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from gallery import host_of
from reference import REFERENCES
from reference.json_api import JsonAdapter

from mailcore_conformance import KitError, Report, Status, run
from mailcore_conformance._check import NotApplicable
from mailcore_conformance._sample import exchanges

REFERENCE = REFERENCES["json"]
PROVENANCE = '"source_url": "x", "recorded_at": "2030-01-02", "edits": "x"'


class Base(BaseException):
    """No error that code which catches `Exception` sees."""


class Mute(Exception):
    """Cannot be told."""

    def __str__(self) -> str:
        raise SystemExit(3)


class Long(Exception):
    """Says far too much."""

    def __str__(self) -> str:
        return "x" * 1_000_000


def examine(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *only: str, method: str = "build_send"
) -> Report:
    """Run checks on the reference, which does something else first in one method."""
    whole = getattr(JsonAdapter, method)

    def disturbed(*given: Any) -> Any:
        act()
        return whole(*given)

    monkeypatch.setattr(JsonAdapter, method, disturbed)
    return run(REFERENCE.spec, REFERENCE.kit, host=host_of(REFERENCE.spec), only=only)


@pytest.mark.parametrize("error", [Base, Mute, Long, GeneratorExit, SystemExit, StopIteration, NotApplicable])
def test_whatever_it_raises(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """It is the adapter's failure, in words that fit a screen, with the place."""

    def act() -> None:
        raise error

    (found,) = examine(monkeypatch, act, "B01").results
    assert found.status is Status.FAIL
    assert "test_strangers.py:" in found.reason
    assert len(found.reason) < 3_000


def test_whatever_it_changes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The process is as before, and the output holds nothing of the adapter's."""
    before = dict(os.environ), Path.cwd(), logging.root.level, sys.getrecursionlimit(), sys.stdout

    def act() -> None:
        sys.stdout.write("noise")
        sys.stdout.close()
        os.environ["STRANGER"] = "1"
        os.chdir("/")
        logging.disable(50)
        logging.root.setLevel(1)
        sys.setrecursionlimit(2_000)

    examine(monkeypatch, act, "B02")
    assert (dict(os.environ), Path.cwd(), logging.root.level, sys.getrecursionlimit(), sys.stdout) == before
    assert logging.root.manager.disable == 0
    assert capsys.readouterr().out == ""


def test_who_removes_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the way to the network is asking for it."""
    monkeypatch.setattr(socket.socket, "__init__", socket.socket.__init__)

    def act() -> None:
        socket.getaddrinfo = None  # type: ignore[assignment]  # reason: the mischief

    before = socket.getaddrinfo
    found = {one.check.id: one for one in examine(monkeypatch, act, "S01").results}
    assert found["S01"].status is Status.FAIL
    assert "removed" in found["S01"].reason
    assert socket.getaddrinfo is before


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"options": lambda _: None}, "options= returned a NoneType"),
        ({"options": lambda _: sys.exit(0)}, "options= raised SystemExit"),
        ({"webhook_options": lambda _: 5}, "webhook_options= returned a int"),
        ({"sign": lambda request, key, at: None}, "sign= returned a NoneType"),
        ({"answer": "nonsense"}, "answer= is a str"),
        ({"signed_fields": (1,)}, "signed_fields= holds"),
    ],
)
def test_a_kit_that_cannot_be_used(changes: dict[str, Any], said: str) -> None:
    """It is refused before anything is run: no check can blame the adapter for it."""
    kit = attrs.evolve(REFERENCE.kit, **changes)
    with pytest.raises(KitError, match=said):
        run(REFERENCE.spec, kit, host=host_of(REFERENCE.spec), only=["B01"])


@pytest.mark.parametrize(
    "text, said",
    [
        ("[" * 100_000, "cannot be read as JSON"),
        (f'{{{PROVENANCE}, "source_url": "y"}}', "'source_url' is there twice"),
        (f'{{{PROVENANCE}, "response": {{"status": 200}}, "expected": 5}}', "and no JSON object"),
    ],
)
def test_a_sample_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    """It is refused by name."""
    folder = tmp_path / "exchanges"
    folder.mkdir()
    (folder / "sample.json").write_text(text, encoding="utf-8")
    with pytest.raises(KitError, match=said):
        exchanges(folder)


def test_a_pipe_for_a_sample(tmp_path: Path) -> None:
    """Reading one would wait for ever."""
    os.mkfifo(tmp_path / "sample.json")
    with pytest.raises(KitError, match="no regular file"):
        exchanges(tmp_path)
