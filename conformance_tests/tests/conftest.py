"""What the suite's own tests share.

The references and the gallery are packages of these tests: they are found by their place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gallery import host_of
from reference import REFERENCES

from mailcore import AdapterSpec, PluginHost
from mailcore_conformance import Check, Section, Weight, _check, _runner, catalogue
from mailcore_conformance._check import Run
from mailcore_conformance._contract import Contract
from mailcore_conformance.cli import main


@attrs.frozen
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings and the plugins of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("MAILCORE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(PluginHost, "_default", None)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Return a function that runs `mailcore-conformance` in this process."""

    def command(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return command


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AdapterSpec]:
    """Return a function that makes the reference all that is installed, with changes to its spec."""

    def install(**changes: object) -> AdapterSpec:
        spec = attrs.evolve(REFERENCES["json"].spec, **changes)
        monkeypatch.setattr(PluginHost, "_default", host_of(spec))
        return spec

    return install


@pytest.fixture
def made() -> Callable[..., Check]:
    """Return a function that makes a check; unless `run` says otherwise, it holds."""
    return _made


def _made(check_id: str, run: Run = lambda _: None, **fields: object) -> Check:
    values: Mapping[str, object] = {
        "title": f"What {check_id} says holds.",
        "section": Section.RESPONSES,
        "why": "Otherwise this test fails.",
        "fix": "Mend the test.",
        "weight": Weight.MUST,
        **fields,
    }
    return Check(id=check_id, run=run, **values)  # type: ignore[arg-type]  # reason: the tests give what fits


@pytest.fixture
def checks(
    monkeypatch: pytest.MonkeyPatch, installed: Callable[..., AdapterSpec]
) -> Iterator[Callable[..., None]]:
    """Return a function that makes these the whole catalogue, and the reference what it is run on."""
    catalogue()  # so that the real ones are registered before, and do not join these

    def use(*found: Check, preview: tuple[str, ...] = ()) -> None:
        installed()
        monkeypatch.setattr(_check, "_CATALOGUE", {one.id: one for one in found})
        frozen = Contract(version="1.0", scored=frozenset({one.id for one in found}.difference(preview)))
        monkeypatch.setattr(_runner, "contract", lambda: frozen)
        catalogue.cache_clear()

    yield use
    catalogue.cache_clear()
