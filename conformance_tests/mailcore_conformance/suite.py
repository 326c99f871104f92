"""The checks as tests of pytest: one for each check, and one for the verdict.

    from mailcore_conformance import ConformanceSuite

    class TestConformance(ConformanceSuite):
        adapter = "acme"

Without a file: `pytest --pyargs mailcore_conformance.suite --mailcore-adapter=acme`.

Rule 1: what a test says is what the command says: the checks are run once, by the same runner, and each test
        reads its own result.
Rule 2: no check can be overridden or left out. The tests of the suite cannot be defined anew, and the
        verdict is that of the whole catalogue, whichever tests were selected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from mailcore import PluginHost
from mailcore_conformance._check import catalogue
from mailcore_conformance._kit import Kit, KitError
from mailcore_conformance._report import Document, Status
from mailcore_conformance._summary import closing, exit_code, unscored
from mailcore_conformance._target import find

__all__ = ["ConformanceSuite", "TestConformance"]

_RESERVED = ("pytest_generate_tests", "test_check", "test_verdict", "outcome")


@attrs.define
class Outcome:
    """
    What came of the one run.

    Attributes:
        refused: Why nothing could be run; told once.
    """

    document: Document | None = None
    refused: str = ""
    told: bool = False

    def read(self) -> Document:
        """Return the report; a refusal fails the first test that asks, and the others do not repeat it."""
        if self.document is not None:
            return self.document
        if self.told:
            pytest.skip("The run was refused; the first test that failed says why.")
        self.told = True
        pytest.fail(self.refused, pytrace=False)


_RUNS = pytest.StashKey[dict[Any, Outcome]]()


class ConformanceSuite:
    """
    Inherit from this to prove an adapter among your own tests.

    Attributes:
        adapter: Its name; empty: what the option --mailcore-adapter says.
        kit: Its kit, or where it is; None: the option --mailcore-kit, or where the adapter says.
        deviations: A file; None: the option --mailcore-deviations, or `deviations.toml` beside the
            kit's folder.
        host: Offers the adapter; None: the plugins that are installed.
    """

    adapter: ClassVar[str] = ""
    kit: ClassVar[Kit | str | None] = None
    deviations: ClassVar[Path | str | None] = None
    host: ClassVar[PluginHost | None] = None

    def __init_subclass__(cls) -> None:
        for name in _RESERVED:
            if name in cls.__dict__:
                raise TypeError(
                    f"{cls.__name__} defines {name}, which belongs to the suite. A check that cannot hold is "
                    "named, with its reason, in deviations.toml."
                )
        super().__init_subclass__()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each check."""
        if "check_id" in metafunc.fixturenames:
            metafunc.parametrize("check_id", list(catalogue()))

    @pytest.fixture
    def outcome(self, request: pytest.FixtureRequest) -> Outcome:
        """Return what came of the one run."""
        runs = request.config.stash.setdefault(_RUNS, {})
        cls = type(self)
        if cls not in runs:
            runs[cls] = _run(cls, request.config)
        return runs[cls]

    def test_check(self, check_id: str, outcome: Outcome) -> None:
        """What the check wants holds."""
        _tell(check_id, outcome.read())

    def test_verdict(self, outcome: Outcome) -> None:
        """The adapter is conformant, whichever checks were selected."""
        document = outcome.read()
        if exit_code(document):
            pytest.fail(closing(document), pytrace=False)


class TestConformance(ConformanceSuite):
    """The adapter that the option --mailcore-adapter names."""


def _run(cls: type[ConformanceSuite], config: pytest.Config) -> Outcome:
    def option(name: str) -> str | None:
        value: str | None = config.getoption(f"--mailcore-{name}", default=None)
        return value

    name = cls.adapter or option("adapter")
    if not name:
        return Outcome(refused="Which adapter? Set `adapter` in the class, or give --mailcore-adapter=NAME.")
    try:
        target = find(
            name,
            kit=cls.kit or option("kit"),
            deviations=cls.deviations or option("deviations"),
            host=cls.host,
        )
        return Outcome(document=target.run().document())
    except KitError as error:
        return Outcome(refused=str(error))


def _tell(check_id: str, document: Document) -> None:
    (check,) = [found for found in document["checks"] if found["id"] == check_id]
    status, reason = Status(check["status"]), check["reason"]
    if check_id in document["stale_deviations"]:
        pytest.fail(f"{check_id} is no deviation any more: remove it from the file.", pytrace=False)
    if status is Status.NOT_APPLICABLE:
        pytest.skip(reason)
    if status is Status.KNOWN_DEVIATION:
        (known,) = [found for found in document["deviations"] if found["id"] == check_id]
        pytest.xfail(f"{known['reason']} {known['url']} (seen: {reason})")
    if status is not Status.PASS:
        aside = unscored(check)
        if aside:
            pytest.xfail(f"{aside}: {reason}")
        pytest.fail(_failure(status, check), pytrace=False)


def _failure(status: Status, check: dict[str, Any]) -> str:
    advice = {
        Status.FAIL: f"Do: {check['fix']}",
        Status.ERROR: "This is a bug of the suite. Please report it.",
    }
    lines = [f"{check['title']} ({status.value})", f"Seen: {check['reason']}", advice.get(status, "")]
    return "\n".join([*filter(None, lines), f"`mailcore-conformance explain {check['id']}` says more."])
