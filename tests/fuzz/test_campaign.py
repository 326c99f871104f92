"""The commands of the harness: what they print, keep and return."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nacl", reason="PyNaCl is not installed")

import fuzz.__main__
from fuzz import corpus, flips, speed
from fuzz.campaign import Campaign, Finding, Tally
from fuzz.webhooks import attack

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _logs_stay_on() -> Iterator[None]:
    """Switch on again what a command switches off."""
    yield
    logging.disable(logging.NOTSET)


def campaign(**changed: Any) -> Campaign:
    """Return a campaign of twenty deliveries."""
    return Campaign(**{"name": "Trial", "unit": "pairs", "default": 20, "attack": attack, **changed})


class TestCampaign:
    """An attack, as a command."""

    def test_well(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """It says what was tried, when, where and how, and ends with 0."""
        assert campaign().main(["--processes", "1", "--findings", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        for word in (
            "pairs",
            "20",
            "answered 401",
            "broken promises",
            "date",
            "machine",
            "commit",
            "command",
        ):
            assert word in said
        assert list(tmp_path.iterdir()) == []

    def test_finding(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The input is kept, and the command ends with 1."""

        def first() -> Tally:
            return Tally(Counter(), [Finding("It broke", b"input")])

        code = campaign(first=first).main(["--processes", "1", "--pairs", "1", "--findings", str(tmp_path)])
        assert code == 1
        assert "It broke" in capsys.readouterr().err
        assert [path.read_bytes() for path in sorted(tmp_path.glob("*"))] == [b"input", b"It broke\n"]

    def test_same_seed(self) -> None:
        """What is tried depends on the seed alone."""
        assert attack(5, 50).counts == attack(5, 50).counts != attack(6, 50).counts


class TestCommands:
    """The other commands."""

    def test_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each name is a module with a `main`; an unknown one is told what there is."""
        assert fuzz.__main__.main([]) == 0
        listed = capsys.readouterr().out
        assert all(f"python -m fuzz.{name} " in listed for name in fuzz.__main__.NAMES)
        assert fuzz.__main__.main(["nonsense"]) == 2

    def test_by_name(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """`python -m fuzz speed` is `python -m fuzz.speed`."""
        monkeypatch.setattr(sys, "argv", ["__main__.py"])
        assert fuzz.__main__.main(["speed", "--times", "20", "--goal", "0"]) == 0
        assert "python -m fuzz.speed --times 20" in " ".join(capsys.readouterr().out.split())

    def test_slow(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Below the goal is a broken promise."""
        assert speed.main(["--times", "10", "--goal", "1e9"]) == 1

    def test_accepted_bit(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """So is one bit that does not count."""
        monkeypatch.setattr(flips, "accepted", lambda what: [False, what == "body"])
        assert flips.main([]) == 1
        monkeypatch.setattr(flips, "accepted", lambda what: [False])
        assert flips.main([]) == 0

    def test_corpus_as_files(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One file for each mail and body."""
        assert corpus.main([]) == 2
        assert corpus.main(["--help"]) == 0
        assert corpus.main([str(tmp_path / "new")]) == 0
        assert len(list((tmp_path / "new").iterdir())) == sum(1 for _ in corpus.items())
