"""What pip is told to install."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mailcore._pip import pip_install

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a distribution by hand, and return where pip would note where it is from."""
    folder = tmp_path / "acme_mail-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-mail\nVersion: 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder / "direct_url.json"


@pytest.mark.parametrize(
    "origin, command",
    [
        ({"url": "file:///src/acme%20mail", "dir_info": {}}, "pip install '/src/acme mail[fast]'"),
        (
            {"url": "file:///src/acme", "dir_info": {"editable": True}},
            "pip install -e '/src/acme[fast]'",
        ),
        (
            {"url": "https://example.com/acme.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"pip install 'acme-mail[fast] @ git+https://example.com/acme.git@{COMMIT}'",
        ),
        (
            {"url": "file:///tmp/acme_mail-1-py3-none-any.whl", "archive_info": {}},
            "pip install 'acme-mail[fast] @ file:///tmp/acme_mail-1-py3-none-any.whl'",
        ),
    ],
    ids=["folder", "editable", "repository", "file"],
)
def test_from_where_it_came(noted: Path, origin: object, command: str) -> None:
    """An extra is installed from the same place as the distribution that declares it."""
    noted.write_text(json.dumps(origin), encoding="utf-8")
    assert pip_install("acme-mail", "fast") == command


def test_from_an_index(noted: Path) -> None:
    """What pip noted nothing of is on an index, by its name; so is what is not installed."""
    assert pip_install("acme-mail", "fast") == "pip install 'acme-mail[fast]'"
    assert pip_install("acme-mail") == "pip install 'acme-mail'"
    assert pip_install("acme-other", "fast") == "pip install 'acme-other[fast]'"


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_damaged_note(noted: Path, text: str) -> None:
    """A note that says nothing is none: the command is for a person, who sees what it does."""
    noted.write_text(text, encoding="utf-8")
    assert pip_install("acme-mail", "fast") == "pip install 'acme-mail[fast]'"


def test_pip_reads_it(tmp_path: Path) -> None:
    """What pip itself notes of a folder leads back to the folder."""
    folder, place = tmp_path / "source of acme", tmp_path / "place"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    (folder / "backend.py").write_text(BACKEND, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--target"]
    subprocess.run([*pip, str(place), str(folder)], check=True, capture_output=True)
    code = f"import sys; sys.path.insert(0, {str(place)!r})\n"
    code += "from mailcore._pip import pip_install; print(pip_install('acme-made', 'fast'))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == f"pip install '{folder}[fast]'\n"


#: A build backend that needs nothing: it writes the smallest wheel.
BACKEND = """
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "acme_made-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        folder = "acme_made-1.dist-info"
        wheel.writestr(f"{folder}/METADATA", "Metadata-Version: 2.1\\nName: acme-made\\nVersion: 1\\n")
        wheel.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{folder}/RECORD", "")
    return name
"""
