"""What a person is told to type."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailcore.cli._program import program


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start the program of an environment that is not on PATH."""
    place = tmp_path / ".venv" / "bin"
    place.mkdir(parents=True)
    script = place / "mailcore"
    script.touch(mode=0o755)
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.chdir(tmp_path)
    return script


class TestProgram:
    """The shortest that works."""

    def test_beside_a_clone(self, installed: Path) -> None:
        """Where a shell would not find the name, the path is told."""
        assert program() == str(Path(".venv", "bin", "mailcore"))

    def test_from_elsewhere(self, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """From another folder, the whole path is."""
        (installed.parent.parent.parent / "other").mkdir()
        monkeypatch.chdir("other")
        assert program() == str(installed)

    def test_on_path(self, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In an active environment the name is enough."""
        monkeypatch.setenv("PATH", str(installed.parent))
        assert program() == "mailcore"

    @pytest.mark.parametrize("started", ["", "-c", "/nowhere/mailcore", "/usr/bin/python3"])
    def test_started_otherwise(self, monkeypatch: pytest.MonkeyPatch, started: str) -> None:
        """What was started by other means is called by its name."""
        monkeypatch.setattr("sys.argv", [started])
        assert program() == "mailcore"
