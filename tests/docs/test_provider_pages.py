"""What the page of every provider has to say is there; the adapters' own tests compare what one page says."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import AdapterSpec, Capability, Disposition, EndpointKind, PluginHost
from mailcore._capabilities import support
from mailcore._config import variables
from mailcore._spec import load_object

ROOT = Path(__file__).resolve().parents[2]
PROVIDERS = sorted(folder.parent.name.replace("_", "-") for folder in ROOT.glob("adapters/*/README.md"))
pytestmark = pytest.mark.parametrize("name", PROVIDERS)


@pytest.fixture
def spec(name: str) -> AdapterSpec:
    """Return what an adapter declares."""
    return PluginHost.default().spec(name)


@pytest.fixture
def text(name: str) -> str:
    """Return an adapter's page."""
    return (ROOT / "adapters" / name.replace("-", "_") / "README.md").read_text(encoding="utf-8")


def receives(spec: AdapterSpec) -> bool:
    """Return whether there is anything to receive."""
    return support(spec.capabilities, Capability.WEBHOOK_TRACKING).usable


def test_settings(name: str, spec: AdapterSpec, text: str) -> None:
    """Every setting of the adapter and the one for basic auth, with each spelling in its order."""
    names = [field.name for field in attrs.fields(load_object(spec.options))]
    names += ["webhook_secret"] if receives(spec) else []
    spellings = {each: ", ".join(f"`{item}`" for item in variables(each, name)) for each in names}
    assert [
        each
        for each, said in spellings.items()
        if not re.search(rf"\| `{each}` \|.*\| {re.escape(said)} \|\n", text)
    ] == []


def test_advice(name: str, spec: AdapterSpec, text: str) -> None:
    """Every advice that the adapter's code can give."""
    package = files(spec.factory.partition(".")[0])
    advice: Any = package / "_advice.py"
    source = advice.read_text(encoding="utf-8") if advice.is_file() else ""
    codes = re.findall(rf'code="({name}\.[a-z-]+)"', source)
    assert bool(codes) == bool(source)
    assert [code for code in codes if f"| `{code}` |" not in text] == []


@pytest.mark.parametrize("kind", EndpointKind)
def test_statuses(name: str, spec: AdapterSpec, text: str, kind: EndpointKind) -> None:
    """Every disposition with its status."""
    if receives(spec):
        adapter = load_object(spec.factory)(load_object(spec.options)())
        for disposition in Disposition:
            status = adapter.webhook_response(disposition, kind).status
            assert re.search(rf"^\| [^|]*`{disposition.value}`[^|]*\| {status} \|$", text, re.MULTILINE)


def test_sources(name: str, spec: AdapterSpec, text: str) -> None:
    """The table of what the provider can carry is generated, and names a source for all that it can."""
    usable = [each for each, found in spec.capabilities.items() if found.usable]
    rows = {row[1]: row[0] for row in re.findall(r"^(\| `([a-z_.]+)` \| .*)$", text, re.MULTILINE)}
    assert [each for each in usable if "](https://" not in rows[each.value]] == []
