"""The site is whole, and its tutorial works for a reader who has nothing else: copy, paste, start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

#: Where the page shows what is printed, the reader starts the program.
START = "python -W error tutorial.py"
#: What separates what is printed at one start from the rest.
MARK = "=== started ==="


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site; a warning is an error."""
    root, place = Path(__file__).resolve().parents[2], tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", ".", str(place)]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return place


def test_begins(site: Path) -> None:
    """Whoever opens the folder is led to the first page."""
    (target,) = re.findall(r"url=([\w/.]+)", (site / "index.html").read_text(encoding="utf-8"))
    assert "mailcore documentation" in (site / target).read_text(encoding="utf-8")


def test_asks_nobody(site: Path) -> None:
    """No page loads anything from elsewhere: it can be read without internet."""
    loads = re.compile(r'<(?:script|img|iframe|link)\b[^>]*(?:src|href)="(https?:)?//')
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert [page.name for page in pages if loads.search(page.read_text(encoding="utf-8"))] == []


class Blocks(HTMLParser):
    """
    Collect what a page offers to copy.

    Attributes:
        found: The language and the text of each block, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._language = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the language of the block that begins."""
        language = re.search(r"highlight-(\w+) ", dict(attrs).get("class") or "")
        if language:
            self._language = language[1]
        if tag == "pre":
            self._inside = True
            self.found.append((self._language, ""))

    def handle_endtag(self, tag: str) -> None:
        """End the block."""
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        """Add to the block."""
        if self._inside:
            language, text = self.found[-1]
            self.found[-1] = (language, text + data)


@pytest.mark.loopback
def test_tutorial(site: Path, root: Path, tmp_path: Path) -> None:
    """From a clone and the page alone: each start prints and logs all that the page has shown so far."""
    page = Blocks()
    page.feed((site / "docs" / "tutorial.html").read_text(encoding="utf-8"))
    (_, install), (_, start), *blocks = page.found
    assert start == "python tutorial.py\n"
    typed, shown, expected = [install], {"output": "", "text": ""}, []
    for number, (language, text) in enumerate([*blocks, ("output", "")]):  # the last block prints nothing
        if language == "python":
            typed.append(f"cat >> tutorial.py <<'BLOCK_{number}'\n{text}BLOCK_{number}\n")
            continue
        shown[language] += text
        if language == "output":  # what is logged stands before what is printed
            typed.append(f"echo {MARK}\necho {MARK} >&2\n{START}\n")
            expected.append((shown["output"], shown["text"]))
    clone = tmp_path / "clone"
    shutil.copytree(root, clone, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "dist"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAIL")}
    shell = [shutil.which("sh") or "sh", "-e", "-c", "".join(typed)]
    done = subprocess.run(
        shell, cwd=clone, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    printed, logged = (text.split(f"{MARK}\n")[1:] for text in (done.stdout, done.stderr))
    assert list(zip(printed, logged, strict=True)) == expected
    assert len(expected) > 5
