"""Every rule of `rules.toml` is named by a test, and every name a test gives is a rule."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TABLE = tomllib.loads((HERE / "rules.toml").read_text(encoding="utf-8"))


def test_files() -> Iterator[Path]:
    """Yield every file of tests, those of adapters too."""
    for folder in (HERE, *ROOT.glob("adapters/*/tests")):
        yield from sorted(folder.rglob("test_*.py"))


test_files.__test__ = False


def named_in(source: str) -> list[str]:
    """Return the ids in `pytest.mark.rule(...)`, wherever it decorates or marks a case."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        ast.literal_eval(argument)
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.rule"
        for argument in call.args
    ]


@cache
def named() -> dict[str, set[str]]:
    """Return rule id → files that name it."""
    found: dict[str, set[str]] = {}
    for path in test_files():
        for rule in named_in(path.read_text(encoding="utf-8")):
            found.setdefault(rule, set()).add(path.relative_to(ROOT).as_posix())
    return found


@pytest.mark.once
class TestRulesHaveTests:
    """The table and the markers agree."""

    @pytest.mark.parametrize("rule", TABLE["rules"])
    def test_rule_has_a_test(self, rule: str) -> None:
        """Some test names the rule."""
        if rule not in named():
            pytest.fail(f"No test names {rule}: {TABLE['rules'][rule]}", pytrace=False)

    def test_names_are_rules(self) -> None:
        """No test names a rule that is not in the table."""
        assert {rule: files for rule, files in named().items() if rule not in TABLE["rules"]} == {}

    def test_one_place_each(self) -> None:
        """No rule is both to be kept here and not here."""
        assert TABLE["rules"].keys() & TABLE["not_here"].keys() == set()

    def test_every_entry_says_something(self) -> None:
        """Each entry is one sentence."""
        entries = {**TABLE["rules"], **TABLE["not_here"]}
        assert [rule for rule, text in entries.items() if not text.endswith(".") or "\n" in text] == []

    def test_markers_are_found(self) -> None:
        """Markers on functions, classes and single cases count; text that looks like one does not."""
        source = """
            @pytest.mark.rule("X-1")
            class TestIt:
                @pytest.mark.rule("X-2", "X-3")
                def test(self): 'pytest.mark.rule("X-4")'
            cases = [pytest.param(1, marks=pytest.mark.rule("X-5"))]
        """
        assert sorted(named_in("if True:" + source)) == ["X-1", "X-2", "X-3", "X-5"]
