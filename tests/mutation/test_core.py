"""What is mutated, and by what it is judged, is there; and what a mutant is called is read right."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from mutation.__main__ import JUDGES, main
from mutation.core import KINDS, PACKAGES, Kind
from mutation.mutant import Mutant
from mutation.page import Page
from mutation.report import report
from mutation.trial import ROOT, Findings

DIFF = """\
--- mailcore/_retry.py
+++ mailcore/_retry.py
@@ -1,4 +1,4 @@
 def take(self, cost: int) -> bool:
-    if cost > self._left:
+    if cost >= self._left:
         return False
"""
SURVIVOR = Mutant("mailcore._retry.Quota.take", "if cost > self._left:", "if cost >= self._left:")
PLACES: Mapping[str, Path] = PACKAGES

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(module: str) -> set[str]:
    """Return the dotted names of a module's functions and methods."""
    package, _, rest = module.partition(".")
    tree = ast.parse((PLACES[package] / f"{rest.replace('.', '/')}.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, FUNCTION):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, FUNCTION)}
    return found


class TestKinds:
    """What core's half changes."""

    @pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
    def test_is_there(self, kind: Kind) -> None:
        """A module or a test that moved is no longer judged, or no longer judges."""
        for module in kind.modules:
            package, _, rest = module.partition("/")
            assert (PLACES[package] / rest).is_file()
        for test in kind.tests:
            assert (ROOT / test).is_file()
        for path, *names in (word.split("::") for word in kind.but if "::" in word):
            text = (ROOT / path).read_text(encoding="utf-8")
            assert path in kind.tests
            assert all(name in text for name in names)


class TestPage:
    """The explanations."""

    @pytest.mark.parametrize("judge", JUDGES)
    def test_explains_functions_that_are_there(self, judge: str) -> None:
        """What was renamed or deleted needs no explanation."""
        for function, _ in Page.of(judge).reasons:
            parts = function.split(".")
            known = {
                f"{'.'.join(parts[:end])}.{name}"
                for end in range(2, len(parts))
                if (PLACES[parts[0]] / f"{'/'.join(parts[1:end])}.py").is_file()
                for name in functions(".".join(parts[:end]))
            }
            assert function in known

    def test_knows_a_mutant_by_its_function_and_line(self) -> None:
        """The same line elsewhere is another mutant."""
        page = Page(Path("core.md"), {(SURVIVOR.function, SURVIVOR.put): "because"})
        assert page.reason(SURVIVOR) == "because"
        assert page.reason(Mutant("mailcore._retry.cost", SURVIVOR.gone, SURVIVOR.put)) is None
        assert page.outdated([SURVIVOR]) == []
        assert page.outdated([]) == [(SURVIVOR.function, SURVIVOR.put)]


class TestMutant:
    """What mutmut says of one."""

    @pytest.mark.parametrize(
        "name, function",
        [
            ("mailcore._retry.xǁQuotaǁtake__mutmut_3", "mailcore._retry.Quota.take"),
            ("mailcore._retry.x_cost__mutmut_12", "mailcore._retry.cost"),
            ("mailcore._driver.x__failed__mutmut_1", "mailcore._driver._failed"),
            ("mailcore._group.xǁMailerGroupǁ__init____mutmut_1", "mailcore._group.MailerGroup.__init__"),
        ],
    )
    def test_function(self, name: str, function: str) -> None:
        """Its name is mangled, the function's is not."""
        assert Mutant.of(name, DIFF).function == function

    def test_lines(self) -> None:
        """The first line of each side tells it from the others."""
        assert Mutant.of("mailcore._retry.xǁQuotaǁtake__mutmut_3", DIFF) == SURVIVOR


class TestReport:
    """When a run is good."""

    @pytest.mark.parametrize(
        "noticed, reason, whole, code",
        [
            (9, "because", True, 0),
            (8, "because", True, 1),
            (8, "because", False, 0),
            (9, None, True, 1),
            (9, None, False, 1),
        ],
    )
    def test_code(self, noticed: int, reason: str | None, whole: bool, code: int) -> None:
        """Nine tenths are noticed, and each of the others is explained; a part of a run has no score."""
        page = Page(Path("core.md"), {(SURVIVOR.function, SURVIVOR.put): reason} if reason else {})
        found = Findings(
            name="retry", noticed={"mailcore._retry": noticed}, survivors=[SURVIVOR], seconds=1.0
        )
        assert report("Tests", [found], page=page, whole=whole) == code

    def test_every_kind_has_its_own_score(self) -> None:
        """A good one does not make up for a bad one."""
        page = Page(Path("core.md"), {(SURVIVOR.function, SURVIVOR.put): "because"})
        good, bad = (
            Findings(name=str(number), noticed={"mailcore._retry": number}, survivors=[SURVIVOR], seconds=1.0)
            for number in (999, 1)
        )
        assert report("Tests", [good, bad], page=page, whole=True) == 1


class TestCommand:
    """`python mutation`."""

    def test_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It says which judges there are."""
        assert main([]) == 0
        assert main(["nobody"]) == 2
        assert all(f"python mutation {judge} " in capsys.readouterr().out for judge in JUDGES[:1])

    def test_unknown_kind(self) -> None:
        """A misspelt kind is not all of them."""
        with pytest.raises(SystemExit) as caught:
            main(["core", "adress"])
        assert caught.value.code == 2
