"""The tutorial works for a reader who does what it says: one file, which grows, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```(python|output|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.loopback
def test_each_step_prints_what_the_page_shows(root: Path, tmp_path: Path) -> None:
    """Wherever the page shows what is printed, the file so far prints and logs all shown so far."""
    program, shown = tmp_path / "tutorial.py", {"output": "", "text": ""}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAIL")}
    blocks = BLOCK.findall((root / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    assert blocks[-1][0] == "python"
    for language, text in [*blocks, ("output", "")]:  # the last block prints nothing
        if language == "python":
            with program.open("a", encoding="utf-8") as file:
                file.write(text)
            continue
        shown[language] += text
        if language == "text":  # what is logged stands before what is printed
            continue
        command = [sys.executable, "-W", "error", program.name]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert (shown["output"], shown["text"], 0) == (done.stdout, done.stderr, done.returncode)
