"""The script that starts everything from a clone: what it does where a Python lacks a part."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "run.py"


@pytest.fixture
def script() -> ModuleType:
    """Return `run.py` as a module of its own."""
    spec = importlib.util.spec_from_file_location("run_of_a_test", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestEnvironment:
    """Making `.venv` with what this Python has."""

    def made(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, *missing: str) -> list[list[str]]:
        """Return the commands that make an environment where these modules are missing."""
        commands: list[list[str]] = []
        monkeypatch.setattr(script, "run", lambda command: commands.append([str(word) for word in command]))
        there = importlib.util.find_spec
        monkeypatch.setattr(
            script.importlib.util, "find_spec", lambda name: None if name in missing else there(name)
        )
        script.make_environment(Path("place"))
        return commands

    def test_usual(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """The standard library puts pip into it."""
        assert self.made(script, monkeypatch) == [[sys.executable, "-m", "venv", "place"]]

    def test_without_ensurepip(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where Debian took that out, the system's pip does it."""
        if importlib.util.find_spec("pip") is None:
            pytest.skip("this environment has no pip to fall back to")
        bare, filled = self.made(script, monkeypatch, "ensurepip")
        assert "--without-pip" in bare
        assert filled[1:5] == ["-m", "pip", "--python", "place"]

    def test_without_either(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where nothing does it, one line says what to install."""
        with pytest.raises(script.Stop, match="apt install python3-venv"):
            self.made(script, monkeypatch, "ensurepip", "pip")


class TestCommands:
    """What the script says."""

    def start(self, *arguments: str) -> Any:
        """Run the script."""
        return subprocess.run(
            [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
        )

    def test_help(self) -> None:
        """Without a command, and on request, it teaches."""
        assert self.start().stdout == self.start("--help").stdout
        assert "python3 run.py demo" in self.start().stdout

    def test_unknown_command(self) -> None:
        """One line, and the exit code of wrong input."""
        ran = self.start("dmeo")
        assert (ran.returncode, len(ran.stderr.splitlines())) == (2, 1)

    def test_distributions_come_with_their_extras(self, script: ModuleType) -> None:
        """One without any is named without brackets, which pip would not take empty."""
        found = script.distributions()
        assert found[0].startswith(f"{SCRIPT.parent}[")
        assert not any(name.endswith("[]") for name in found)

    @pytest.mark.parametrize(
        "arguments, one",
        [
            ([], False),
            (["-e", "lint"], True),
            (["-e", "lint,typing"], False),
            (["-e", "lint", "-e", "typing"], False),
            (["-e", "tests-py311", "--", "-e", "x"], True),
            (["-v"], False),
        ],
    )
    def test_one_check_is_watched(self, script: ModuleType, arguments: list[str], *, one: bool) -> None:
        """Several run at once, and one, named by itself, where it can be seen."""
        assert script.is_one(arguments) is one

    def test_closing_line_counts(self, script: ModuleType) -> None:
        """Tests are summed up over all environments; another check that fails counts as one."""
        report = {
            "testenvs": {
                "a": {"test": [{"output": "== 2 failed, 5 passed in 1.2s =="}], "result": {"success": False}},
                "b": {"test": [{"output": "== 7 passed, 1 skipped in 0.5s =="}], "result": {"success": True}},
                "lint": {"test": [{"output": "Found 3 errors."}], "result": {"success": False}},
            }
        }
        assert script.closing_line(report) == "12 passed, 3 failed\n"

    def test_closing_line_says_nothing_of_no_tests(self, script: ModuleType) -> None:
        """Where no test ran and all is well, there is nothing to count."""
        assert script.closing_line({"testenvs": {"lint": {"result": {"success": True}}}}) == ""
