"""Texts with placeholders: a typo is never sent, and what is no placeholder is left alone."""

from __future__ import annotations

import click
import pytest

from mailcore.cli._template import Template

COLUMNS = ("name", "first name", "straße", "color")
CELLS = {"name": "Bob {color}", "first name": "Bo", "straße": "Am See 1", "color": "red"}


class TestFilled:
    """What a text becomes."""

    @pytest.mark.parametrize(
        "text, filled",
        [
            ("", ""),
            ("Hello", "Hello"),
            ("{name}", "Bob {color}"),
            ("Hi {name}, {NAME} and { First Name }!", "Hi Bob {color}, Bob {color} and Bo!"),
            ("{Straße}", "Am See 1"),
            ("p {color: blue} {color}", "p {color: blue} red"),
            ("@media print{p{margin:0}}{color}", "@media print{p{margin:0}}red"),
            ("p {\n  margin: 0;\n}", "p {\n  margin: 0;\n}"),
            ("p {}", "p {}"),
            ("{{unsubscribe}} {{{ pm:unsubscribe }}}", "{{unsubscribe}} {{{ pm:unsubscribe }}}"),
            ('{"a": 1}', '{"a": 1}'),
            ("} { {", "} { {"),
        ],
    )
    def test_text(self, text: str, filled: str) -> None:
        """Placeholders are filled once; styles, JSON and a provider's own tags stay."""
        assert Template.parse(text, COLUMNS, where="--text").fill(CELLS) == filled

    def test_written(self) -> None:
        """Cells are written as the text needs them; the text itself is not changed."""
        made = Template.parse("<b>{name}</b>", COLUMNS, where="--html")
        assert made.fill({"name": "<i>"}, lambda cell: cell.replace("<", "&lt;")) == "<b>&lt;i></b>"
        assert made.columns == ("name",)


class TestRefused:
    """What would be sent as nobody meant it."""

    @pytest.mark.parametrize(
        "text, words",
        [
            (
                "Hi {nmae}",
                "--text holds {nmae}, and there is no such column. Did you mean 'name'? Columns: name",
            ),
            ("{name!r}", "{name!r}, and there is no such column"),
            ("{0}", "{0}, and there is no such column"),
            ("{{name}}", "--text holds {{name}}. A placeholder has single braces: {name}."),
            ("{name}}", "--text holds {name}}. A placeholder has single braces"),
            ("{{{ Name }}}", "single braces: {Name}"),
        ],
    )
    def test_text(self, text: str, words: str) -> None:
        """The error quotes it, and has the way out."""
        with pytest.raises(click.UsageError) as caught:
            Template.parse(text, COLUMNS, where="--text")
        assert words in caught.value.message
