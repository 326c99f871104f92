"""What the pages say of the code, and of each other, is so."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mailcore.cli._app import app
from mailcore_conformance.cli._app import app as conformance

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
#: What begins another command on the same line, or a comment.
END = {"|", "||", "&&", ";", ">", "<", "#"}


@pytest.mark.loopback
def test_generated_parts_are_current(root: Path) -> None:
    """A page that no longer says what the code says is named, with the command that mends it."""
    command = [sys.executable, str(root / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return FENCE.sub("", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge gives a page's headings."""
    headings = HEADING.findall(prose(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere(page: Path, root: Path) -> None:
    """Every link within the repository names a file that is there, and a heading of it."""
    for link in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(root), f"{link} leads out of the repository"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def test_pages_begin_with_what_they_give(page: Path) -> None:
    """Below its title, a page says in a sentence what one gets of it."""
    title, first = page.read_text(encoding="utf-8").split("\n\n")[:2]
    assert re.fullmatch(r"# .+", title)
    assert re.match(r"[A-Z`\[]|mailcore ", first), f"it begins with {first[:40]!r}"
    assert re.search(r"\.$", first), f"the first paragraph ends with {first[-40:]!r}"


def test_pages_are_found(page: Path, root: Path) -> None:
    """Every page of docs/ is in its table of contents."""
    if page.is_relative_to(root / "docs") and page.name != "index.md":
        index = (root / "docs" / "index.md").read_text(encoding="utf-8")
        assert f"]({page.relative_to(root / 'docs').as_posix()})" in index


def commands(text: str, program: str) -> Iterator[list[str]]:
    """Yield the words after a program's name in blocks of shell, indented blocks and inline code."""
    shell = [body for language, body in FENCE.findall(text) if language in ("sh", "bash", "shell", "console")]
    indented = re.findall(r"^    (.*)$", prose(text), re.MULTILINE)
    lines = "\n".join([*shell, *indented]).replace("\\\n", " ").splitlines()
    for line in lines:
        found = re.search(rf"(?:^|[|&;]|\s)(?:[\w./]*/)?{program} (?=[a-z-])(.*)", line)
        if found:
            yield shlex.split(found[1])
    for line in re.findall(rf"`{program} ([a-z-][^`]*)`", prose(text)):
        yield shlex.split(line)


@pytest.mark.parametrize(
    "program, group", [("mailcore", app), ("mailcore-conformance", conformance)], ids=["core", "conformance"]
)
def test_commands_exist(page: Path, program: str, group: click.Group) -> None:
    """Every line that a page shows of our programs is a command with such options."""
    for words in commands(page.read_text(encoding="utf-8"), program):
        command: click.Command = group
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            assert words[0] in command.commands, f"{program} has no command {words[0]!r}"
            command = command.commands[words.pop(0)]
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        for word in words:
            if word in END:
                break
            if word.startswith("-") and word != "-":
                assert word.partition("=")[0] in known | {"--help", "-h"}, f"{command.name} has no {word}"


def test_pages_keep_to_the_project(page: Path) -> None:
    """No page tells a user to install from an index, before there is a release."""
    text = page.read_text(encoding="utf-8")
    installs = re.findall(r"pip install (?!-)[^\n`]*", text)
    assert [line for line in installs if re.search(r"install ['\"]?mailcore", line)] == []
