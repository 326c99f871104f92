"""The example of a program that changes its provider works, for each of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mailcore import PluginHost

EVERYBODY = ("amazon-ses", "mailgun", "mailpace", "postmark", "resend", "smtp")
TOMORROW = ("mailgun", "resend")


@pytest.mark.loopback
def test_same_program_same_message(finished: Any) -> None:
    """Each provider takes the mail; those that cannot take it for tomorrow say who can, and get nothing."""
    done = finished("examples/switch_provider/run.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "--- now",
        *(f"{name}: queued" for name in EVERYBODY),
        "--- tomorrow",
        *(f"{name}: queued" for name in TOMORROW),
        "--- arrived",
        *(f"{name}: {2 if name in TOMORROW else 1}" for name in EVERYBODY),
    ]
    refusals = [line for line in done.stderr.splitlines() if "can carry no send_at" in line]
    assert len(refusals) == 4
    assert all(line.endswith("can carry all of this message: mailgun, resend.") for line in refusals)


def test_only_the_configuration_knows_providers(root: Path) -> None:
    """The program names none, there is a file for each that is installed, and none holds a secret."""
    folder = root / "examples" / "switch_provider"
    program = (folder / "send.py").read_text(encoding="utf-8").partition('"""\n\n')[2]
    known = [name for name, spec in PluginHost.default().adapters.items() if spec.docs_url]
    assert not re.search("|".join(known), program, re.IGNORECASE)
    assert sorted(path.stem for path in folder.glob("*.toml")) == sorted(known) == sorted(EVERYBODY)
    for path in folder.glob("*.toml"):
        lines = [line.partition(" = ")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        assert set(lines) <= {"[mailers.main]", "provider", "region"}
