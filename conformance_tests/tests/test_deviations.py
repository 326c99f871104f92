"""The file of known deviations is read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailcore_conformance import Deviation, KitError
from mailcore_conformance._deviations import read_deviations

GOOD = {"id": '"P90"', "reason": '"The provider cannot."', "url": '"https://docs.example/limits"'}


@pytest.fixture(autouse=True)
def _checks(checks: Any, made: Any) -> None:
    """Make a catalogue of two."""
    checks(made("P90"), made("P91"))


def table(**changes: str | None) -> str:
    """Return one deviation; None leaves a field out."""
    fields = {**GOOD, **changes}
    lines = [f"{name} = {value}" for name, value in fields.items() if value is not None]
    return "\n".join(["[[deviation]]", *lines, ""])


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Return a function that writes the file."""

    def write(text: str) -> Path:
        path = tmp_path / "deviations.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_read(written: Any) -> None:
    """Each table becomes a deviation, in order."""
    found = read_deviations(written(table() + table(id='"P91"')))
    assert [
        Deviation(id=one, reason="The provider cannot.", url="https://docs.example/limits")
        for one in ("P90", "P91")
    ] == list(found)


def test_empty(written: Any) -> None:
    """An empty file knows of none."""
    assert read_deviations(written("")) == ()


@pytest.mark.parametrize("name", ["id", "reason", "url"])
@pytest.mark.parametrize("value", [None, '""', '"  "', "1", '["P90"]'])
def test_missing_fields(written: Any, name: str, value: str | None) -> None:
    """Each field is needed, and is text."""
    with pytest.raises(KitError, match=f"deviation 1 has no {name}"):
        read_deviations(written(table(**{name: value})))


@pytest.mark.parametrize(
    "text, why",
    [
        (table(reasons='"x"'), "'reasons', which means nothing. Did you mean 'reason'?"),
        (table(id='"P9O"'), "no check 'P9O'. Did you mean 'P9"),
        (table(url='"docs"'), "url is no address"),
        (table() + table(), "P90 is there twice"),
        ('[[deviations]]\nid = "P90"\n', "no 'deviations' here"),
        ('[deviation]\nid = "P90"\n', "no list of tables"),
        ('deviation = ["P90"]\n', "no list of tables"),
        ("[[deviation]\n", "is not TOML"),
    ],
)
def test_refused(written: Any, text: str, why: str) -> None:
    """What the suite would not understand is refused, with the file and the place."""
    path = written(text)
    with pytest.raises(KitError) as caught:
        read_deviations(path)
    assert why in str(caught.value)
    assert str(path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    """A file that is named must be there."""
    with pytest.raises(KitError, match="cannot be read"):
        read_deviations(tmp_path / "none.toml")


def test_bytes(tmp_path: Path) -> None:
    """A file that is no text is refused like one that is no TOML."""
    path = tmp_path / "deviations.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(KitError, match="is not TOML"):
        read_deviations(path)
