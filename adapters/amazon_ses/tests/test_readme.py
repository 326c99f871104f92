"""The provider page says what the code does."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import attrs
import pytest

from mailcore import Capability, Disposition, EndpointKind, Level, PluginHost, Support
from mailcore._config import variables
from mailcore_amazon_ses import _advice, _events
from mailcore_amazon_ses._adapter import AmazonSesAdapter
from mailcore_amazon_ses._options import AmazonSesOptions

README = Path(__file__).resolve().parent.parent / "README.md"
LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}
TABLE = re.compile(r"<!-- capabilities -->\n(.*?)<!-- end of capabilities -->", re.DOTALL)
EXAMPLE = re.compile(r"^```(python|output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page() -> str:
    """Return the page."""
    return README.read_text(encoding="utf-8")


def row(capability: Capability, support: Support) -> str:
    """Return what the table says of a capability."""
    level = LEVELS[support.level] + (f", at most {support.limit}" if support.limit is not None else "")
    source = f"[source]({support.url})" if support.url else ""
    return f"| `{capability.value}` | {level} | {support.note} | {source} |"


class TestTables:
    """Each table against what it is a table of."""

    def test_capabilities(self, host: PluginHost) -> None:
        """Every capability, as it is registered; to mend the page, paste what is expected."""
        found = host.spec("amazon-ses").capabilities
        absent = Support(level=Level.UNSUPPORTED)
        rows = [row(capability, found.get(capability, absent)) for capability in Capability]
        expected = "\n".join(["| what | can it | note | |", "| --- | --- | --- | --- |", *rows])
        match = TABLE.search(page())

        assert match is not None
        assert match[1].strip() == expected

    def test_settings(self) -> None:
        """Every setting of the adapter and the one for basic auth, with each spelling in its order."""
        names = [*(field.name for field in attrs.fields(AmazonSesOptions)), "webhook_secret"]
        spelt = {name: ", ".join(f"`{one}`" for one in variables(name, "amazon-ses")) for name in names}

        assert [
            name
            for name, words in spelt.items()
            if not re.search(rf"\| `{name}` \|.*{re.escape(f'| {words} |')}", page())
        ] == []

    def test_advice(self) -> None:
        """Every advice, with its number."""
        source = (files("mailcore_amazon_ses") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(amazon-ses\.[a-z-]+)"', source)
        text = page()

        assert len(codes) == 3
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        assert text.count(f"At most {_advice.MAX_RECIPIENTS} addresses") == 2
        assert f"At most {_advice.MAX_SIZE // 1024 // 1024} MB" in text

    def test_events(self) -> None:
        """Every kind of event."""
        text = page()
        assert [kind for kind in _events._KINDS if f"`{kind}`" not in text] == []

    def test_statuses(self) -> None:
        """Every disposition with its status."""
        adapter = AmazonSesAdapter(AmazonSesOptions())
        for disposition in Disposition:
            status = adapter.webhook_response(disposition, EndpointKind.TRACKING).status
            assert re.search(rf"^\| [^|]*`{disposition.value}`[^|]*\| {status} \|$", page(), re.MULTILINE)


@pytest.mark.loopback
def test_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """Every example runs, one after the other, and says what the page shows."""
    pytest.importorskip("cryptography")
    if "amazon-ses" not in PluginHost.default().adapters:
        pytest.skip("The adapter is not installed.")
    names: dict[str, object] = {}
    said = ""
    for kind, text in EXAMPLE.findall(page()):
        if kind == "output":
            assert said == text
            continue
        exec(compile(text, str(README), "exec"), names)  # noqa: S102  # reason: the page's own code
        said = capsys.readouterr().out
