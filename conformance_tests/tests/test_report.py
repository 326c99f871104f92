"""What a report says, read back from what the command emits."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mailcore import Adapter, Capability
from mailcore_conformance import KitError, Section, Status, Verdict, Weight
from mailcore_conformance._check import Failed, NotApplicable
from mailcore_conformance._markdown import markdown
from mailcore_conformance._report import SCHEMA, derived
from mailcore_conformance._report_file import read_report
from mailcore_conformance._runner import NETWORK
from mailcore_conformance._subject import Subject

ROOT = Path(__file__).resolve().parents[1] / "mailcore_conformance"
NAME = "reference-json"


class RaisesInBuild(Adapter):
    """Fails by itself."""

    def build_send(self, message: Any, ctx: Any) -> Any:
        """Fail."""
        raise ZeroDivisionError("by the adapter")


def fails(_: Any) -> None:
    """Find that something does not hold."""
    raise Failed("It was seen not to hold.")


def means_nothing(_: Any) -> None:
    """Find nothing to look at."""
    raise NotApplicable("The adapter has no such thing.")


def says_nothing(_: Any) -> None:
    """Fail without a reason."""
    raise Failed(" ")


def applies_to_nothing(_: Any) -> None:
    """Do not apply, without a reason."""
    raise NotApplicable("")


@pytest.fixture
def emitted(run: Any) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Return a function that runs the checks, and returns exit code and the document; it fits the schema."""

    def command(*arguments: object) -> tuple[int, dict[str, Any]]:
        ran = run("run", NAME, "--json", "-", *arguments)
        document = json.loads(ran.out)
        jsonschema.Draft202012Validator(schema()).validate(document)
        return ran.code, document

    return command


def schema() -> Any:
    """Return the schema that comes with the package."""
    return json.loads((ROOT / "schema" / "report-1.json").read_text(encoding="utf-8"))


def deviations(folder: Path, *ids: str) -> Path:
    """Write a file of deviations."""
    table = '[[deviation]]\nid = "{}"\nreason = "The provider cannot."\nurl = "https://docs.example/limits"\n'
    path = folder / "deviations.toml"
    path.write_text("".join(table.format(one) for one in ids), encoding="utf-8")
    return path


def result(document: dict[str, Any], check_id: str) -> dict[str, Any]:
    """Return how one check ended."""
    (found,) = [check for check in document["checks"] if check["id"] == check_id]
    return dict(found)


class TestStatuses:
    """How a check ends, and that it says why."""

    def test_pass(self, checks: Any, made: Any, emitted: Any) -> None:
        """What holds needs no reason."""
        checks(made("P90"))
        code, document = emitted()
        assert (code, document["verdict"]) == (0, "conformant")
        assert (result(document, "P90")["status"], result(document, "P90")["reason"]) == ("pass", "")

    def test_fail_has_a_reason(self, checks: Any, made: Any, emitted: Any) -> None:
        """What does not hold says what was seen, and what to do."""
        checks(made("P90", fails), made("P91"))
        code, document = emitted()
        assert (code, document["verdict"]) == (1, "not_conformant")
        found = result(document, "P90")
        expected = ("fail", "It was seen not to hold.", "Mend the test.")
        assert expected == (found["status"], found["reason"], found["fix"])

    @pytest.mark.parametrize("ends", [says_nothing, applies_to_nothing])
    def test_no_reason_is_a_bug_of_the_suite(self, checks: Any, made: Any, emitted: Any, ends: Any) -> None:
        """Nobody can act on a verdict without one."""
        checks(made("P90", ends), made("P91"))
        code, document = emitted()
        assert (code, document["verdict"]) == (1, "not_conformant")
        assert result(document, "P90")["status"] == "error"
        assert "without saying why" in result(document, "P90")["reason"]

    def test_not_applicable_names_the_capability(
        self, checks: Any, made: Any, installed: Any, emitted: Any
    ) -> None:
        """A capability that is not declared is named, and is outside the fraction."""
        checks(made("P90"), made("P91", fails, capability=Capability.HTML))
        installed(capabilities={})
        code, document = emitted()
        assert (code, document["verdict"]) == (0, "conformant")
        found = result(document, "P91")
        assert (found["status"], "send.html" in found["reason"]) == ("not_applicable", True)
        assert {name: number for name, number in document["counts"].items() if number} == {
            "pass": 1,
            "not_applicable": 1,
        }

    def test_adapter_raises(self, checks: Any, made: Any, installed: Any, emitted: Any) -> None:
        """What the adapter raises is its failure, with the place in its code."""
        checks(made("P90", lambda subject: subject.adapter().build_send(None, None)), made("P91"))
        installed(factory=f"{__name__}:RaisesInBuild")
        code, document = emitted()
        found = result(document, "P90")
        assert (code, found["status"]) == (1, "fail")
        assert "ZeroDivisionError: by the adapter" in found["reason"]
        assert f"{Path(__file__).name}:" in found["reason"]

    def test_suite_raises(self, checks: Any, made: Any, emitted: Any) -> None:
        """What the suite raises is an error of its own, and no adapter is conformant by it."""
        checks(made("P90", Subject.delivered), made("P91"))  # the runner does not give what this needs
        code, document = emitted()
        assert (code, document["verdict"]) == (1, "not_conformant")
        assert (
            result(document, "P90")["status"],
            "TypeError" in result(document, "P90")["reason"],
        ) == ("error", True)

    def test_network(self, checks: Any, made: Any, emitted: Any) -> None:
        """Who asks for the network is found, even where it takes the refusal in silence."""

        def dials(_: Any) -> None:
            try:
                socket.socket()
            except OSError:
                return

        checks(made("P90", dials), made(NETWORK, section=Section.PURITY))
        code, document = emitted()
        assert (code, result(document, NETWORK)["status"]) == (1, "fail")
        assert Path(__file__).name in result(document, NETWORK)["reason"]


class TestAnchors:
    """The absence of evidence proves nothing."""

    def test_blocked(self, checks: Any, made: Any, emitted: Any) -> None:
        """Where an anchor fails, what passes in its section is shown as blocked, and says by what."""
        checks(made("P01", fails), made("P90"), made("W90", section=Section.EVENTS))
        code, document = emitted()
        assert (code, document["verdict"]) == (1, "not_conformant")
        assert (
            result(document, "P90")["status"],
            "P01" in result(document, "P90")["reason"],
        ) == ("blocked", True)
        assert result(document, "W90")["status"] == "pass"

    def test_failures_stay(self, checks: Any, made: Any, emitted: Any) -> None:
        """What fails beside an anchor still fails."""
        checks(made("P01", fails), made("P90", fails))
        assert result(emitted()[1], "P90")["status"] == "fail"

    def test_deviation_of_an_anchor(self, checks: Any, made: Any, emitted: Any, tmp_path: Path) -> None:
        """Explaining why there is nothing to look at does not make it something."""
        checks(made("P01", fails), made("P90"))
        code, document = emitted("--deviations", deviations(tmp_path, "P01"))
        assert (code, document["verdict"]) == (1, "not_conformant")
        assert tuple(result(document, one)["status"] for one in ("P01", "P90")) == (
            "known_deviation",
            "blocked",
        )

    def test_not_applicable(self, checks: Any, made: Any, emitted: Any) -> None:
        """Where an anchor does not apply, nothing of its section does, for the same reason."""
        checks(made("P01", means_nothing), made("P90"), made("W90", section=Section.EVENTS))
        code, document = emitted()
        assert (code, document["verdict"]) == (0, "conformant")
        assert result(document, "P90")["reason"] == "The adapter has no such thing."

    def test_anchors_of_a_part_run(self, checks: Any, made: Any, emitted: Any) -> None:
        """A check that is run alone passes only where its anchor does, which is not shown."""
        checks(made("P01", fails), made("P90"))
        code, document = emitted("--only", "P90")
        assert (code, [check["id"] for check in document["checks"]]) == (1, ["P90"])
        assert result(document, "P90")["status"] == "blocked"


class TestVerdict:
    """The verdict follows from the list."""

    @pytest.mark.parametrize("statuses", [(a, b) for a, b in product(Status, Status) if a != b])
    def test_derived(self, statuses: tuple[Status, ...]) -> None:
        """Conformant is what has a pass, and nothing that fails, errs, or is blocked."""
        counts = {status: int(status in statuses) for status in Status}
        bad = {Status.FAIL, Status.ERROR, Status.BLOCKED}.intersection(statuses)
        good = Verdict.WITH_DEVIATIONS if Status.KNOWN_DEVIATION in statuses else Verdict.CONFORMANT
        expected = Verdict.NOT_CONFORMANT if bad or Status.PASS not in statuses else good
        assert expected is derived(counts, stale=False, whole=True)
        assert derived(counts, stale=True, whole=True) is Verdict.NOT_CONFORMANT
        assert derived(counts, stale=False, whole=False) is Verdict.PART

    @pytest.mark.parametrize("capability", [None, Capability.HTML])
    def test_nothing_applies(
        self, checks: Any, made: Any, installed: Any, emitted: Any, capability: Any
    ) -> None:
        """An adapter to which nothing applies is not conformant, and the run is refused."""
        checks(made("P90", means_nothing, capability=capability))
        installed(capabilities={})
        code, document = emitted()
        assert (code, document["verdict"]) == (2, "not_conformant")

    def test_preview(self, checks: Any, made: Any, emitted: Any) -> None:
        """What the contract does not name is shown, and counts for nothing."""
        checks(made("P90"), made("P91", fails), preview=("P91",))
        code, document = emitted()
        assert (code, document["verdict"], document["counts"]["fail"]) == (0, "conformant", 0)
        assert (result(document, "P91")["status"], result(document, "P91")["scored"]) == ("fail", False)

    def test_only_previews(self, checks: Any, made: Any, emitted: Any) -> None:
        """Where only previews hold, nothing that counts was shown."""
        checks(made("P91"), preview=("P91",))
        code, document = emitted()
        assert (code, document["verdict"]) == (2, "not_conformant")

    def test_manners(self, checks: Any, made: Any, emitted: Any) -> None:
        """A matter of manners is never scored, even where the contract names it."""
        checks(made("P90"), made("P91", fails, weight=Weight.SHOULD))
        code, document = emitted()
        assert (code, document["verdict"]) == (0, "conformant")
        assert (result(document, "P91")["weight"], result(document, "P91")["scored"]) == ("should", False)


class TestDeviations:
    """What is known to fail, and why."""

    def test_known(self, checks: Any, made: Any, emitted: Any, tmp_path: Path) -> None:
        """A failure that is explained is no reason to stop, and shows in the verdict."""
        checks(made("P90", fails), made("P91"))
        code, document = emitted("--deviations", deviations(tmp_path, "P90"))
        assert (code, document["verdict"]) == (0, "conformant_with_deviations")
        assert result(document, "P90")["status"] == "known_deviation"
        assert result(document, "P90")["reason"] == "It was seen not to hold."
        assert document["deviations"][0]["reason"] == "The provider cannot."

    @pytest.mark.parametrize("ends", [lambda _: None, means_nothing])
    def test_stale(self, checks: Any, made: Any, emitted: Any, tmp_path: Path, ends: Any) -> None:
        """A deviation whose check holds, or does not apply, must be removed."""
        checks(made("P90", ends), made("P91"))
        code, document = emitted("--deviations", deviations(tmp_path, "P90"))
        assert (code, document["verdict"], document["stale_deviations"]) == (1, "not_conformant", ["P90"])

    def test_does_not_excuse_an_error(self, checks: Any, made: Any, emitted: Any, tmp_path: Path) -> None:
        """A bug of the suite is nobody's deviation."""
        checks(made("P90", says_nothing), made("P91"))
        code, document = emitted("--deviations", deviations(tmp_path, "P90"))
        assert (code, result(document, "P90")["status"], document["stale_deviations"]) == (1, "error", [])

    def test_unknown_id(self, checks: Any, made: Any, run: Any, tmp_path: Path) -> None:
        """A deviation from nothing is refused, and nothing is run."""
        checks(made("P90"))
        ran = run("run", NAME, "--deviations", deviations(tmp_path, "P09"))
        assert (ran.code, ran.out) == (2, "")
        assert "no check 'P09'. Did you mean 'P90'?" in ran.err

    def test_of_another_part(self, checks: Any, made: Any, emitted: Any, tmp_path: Path) -> None:
        """A deviation from what was not asked for is no matter of a part."""
        checks(made("P90", fails), made("P91"))
        code, document = emitted("--deviations", deviations(tmp_path, "P90"), "--only", "P91")
        assert (code, document["stale_deviations"]) == (0, [])


class TestPart:
    """A part of the catalogue proves nothing of the whole."""

    @pytest.mark.parametrize(
        "only, code", [(["P90"], 0), (["P91"], 1), (["P90", "P91"], 1), (["P92"], 2), (["P90", "P92"], 0)]
    )
    def test_verdict_and_code(self, checks: Any, made: Any, emitted: Any, only: list[str], code: int) -> None:
        """The verdict is that of a part, and the exit code says whether what was asked for holds."""
        checks(made("P90"), made("P91", fails), made("P92", means_nothing))
        found, document = emitted(*(word for one in only for word in ("--only", one)))
        assert (code, "part", False) == (found, document["verdict"], document["whole"])
        assert only == [check["id"] for check in document["checks"]]

    def test_unscored(self, checks: Any, made: Any, emitted: Any) -> None:
        """What is asked for by name counts, whether the contract names it or not."""
        checks(made("P90"), made("P91", fails), preview=("P91",))
        assert emitted("--only", "P91")[0] == 1


class TestDocument:
    """The one source of all that is shown."""

    def test_is_the_same_each_time(self, emitted: Any, installed: Any) -> None:
        """Two runs of the real catalogue on the reference differ in `run` alone."""
        installed()
        (_, first), (_, second) = emitted(), emitted()
        first["run"]["time"] = second["run"]["time"] = ""
        assert first == second

    def test_schema_knows_the_vocabulary(self) -> None:
        """The schema lists the statuses and verdicts there are, and names the form."""
        properties = schema()["properties"]
        assert properties["schema"]["const"] == SCHEMA
        assert {status.value for status in Status} == set(
            properties["checks"]["items"]["properties"]["status"]["enum"]
        )
        assert {verdict.value for verdict in Verdict} == set(properties["verdict"]["enum"])

    def test_schema_wants_reasons(self, checks: Any, made: Any, emitted: Any) -> None:
        """A document with a failure that says nothing does not fit the schema."""
        checks(made("P90", fails))
        _, document = emitted()
        document["checks"][0]["reason"] = ""
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema()).validate(document)

    def test_markdown_is_made_of_it(self, checks: Any, made: Any, run: Any, tmp_path: Path) -> None:
        """The page that is written is the one that the document amounts to."""
        checks(made("P90", fails), made("P91"))
        run("run", NAME, "--json", tmp_path / "a.json", "--markdown", tmp_path / "a.md")
        page = (tmp_path / "a.md").read_text(encoding="utf-8")
        assert page == markdown(json.loads((tmp_path / "a.json").read_text(encoding="utf-8")))
        assert "`P90`" in page
        assert "It was seen not to hold." in page
        assert "is not conformant with contract 1.0" in page

    def test_markdown_is_text(self, checks: Any, made: Any, run: Any) -> None:
        """What an adapter says cannot become markup, and cannot end a cell of a table."""

        def hostile(_: Any) -> None:
            raise NotApplicable("<script>x</script> [here](https://evil.example) a|b *c*")

        checks(made("P90", hostile), made("P91"))
        page = run("run", NAME, "--markdown", "-").out
        assert r"\<script\>x\</script\> \[here\](https://evil.example) a\|b \*c\*" in page


class TestFile:
    """A report that is read from a file is believed as far as it agrees with itself."""

    @pytest.fixture
    def document(self, checks: Any, made: Any, emitted: Any) -> Any:
        """Return a document with a check of each kind."""
        checks(made("P90"), made("P91", fails), made("P92", means_nothing))
        return emitted()[1]

    def test_round_trip(self, document: Any, tmp_path: Path) -> None:
        """What was written is read."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        assert document == read_report(path)

    @pytest.mark.parametrize(
        "change, why",
        [
            ({"verdict": "conformant"}, "it says 'conformant', and its checks say 'not_conformant'"),
            ({"counts": {}}, "counts"),
            ({"schema": "another"}, "schema"),
            ({"checks": None}, "'checks' is missing"),
            ({"checks": [None]}, "no object"),
            ({"whole": "yes"}, "'whole'"),
        ],
    )
    def test_contradictions(self, document: Any, tmp_path: Path, change: Any, why: str) -> None:
        """A verdict that does not follow is refused, and so is what is no report."""
        path = tmp_path / "report.json"
        path.write_text(json.dumps({**document, **change}), encoding="utf-8")
        with pytest.raises(KitError, match=why):
            read_report(path)

    @pytest.mark.parametrize(
        "field, value, why", [("reason", "", "without a reason"), ("status", "fine", "no status")]
    )
    def test_checks(self, document: Any, tmp_path: Path, field: str, value: str, why: str) -> None:
        """So is a failure without a reason, and a status that there is not."""
        document["checks"][1][field] = value
        path = tmp_path / "report.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(KitError, match=why):
            read_report(path)

    @pytest.mark.parametrize("text", ["", "[]", "{", "\ufeff{}"])
    def test_no_report(self, tmp_path: Path, text: str) -> None:
        """So is what is no JSON object at all."""
        path = tmp_path / "report.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(KitError, match=r"report\.json is no"):
            read_report(path)


def test_every_field_is_in_the_schema(checks: Any, made: Any, emitted: Any) -> None:
    """The schema names every field of a support, so that a new one is not forgotten."""
    checks(made("P90"))
    support = next(iter(emitted()[1]["capabilities"].values()))
    expected = schema()["properties"]["capabilities"]["additionalProperties"]["properties"]
    assert set(expected) == set(support)
