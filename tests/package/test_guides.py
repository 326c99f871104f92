"""
The guides for authors: a package made of exactly the files that a guide shows installs and is found.

A block that begins with a comment naming a file is that file, as is a block below a line that ends with the
name of one and a colon. Blocks of the languages `sh` and `console` are what the reader types: beside the
folder that a block of the language `text` draws in the guide to plugins, and inside the package, in the order
of the page, in the guide to adapters. Where lines begin with a prompt, they are typed in the clone.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The generator of the documentation is in no distribution.
sys.path.append(str(ROOT / "docs"))

from _code_lines import code_lines  # noqa: E402  # reason: the path is set above

BLOCK = re.compile(r"(?:`([\w./-]+\.json)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")
PROMPT = "$ "
#: The author's own lines, by which an adapter keeps the whole contract, are fewer.
LINES = 150


def blocks(guide: str) -> Iterator[tuple[str, str, str]]:
    """Yield every block of a guide: the file it is, or nothing, its language, and its text."""
    text = (ROOT / "docs" / "how-to" / guide).read_text(encoding="utf-8")
    for name, language, body in BLOCK.findall(text):
        first = FILE.match(body)
        yield (first[1] if first else name), language, body


def drawn(tree: str) -> list[Path]:
    """Return the files of a drawn folder."""
    folders: list[str] = []
    files = []
    for line in tree.splitlines():
        name = line.strip()
        folders[(len(line) - len(name)) // 4 :] = [name.rstrip("/")]
        if not name.endswith("/"):
            files.append(Path(*folders))
    return files


def write(path: Path, text: str) -> None:
    """Write a file, and the folders it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_drawn(guide: str, place: Path) -> None:
    """Write the folder the guide draws from the blocks that hold its files, and the others beside it."""
    (tree,) = [drawn(text) for _, language, text in blocks(guide) if language == "text"]
    shown = {name: text for name, _, text in blocks(guide) if name}
    for path in tree:
        write(place / path, shown.pop(Path(*path.parts[1:]).as_posix()))
    for name, text in shown.items():
        write(place / name, text)


def typed(commands: str, programs: Path, place: Path) -> str:
    """Return what a shell prints to whoever types these commands in a folder."""
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-e", "-c", commands],  # noqa: S607  # reason: the shell of whoever reads the guide
        cwd=place,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install what the guide to adapters says, where nothing else is; return the folder of programs."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    programs = place / ("Scripts" if sys.platform == "win32" else "bin")
    typable = [text for _, language, text in blocks("write-an-adapter.md") if language == "console"]
    (commands,) = [text.removeprefix(PROMPT) for text in typable if text.startswith(PROMPT)]
    typed(commands, programs, ROOT)
    return programs


@pytest.fixture(scope="module")
def package(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Do what the guide says, in its order; return the folder of the package, and all that was printed."""
    place = tmp_path_factory.mktemp("mailcore-pigeon")
    printed = []
    for name, language, text in blocks("write-an-adapter.md"):
        if name:
            write(place / name, text)
        elif language in ("sh", "console") and not text.startswith(PROMPT):
            printed.append(typed(text, environment, place))
    return place, "".join(printed)


def test_plugin(environment: Path, tmp_path: Path) -> None:
    """The commands of the guide to plugins do what it says with its files."""
    write_drawn("write-a-plugin.md", tmp_path)
    commands = [text for _, language, text in blocks("write-a-plugin.md") if language == "console"]
    assert "keep-inside:keep-inside" in typed("\n".join(commands), environment, tmp_path)


class TestAdapter:
    """The adapter that the guide writes, from an empty folder on."""

    def test_commands_do_what_the_guide_says(self, package: tuple[Path, str]) -> None:
        """The suite finds nothing, and the installed adapter can be chosen."""
        assert "pigeon is conformant with contract 1.0" in package[1]
        assert "POST https://api.pigeon.example/v1/mail" in package[1]

    @pytest.mark.usefixtures("package")
    def test_installed_adapter_is_conformant(self, environment: Path, tmp_path: Path) -> None:
        """It is so where it is installed, in an empty folder, and has nothing to explain."""
        typed("mailcore-conformance run pigeon --json r.json", environment, tmp_path)
        report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        scored = {check["status"] for check in report["checks"] if check["scored"]}
        assert ("conformant", {"pass", "not_applicable"}) == (report["verdict"], scored)

    def test_kit_of_the_guide_to_proof_is_as_good(
        self, package: tuple[Path, str], environment: Path, tmp_path: Path
    ) -> None:
        """The kit that it shows, in place of the one that `init` writes, proves the same."""
        (kit,) = [text for name, _, text in blocks("prove-an-adapter.md") if name.endswith("/conformance.py")]
        for path in (path for path in package[0].rglob("*") if path.suffix in (".json", ".py", ".toml")):
            write(tmp_path / path.relative_to(package[0]), path.read_text(encoding="utf-8"))
        write(tmp_path / "mailcore_pigeon" / "conformance.py", kit)
        said = typed("mailcore-conformance run pigeon --plugin .", environment, tmp_path)
        assert "pigeon is conformant with contract 1.0" in said

    def test_author_writes_little(self) -> None:
        """All Python files that the two guides show, kit included, are within the limit."""
        guides = [*blocks("write-an-adapter.md"), *blocks("prove-an-adapter.md")]
        shown = [(name, text) for name, _, text in guides if name.startswith("mailcore_pigeon/")]
        python = {name: code_lines(text) for name, text in shown if name.endswith(".py")}
        assert {"__init__.py", "_adapter.py", "conformance.py"} == {Path(name).name for name in python}
        assert sum(python.values()) < LINES, python
