"""
The guides for authors: a package made of exactly the files that a guide shows installs and is found.

A block of the language `text` draws the folder, a block that begins with a comment naming a file is that
file, and blocks of the language `console` are what the reader types beside the folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")


def blocks(guide: str) -> list[tuple[str, str]]:
    """Return the language and the text of every block of a guide."""
    return BLOCK.findall((ROOT / "docs" / "how-to" / guide).read_text(encoding="utf-8"))


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


def write(guide: str, place: Path) -> None:
    """Write the folder the guide draws from the blocks that hold its files, and the others beside it."""
    found = blocks(guide)
    (tree,) = [drawn(text) for language, text in found if language == "text"]
    shown = {match[1]: text for _, text in found if (match := FILE.match(text))}
    for path in tree:
        within = Path(*path.parts[1:]).as_posix()
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(shown.pop(within), encoding="utf-8")
    for name, text in shown.items():
        (place / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install core with its command where nothing else is; return the folder of programs."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    programs = place / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", f"{ROOT}[cli]"], check=True)
    return programs


@pytest.mark.parametrize(
    "guide, said",
    [
        ("write-a-plugin.md", "keep-inside:keep-inside"),
        ("write-an-adapter.md", "POST https://api.pigeon.example/v1/mail"),
    ],
)
def test_guide_makes_a_package(guide: str, said: str, environment: Path, tmp_path: Path) -> None:
    """Its commands do what it says with its files."""
    write(guide, tmp_path)
    commands = "\n".join(text for language, text in blocks(guide) if language == "console")
    path = os.pathsep.join([str(environment), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-e", "-c", commands],  # noqa: S607  # reason: the shell of whoever reads the guide
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
