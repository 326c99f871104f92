"""The provider page says what the code does, and its examples run."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import Capability, Level, PluginHost, Support
from mailcore._config import variables
from mailcore_resend import _advice, _events, _responses
from mailcore_resend._options import ResendOptions

README = Path(__file__).resolve().parent.parent / "README.md"
LEVELS = {
    Level.FULL: "yes",
    Level.LIMITED: "limited",
    Level.NOT_IMPLEMENTED: "not yet",
    Level.UNSUPPORTED: "no",
}
TABLE = re.compile(r"<!-- capabilities -->\n(.*?)<!-- end of capabilities -->", re.DOTALL)
BLOCK = re.compile(r"^```(python|output)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


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
        found = host.spec("resend").capabilities
        absent = Support(level=Level.UNSUPPORTED)
        rows = [row(capability, found.get(capability, absent)) for capability in Capability]
        expected = "\n".join(["| what | can it | note | |", "| --- | --- | --- | --- |", *rows])
        match = TABLE.search(page())
        assert match is not None
        assert match[1].strip() == expected

    def test_settings(self) -> None:
        """Every setting of the adapter and the one for basic auth, with each spelling in its order."""
        names = [*(field.name for field in attrs.fields(ResendOptions)), "webhook_secret"]
        spellings = {name: ", ".join(f"`{item}`" for item in variables(name, "resend")) for name in names}
        assert [
            name
            for name, said in spellings.items()
            if not re.search(rf"\| `{name}` \|.*\| {re.escape(said)} \|\n", page())
        ] == []

    def test_advice(self) -> None:
        """Every advice, with its numbers."""
        source = (files("mailcore_resend") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(resend\.[a-z-]+)"', source)
        text = page()
        assert len(codes) == 5
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        for said in (
            f"At most {_advice.MAX_RECIPIENTS} addresses",
            f"At most {_advice.MAX_SIZE // 1024 // 1024} MB",
            f"1 to {_advice.MAX_TAG} ASCII",
            f"At most {_advice.MAX_TAGS} values",
        ):
            assert said in text

    def test_events(self) -> None:
        """Every kind of event with what it becomes."""
        for kind, (event_type, reason, _) in _events._KINDS.items():
            became = f"`{event_type.value}`" + (f", reason `{reason.value}`" if reason else "")
            assert f"| `{kind}` | {became} |" in page()

    def test_names(self) -> None:
        """Every name of an error that has a meaning of its own."""
        for (_, name), cls in _responses._NAMES.items():
            assert re.search(rf"^\| .*`{name}`.* \| `{cls.__name__}`.* \|$", page(), re.MULTILINE)


@pytest.mark.loopback
def test_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs after those before it, and prints what the page says it does."""
    monkeypatch.setenv("RESEND_API_KEY", "re_your_key")
    names: dict[str, Any] = {}
    printed, expected = io.StringIO(), ""
    with redirect_stdout(printed):
        for language, block in BLOCK.findall(page()):
            if language == "python":
                exec(compile(block, str(README), "exec"), names)  # noqa: S102  # reason: the page's own code
            else:
                expected += block
    assert printed.getvalue() == expected
