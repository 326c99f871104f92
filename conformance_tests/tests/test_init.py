"""The package that `init` writes: it installs, it runs, and it leads its author to the end."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailcore import PluginHost
from mailcore_conformance import KitError
from mailcore_conformance._init import write_adapter

#: The statement that stands above what only an author knows.
TODO = re.compile(r"^ +raise NotImplementedError\(\n(?:.*\n)*?^ +\)\n", re.MULTILINE)
METHODS = ("build_send", "parse_send", "verify_webhook", "parse_events")
NAME = "acme-of-a-test"
PACKAGE = "mailcore_acme_of_a_test"


@pytest.fixture(autouse=True)
def _modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the package after each test, and where it was."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def package(tmp_path: Path, installed: Any) -> Path:
    """Write the package, where nothing but the reference is installed."""
    installed()
    return write_adapter(NAME, tmp_path / "package").folder


def written(package: Path) -> str:
    """Return the adapter with its TODOs done: what stands below each is what the invented API wants."""
    path = package / PACKAGE / "_adapter.py"
    text = path.read_text(encoding="utf-8")
    assert len(TODO.findall(text)) == 4
    done = TODO.sub("", text)
    path.write_text(done, encoding="utf-8")
    return done


def document(run: Any, package: Path, tmp_path: Path) -> tuple[int, dict[str, Any], str]:
    """Run the suite on the package, and return the exit code, the report, and what was complained of."""
    ran = run("run", NAME, "--plugin", package, "--json", tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    return ran.code, json.loads(text) if text else {}, ran.err


class TestWritten:
    """What is in the folder."""

    def test_is_a_package(self, package: Path) -> None:
        """The files are those of a distribution that registers the adapter."""
        files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
        expected = {"__init__.py", "_adapter.py", "_fields.py", "_options.py", "conformance.py"}
        assert {f"{PACKAGE}/{name}" for name in expected} <= files
        assert {"README.md", "pyproject.toml", "tests/test_conformance.py", ".gitignore"} <= files
        project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert f"mailcore-{NAME}" == project["name"]
        assert project["entry-points"]["mailcore.plugins"] == {NAME: PACKAGE}
        assert any(need.startswith("mailcore-esp>=") for need in project["dependencies"])

    def test_nothing_is_left_to_fill_in(self, package: Path) -> None:
        """No placeholder is left, and every Python file is one."""
        for path in package.rglob("*"):
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                assert "{{" not in text
                assert not path.name.endswith(".tmpl")
                if path.suffix == ".py":
                    compile(text, str(path), "exec")
                if path.suffix == ".json":
                    json.loads(text)

    def test_command(self, run: Any, installed: Any, monkeypatch: Any, tmp_path: Path) -> None:
        """The command writes to a folder named for the provider, and says what to type next."""
        installed()
        monkeypatch.chdir(tmp_path)
        ran = run("init", "acme_mail")
        assert (ran.code, ran.err) == (0, "")
        assert (tmp_path / "mailcore-acme-mail" / "mailcore_acme_mail" / "_adapter.py").exists()
        assert "mailcore-conformance run acme-mail --plugin ./mailcore-acme-mail" in ran.out
        assert "pip install --editable ./mailcore-acme-mail" in ran.out


class TestRefused:
    """What cannot be written."""

    @pytest.mark.parametrize(
        "name",
        ["Acme", "acme mail", "2send", "", "-acme", "acme-", "a--b", "ac.me", "../acme", "acmé", "acme\n"],
    )
    def test_names(self, run: Any, installed: Any, tmp_path: Path, name: str) -> None:
        """A name that can be no adapter's is refused, and nothing is written."""
        installed()
        ran = run("init", "--folder", tmp_path / "new", "--", name)
        assert (ran.code, (tmp_path / "new").exists()) == (2, False)
        assert "cannot be an adapter's name" in ran.err

    @pytest.mark.parametrize("name", ["conformance", "esp"])
    def test_our_names(self, installed: Any, tmp_path: Path, name: str) -> None:
        """A package of ours cannot be written anew."""
        installed()
        with pytest.raises(KitError, match="one of our packages"):
            write_adapter(name, tmp_path / "new")

    def test_taken_name(self, installed: Any, tmp_path: Path) -> None:
        """Nor can one that would make an installed adapter ambiguous."""
        installed()
        with pytest.raises(KitError, match="is installed already"):
            write_adapter("reference-json", tmp_path / "new")

    def test_folder(self, run: Any, installed: Any, tmp_path: Path) -> None:
        """A folder with anything in it, and a file, are left as they are."""
        installed()
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "mine.txt").write_text("mine")
        for name in ("full", "full/mine.txt"):
            ran = run("init", "acme", "--folder", tmp_path / name)
            assert (ran.code, "not empty" in ran.err) == (2, True)
        assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]

    def test_empty_folder(self, installed: Any, tmp_path: Path) -> None:
        """An empty folder is as good as none."""
        installed()
        assert write_adapter("acme", tmp_path).folder == tmp_path


class TestRuns:
    """What the suite says of it."""

    def test_as_written(self, run: Any, package: Path, tmp_path: Path) -> None:
        """It runs at once: nothing is refused, nothing is a bug, and each failure leads to a TODO."""
        code, report, complaint = document(run, package, tmp_path)
        assert (code, report["verdict"], complaint) == (1, "not_conformant", "")
        assert [check["id"] for check in report["checks"] if check["status"] == "error"] == []
        failing = {
            check["id"]: check for check in report["checks"] if check["status"] == "fail" and check["scored"]
        }
        led = {one for one, check in failing.items() if "still to be written" in check["reason"]}
        astray = [one for one, check in failing.items() if one not in led and not led & {*check["rests_on"]}]
        assert {"B01", "P01", "W01", "W10"} <= led
        assert astray == []

    def test_with_everything_written(self, run: Any, package: Path, tmp_path: Path) -> None:
        """With what stands below each TODO, which is right for the invented API, it is conformant."""
        written(package)
        code, report, complaint = document(run, package, tmp_path)
        failing = {
            check["id"]: check["reason"]
            for check in report["checks"]
            if check["status"] not in ("pass", "not_applicable") and check["scored"]
        }
        assert failing == {}
        assert (code, report["verdict"], complaint) == (0, "conformant", "")

    @pytest.mark.parametrize("method", METHODS)
    def test_one_by_one(self, run: Any, package: Path, tmp_path: Path, method: str) -> None:
        """Whichever is left, its own text is in the report."""
        path = package / PACKAGE / "_adapter.py"
        text = path.read_text(encoding="utf-8")
        parts = list(TODO.finditer(text))
        for index in reversed(range(4)):
            if index != METHODS.index(method):
                text = text[: parts[index].start()] + text[parts[index].end() :]
        path.write_text(text, encoding="utf-8")
        code, report, _ = document(run, package, tmp_path)
        reasons = [check["reason"] for check in report["checks"] if check["status"] == "fail"]
        assert code == 1
        assert any(method in reason and "still to be written" in reason for reason in reasons)

    def test_installed_beside_others(self, package: Path) -> None:
        """The package registers without importing its code, as the contract wants."""
        sys.path.insert(0, str(package))
        module = __import__(PACKAGE)
        host = PluginHost({PACKAGE: module}, installed=False)
        assert (host.spec(NAME).name, host.problems) == (NAME, [])
        assert f"{PACKAGE}._adapter" not in sys.modules

    @pytest.mark.parametrize(
        "project, why",
        [
            ("", "cannot be read"),
            ("[project", "is not TOML"),
            ('[project]\nname = "x"\n', "registers no plugin"),
            (
                '[project]\nname = "x"\n[project.entry-points."mailcore.plugins"]\nx = "no_such_m"\n',
                "imported",
            ),
        ],
    )
    def test_folder_without_a_plugin(self, run: Any, tmp_path: Path, project: str, why: str) -> None:
        """A folder that --plugin cannot use is refused in words."""
        if project:
            (tmp_path / "pyproject.toml").write_text(project)
        ran = run("run", "x", "--plugin", tmp_path)
        assert (ran.code, ran.out, why in ran.err) == (2, "", True)
