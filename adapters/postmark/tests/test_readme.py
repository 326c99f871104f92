"""The provider page says what the code does, and its examples run."""

from __future__ import annotations

import contextlib
import io
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import BounceClass, Capability, Disposition, EndpointKind, Level, PluginHost, Support
from mailcore._config import variables
from mailcore_postmark import _advice, _events, _responses
from mailcore_postmark._adapter import PostmarkAdapter
from mailcore_postmark._options import PostmarkOptions

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
        found = host.spec("postmark").capabilities
        absent = Support(level=Level.UNSUPPORTED)
        rows = [row(capability, found.get(capability, absent)) for capability in Capability]
        expected = "\n".join(["| what | can it | note | |", "| --- | --- | --- | --- |", *rows])
        match = TABLE.search(page())

        assert match is not None
        assert match[1].strip() == expected

    def test_settings(self) -> None:
        """Every setting of the adapter and the one for basic auth, with each spelling in its order."""
        names = [*(field.name for field in attrs.fields(PostmarkOptions)), "webhook_secret"]
        spellings = {name: ", ".join(f"`{item}`" for item in variables(name, "postmark")) for name in names}

        assert [
            name
            for name, said in spellings.items()
            if not re.search(rf"\| `{name}` \|.*\| {re.escape(said)} \|\n", page())
        ] == []

    def test_advice(self) -> None:
        """Every advice, with its numbers."""
        source = (files("mailcore_postmark") / "_advice.py").read_text(encoding="utf-8")
        codes = re.findall(r'code="(postmark\.[a-z-]+)"', source)
        text = page()

        assert len(codes) == 5
        assert [code for code in codes if f"| `{code}` |" not in text] == []
        for said in (
            f"At most {_advice.MAX_RECIPIENTS} addresses",
            f"At most {_advice.MAX_SIZE // 1024 // 1024} MB",
            f"at most {_advice.MAX_TAG} characters",
            f"At most {_advice.MAX_FIELDS} fields, names of at most {_advice.MAX_NAME}",
            f"at most {_advice.MAX_VALUE} characters",
        ):
            assert said in text

    def test_events(self) -> None:
        """Every kind of event and of bounce with what it becomes."""
        text = page()
        rows = {f"bounce `{kind}`": meaning for kind, meaning in _events._BOUNCES.items()}
        for kind, (event_type, reason, bounce) in {
            **rows,
            **{f"`{kind}`": meaning for kind, meaning in _events._RECORDS.items()},
        }.items():
            became = f"`{event_type.value}`" + (f", reason `{reason.value}`" if reason else "")
            hard = {BounceClass.HARD: " hard", BounceClass.SOFT: " soft", None: ""}[bounce]
            assert f"| {kind} | {became} |{hard} |" in text

    def test_codes(self) -> None:
        """Every code that has a meaning of its own."""
        text = page()
        for code, cls in _responses._CODES.items():
            assert re.search(rf"^\| [0-9, ]*\b{code}\b[0-9, ]* \| `{cls.__name__}` \|$", text, re.MULTILINE)

    def test_statuses(self) -> None:
        """Every disposition with its status."""
        adapter = PostmarkAdapter(PostmarkOptions())
        for disposition in Disposition:
            for kind in EndpointKind:
                status = adapter.webhook_response(disposition, kind).status
                assert re.search(rf"^\| [^|]*`{disposition.value}`[^|]*\| {status} \|$", page(), re.MULTILINE)


@pytest.mark.loopback
def test_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs after those before it, and prints what the page says it does."""
    monkeypatch.setenv("POSTMARK_SERVER_TOKEN", "your-token")
    names: dict[str, Any] = {}
    printed, expected = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        for language, block in BLOCK.findall(page()):
            if language == "python":
                exec(compile(block, str(README), "exec"), names)  # noqa: S102  # reason: the page's own code
            else:
                expected += block
    assert printed.getvalue() == expected
