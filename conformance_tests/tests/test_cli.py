"""The command `mailcore-conformance`: what it shows, and how it ends."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from mailcore import PluginHost
from mailcore._pip import pip_install
from mailcore_conformance import Kit, Section, Weight, catalogue, repro
from mailcore_conformance._check import Failed
from mailcore_conformance._contract import contract
from mailcore_conformance.cli._app import app

NAME = "reference-json"
BUG = "This is a bug of the suite, please report it"


def fails(_: Any) -> None:
    """Find that something does not hold."""
    raise Failed("It was seen\x1b[31m not to hold.")


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs a distribution with these modules, and makes it all there is."""

    def install(name: str, entry: str, modules: Mapping[str, str], requires: str = "") -> None:
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        needs = f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
        (info / "entry_points.txt").write_text(f"[mailcore.plugins]\n{entry}\n")
        for module, source in modules.items():
            (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()
        monkeypatch.setattr(PluginHost, "_default", PluginHost(only=[name]))

    return install


PLUGIN = """
from mailcore import AdapterSpec, hookimpl

@hookimpl
def mailcore_register_adapters():
    return [AdapterSpec(name="acme-kits", factory="a:B", options="a:B", conformance_kit="{}:KIT")]
"""


class TestRun:
    """What is shown of a run."""

    def test_what_holds(self, run: Any, checks: Any, made: Any) -> None:
        """The head says what was run on what; each section has a line; the last line is the verdict."""
        checks(made("P90"), made("P91"), made("W90", section=Section.EVENTS))
        ran = run("run", NAME)
        assert (ran.code, ran.err) == (0, "")
        first, *_, last = ran.out.splitlines()
        assert NAME in first
        assert f"{NAME} is conformant with contract 1.0: 3 of 3 checks that apply hold." == last
        assert re.search(r"^responses +2/2 +[█#]+$", ran.out, re.MULTILINE)
        assert re.search(r"^events +1/1 ", ran.out, re.MULTILINE)

    def test_what_does_not(self, run: Any, checks: Any, made: Any) -> None:
        """Each failure is there with id, title, what was seen, and what to do."""
        checks(made("P90", fails), made("P91"))
        ran = run("run", NAME)
        assert ran.code == 1
        assert "failed  P90  What P90 says holds." in ran.out
        assert re.search(r"seen +It was seen.* not to hold\.", ran.out)
        assert re.search(r"do +Mend the test\.", ran.out)
        assert "is not conformant with contract 1.0: 1 of 2 checks that apply hold." in ran.out

    def test_one_reason_is_told_once(self, run: Any, checks: Any, made: Any) -> None:
        """Many checks that fail for one reason are one finding, in which each has its place."""
        checks(*(made(f"P{number}", fails, fix=f"Mend {number}.") for number in range(10, 90)))
        out = run("run", NAME).out
        assert out.count("not to hold") == 1
        assert set(re.findall(r"P\d\d", out)) == {f"P{number}" for number in range(10, 90)}

    def test_what_may_follow_comes_last(self, run: Any, checks: Any, made: Any) -> None:
        """What others rest on is told first and whole; what fails beside it, after it and in short."""

        def fails_too(_: Any) -> None:
            raise Failed("Another reason, " + "and so on " * 50)

        checks(made("P01", fails), made("P90", fails_too), made("P91", fails_too), made("P92"))
        out = run("run", NAME).out
        order = [
            out.index(words)
            for words in ("failed  P01", "failed  P01 fails, and", "P90, P91", "blocked  P92")
        ]
        assert order == sorted(order)
        assert "Another reason, and so on" in out
        assert "and so on " * 20 not in out

    def test_blocked(self, run: Any, checks: Any, made: Any) -> None:
        """What waits for another check says for which."""
        checks(made("P01", fails), *(made(f"P{number}") for number in range(90, 97)))
        out = run("run", NAME).out
        assert "blocked  P90" in out
        assert "P91, P92, P93, P94, P95, P96" in " ".join(out.split())
        assert out.count("P01 fails, so there was nothing to look at. Mend that first.") == 1

    def test_deviation(self, run: Any, checks: Any, made: Any, tmp_path: Path) -> None:
        """What is known to fail is shown with the author's reason."""
        checks(made("P90", fails), made("P91"))
        (tmp_path / "known.toml").write_text(
            '[[deviation]]\nid = "P90"\nreason = "It cannot."\nurl = "https://docs.example"\n'
        )
        ran = run("run", NAME, "--deviations", tmp_path / "known.toml")
        assert ran.code == 0
        assert re.search(r"known +It cannot\. https://docs\.example", ran.out)
        assert "is conformant with contract 1.0 but for 1 known deviation" in ran.out

    def test_stale_deviation(self, run: Any, checks: Any, made: Any, tmp_path: Path) -> None:
        """One that is none any more is named in the verdict."""
        checks(made("P90"), made("P91"))
        (tmp_path / "known.toml").write_text(
            '[[deviation]]\nid = "P90"\nreason = "It cannot."\nurl = "https://docs.example"\n'
        )
        ran = run("run", NAME, "--deviations", tmp_path / "known.toml")
        assert (ran.code, "remove it from the file: P90." in ran.out) == (1, True)

    def test_unscored(self, run: Any, checks: Any, made: Any) -> None:
        """What does not count says so beside its title."""
        checks(made("P90"), made("P91", fails, weight=Weight.SHOULD), made("P92", fails), preview=("P92",))
        ran = run("run", NAME)
        assert ran.code == 0
        assert "What P91 says holds.  (good manners, not scored)" in ran.out
        assert "What P92 says holds.  (preview, not scored)" in ran.out

    def test_steers_no_terminal(self, run: Any, checks: Any, made: Any) -> None:
        """What an adapter says is text."""
        checks(made("P90", fails))
        assert "\x1b" not in run("run", NAME).out

    def test_part(self, run: Any, checks: Any, made: Any) -> None:
        """A part says that it is one."""
        checks(made("P90.a"), made("P90.b"), made("P91"))
        ran = run("run", NAME, "--only", "p90")
        assert ran.code == 0
        assert "A part of the catalogue, which proves nothing of the whole: 2 of 2 checks" in ran.out

    def test_underscore(self, run: Any, checks: Any, made: Any) -> None:
        """`_` is read as `-`."""
        checks(made("P90"))
        assert run("run", NAME.replace("-", "_")).code == 0

    def test_repro(self, run: Any, checks: Any, made: Any) -> None:
        """--repro gives a line of shell and a line of Python that repeat one failure, and they do."""
        checks(made("P90", fails), made("P91"))
        out = run("run", NAME, "--repro", "--kit", "reference.json_api:KIT").out
        again = re.search(r"again +mailcore-conformance (.*)", out)
        python = re.search(r'python +python -c "from mailcore_conformance import repro; (.*)"', out)
        assert again
        assert python
        assert run(*shlex.split(again[1])).code == 1
        with pytest.raises(Failed, match="not to hold"):
            eval(python[1], {"repro": repro})  # noqa: S307  # reason: it is what the suite has printed

    def test_repro_of_what_holds(self, run: Any, checks: Any, made: Any) -> None:
        """Nothing is repeated where nothing fails."""
        checks(made("P90"))
        assert "again" not in run("run", NAME, "--repro").out

    def test_json_alone(self, run: Any, checks: Any, made: Any) -> None:
        """With --json -, standard output holds one document; what is asked for beside it goes elsewhere."""
        checks(made("P90", fails))
        ran = run("run", NAME, "--json", "-", "--repro")
        assert json.loads(ran.out)["verdict"] == "not_conformant"
        assert "again" in ran.err

    def test_files(self, run: Any, checks: Any, made: Any, tmp_path: Path) -> None:
        """A report in a file does not silence the terminal."""
        checks(made("P90"))
        ran = run("run", NAME, "--json", tmp_path / "a.json", "--markdown", tmp_path / "a.md")
        assert (ran.code, "is conformant" in ran.out) == (0, True)
        document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
        assert document["run"]["command"] == f"mailcore-conformance run {NAME}"

    def test_progress(self, run: Any, checks: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a terminal, a bar says how far it is."""
        checks(made("P90"), made("P91"))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        ran = run("run", NAME)
        assert (ran.code, "is conformant" in ran.out) == (0, True)

    def test_kit_in_a_file(self, run: Any, checks: Any, made: Any, tmp_path: Path) -> None:
        """A kit may be in any file; its name is KIT unless given."""
        checks(made("P90"))
        path = tmp_path / "my_kit.py"
        path.write_text("from reference.json_api import KIT\nother = KIT\n")
        assert run("run", NAME, "--kit", path).code == 0
        assert run("run", NAME, "--kit", f"{path}:other").code == 0

    def test_deviations_beside_the_kit(self, run: Any, checks: Any, made: Any, tmp_path: Path) -> None:
        """Without an option, the file beside the kit's folder is read."""
        checks(made("P90", fails), made("P91"))
        (tmp_path / "kit.py").write_text(
            "import attrs\nfrom reference.json_api import KIT as FULL\n"
            f"import shutil\nshutil.copytree(FULL.folder, {str(tmp_path / 'kit')!r}, dirs_exist_ok=True)\n"
            f"KIT = attrs.evolve(FULL, folder={str(tmp_path / 'kit')!r})\n"
        )
        (tmp_path / "deviations.toml").write_text(
            '[[deviation]]\nid = "P90"\nreason = "It cannot."\nurl = "https://docs.example"\n'
        )
        assert run("run", NAME).code == 1
        assert run("run", NAME, "--kit", tmp_path / "kit.py").code == 0


class TestRefused:
    """Exit code 2, and a sentence that says what to do."""

    @pytest.fixture(autouse=True)
    def _checks(self, checks: Any, made: Any) -> None:
        """Make a catalogue of one."""
        checks(made("P90"))

    @pytest.mark.parametrize(
        "arguments, said",
        [
            (["run", "referenc-json"], "Did you mean 'reference-json'?"),
            (["run"], "Missing argument 'NAME'. `mailcore-conformance run --help` shows how."),
            (["run", NAME, "--only", "P9"], "There is no check 'P9'. Did you mean 'P90'?"),
            (["run", NAME, "--kit", "no_such_module:KIT"], "There is no module 'no_such_module'"),
            (["run", NAME, "--kit", "no/such/file.py"], "There is no file no/such/file.py."),
            (["run", NAME, "--kit", "reference.json_api:NAME"], "has a str named NAME"),
            (["run", NAME, "--kit", "reference.json_api:NONE"], "has nothing named NONE"),
            (["run", NAME, "--deviations", "none.toml"], "none.toml cannot be read"),
            (["run", NAME, "--json", "no/such/folder/report.json"], "No such file or directory"),
            (["run", NAME, "--json", "-", "--markdown", "-"], "can hold one document"),
            (["run", NAME, "--plugin", "no/such/folder"], "pyproject.toml cannot be read"),
            (["explain"], "Name the checks to explain, or give --all."),
            (["explain", "P90", "--all"], "Name the checks to explain, or give --all."),
            (["explain", "X1"], "There is no check 'X1'."),
            (["list", "--section", "sings"], "'sings' is not one of"),
            (["matrix"], "Missing argument"),
            (["matrix", "none.json"], "none.json cannot be read"),
            (["runn"], "No such command 'runn'"),
        ],
    )
    def test_words(self, run: Any, arguments: list[str], said: str) -> None:
        """Nothing is printed but what is wrong."""
        ran = run(*arguments)
        assert (ran.code, "" if "--json" in arguments else ran.out) == (2, "")
        assert said in ran.err
        assert "Traceback" not in ran.err

    def test_no_kit(self, run: Any, installed: Any) -> None:
        """An adapter without a kit is told where to name one."""
        installed(conformance_kit="")
        ran = run("run", NAME)
        assert (ran.code, ran.out) == (2, "")
        assert 'Set conformance_kit="package.module:KIT"' in ran.err

    def test_poor_kit(self, run: Any, installed: Any, tmp_path: Path) -> None:
        """A kit without evidence is refused, with each thing that is missing."""
        installed()
        (tmp_path / "kit.py").write_text(
            "import attrs\nfrom reference.json_api import KIT as FULL\n"
            f"KIT = attrs.evolve(FULL, folder={str(tmp_path)!r}, sign=None)\n"
        )
        ran = run("run", NAME, "--kit", tmp_path / "kit.py")
        assert (ran.code, ran.out) == (2, "")
        assert "is an answer to a mail that was accepted." in ran.err
        assert "the kit has no sign=." in ran.err

    def test_broken_plugin(self, run: Any, distribution: Any) -> None:
        """Why a plugin did not load is said, as it may be the one that was meant."""
        distribution("acme-broken", "acme = acme_broken", {"acme_broken": "raise RuntimeError('it broke')\n"})
        ran = run("run", "acme")
        assert (ran.code, ran.out) == (2, "")
        assert "acme-broken:acme: It cannot be imported: RuntimeError: it broke." in ran.err

    @pytest.mark.parametrize(
        "requires, hint",
        [
            (
                "no-such-thing>=1.2; extra == 'signatures'",
                "pip install 'acme-kits[signatures]' (it adds no-such-thing>=1.2)",
            ),
            ("no-such-thing>=1.2", "pip install 'no-such-thing>=1.2'"),
            ("", "Install the package it is in"),
        ],
    )
    def test_missing_dependency(self, run: Any, distribution: Any, requires: str, hint: str) -> None:
        """What a kit needs and is not installed is named with the command that installs it."""
        module = f"acme_kit_{abs(hash(requires))}"
        modules = {f"{module}_plugin": PLUGIN.format(module), module: "import no_such_thing.part\n"}
        distribution("acme-kits", f"acme = {module}_plugin", modules, requires)
        ran = run("run", "acme-kits")
        assert (ran.code, ran.out) == (2, "")
        assert f"The kit {module} needs the module 'no_such_thing'" in ran.err
        assert hint in ran.err

    @pytest.mark.parametrize("source", ["raise RuntimeError('no')", "def (", "import sys; sys.exit(3)"])
    def test_broken_kit(self, run: Any, tmp_path: Path, source: str) -> None:
        """A kit that cannot be imported says why and where."""
        (tmp_path / "kit.py").write_text(f"\n{source}\n")
        ran = run("run", NAME, "--kit", tmp_path / "kit.py")
        assert (ran.code, ran.out) == (2, "")
        assert "cannot be imported" in ran.err
        assert "Traceback" not in ran.err

    def test_as_json(self, run: Any) -> None:
        """A program that reads standard output is told there."""
        for word in ("--json=-", "--json"):
            ran = run("run", "nobody", word, *(["-"] if word == "--json" else []))
            document = json.loads(ran.out)
            assert {name: document[name] for name in ("error", "exit_code")} == {
                "error": "refused",
                "exit_code": 2,
            }
            assert "'nobody'" in document["message"]

    def test_old_report(self, run: Any, tmp_path: Path, installed: Any) -> None:
        """A refused run leaves no report of an earlier one, which would pass for its own."""
        path = tmp_path / "report.json"
        path.write_text("{}", encoding="utf-8")
        (tmp_path / "kit.py").write_text(
            "import attrs\nfrom reference.json_api import KIT\n"
            f"KIT = attrs.evolve(KIT, folder={str(tmp_path)!r})\n"
        )
        installed()
        assert run("run", NAME, "--json", path, "--kit", tmp_path / "kit.py").code == 2
        assert path.read_text(encoding="utf-8") == ""

    def test_bug(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bug of the suite says that it is one, and is no failure of the adapter's."""

        def broken(_: object) -> str:
            raise KeyError("canary")

        monkeypatch.setattr(sys.modules["mailcore_conformance.cli._run"], "show", broken)
        ran = run("run", NAME)
        assert (ran.code, BUG in ran.err) == (1, True)
        assert "canary" not in ran.err


class TestCatalogue:
    """`list` and `explain`."""

    def test_list(self, run: Any) -> None:
        """Every check has a line with its title."""
        ran = run("list")
        assert (ran.code, ran.err) == (0, "")
        lines = ran.out.splitlines()[1:]
        assert list(catalogue()) == [line.split()[0] for line in lines]

    def test_list_of_a_section(self, run: Any) -> None:
        """One section may be asked for."""
        expected = [one.id for one in catalogue().values() if one.section is Section.PLUGIN]
        lines = run("list", "--section", "plugin").out.splitlines()[1:]
        assert expected == [line.split()[0] for line in lines]

    def test_list_as_json(self, run: Any) -> None:
        """A program gets all there is to know of each."""
        document = json.loads(run("list", "--json").out)
        assert list(catalogue()) == [check["id"] for check in document["checks"]]
        counted = {check["id"] for check in document["checks"] if check["counts"] == "scored"}
        must = {one.id for one in catalogue().values() if one.weight is Weight.MUST}
        assert contract().scored & must == counted

    def test_explain_everything(self, run: Any) -> None:
        """Every check is explained: why, what to do, whether it counts, how to run it alone."""
        ran = run("explain", "--all")
        assert (ran.code, ran.err) == (0, "")
        for check in catalogue().values():
            assert f"{check.id}  {check.title}" in ran.out
            assert f"mailcore-conformance run NAME --only {check.id} --repro" in ran.out
        assert len(catalogue()) == len(re.findall(r"^    why +\S", ran.out, re.MULTILINE))
        assert len(catalogue()) == len(re.findall(r"^    do +\S", ran.out, re.MULTILINE))

    def test_explain_says_what_counts(self, run: Any, checks: Any, made: Any) -> None:
        """Manners and previews say that they do not count, an anchor that others rest on it."""
        checks(made("P01"), made("P90", weight=Weight.SHOULD), made("Z99"))
        out = run("explain", "P90").out
        assert "no: good manners" in out
        assert "P01: where that fails, a pass here proves nothing" in out
        assert "not yet: a preview" in run("explain", "Z99").out
        assert "nothing; the other checks of its section rest on this one" in run("explain", "P01").out

    @pytest.mark.parametrize("check", catalogue().values(), ids=lambda check: check.id)
    def test_words_read_well(self, check: Any) -> None:
        """Title, why and fix are sentences, short enough to be read, and code is in backquotes."""
        for words in (check.title, check.why, check.fix):
            assert words == " ".join(words.split())
            assert words[0].isupper() or words[0] in "`'\"" or words[0].isdigit()
            assert words.endswith((".", "?", ".)", ".`"))
            assert words.count("`") % 2 == 0
        assert len(check.title) <= 110
        assert max(len(check.why), len(check.fix)) <= 300


class TestHelp:
    """The help teaches."""

    def commands(self) -> Iterator[tuple[str, click.Command]]:
        """Yield every command with its path."""
        yield "", app
        yield from app.commands.items()

    def test_examples_are_commands(self) -> None:
        """Every line of every example is a command that exists, with options that it has."""
        seen = 0
        for _, command in self.commands():
            for line in re.findall(r"^  mailcore-conformance (.*)", command.epilog or "", re.MULTILINE):
                words = shlex.split(re.split(r" {3,}|  \w", line)[0])
                known = {name for option in app.commands[words[0]].params for name in option.opts}
                assert {word for word in words if word.startswith("--")} <= known
                seen += 1
        assert seen >= 15

    def test_every_command_has_examples(self, run: Any) -> None:
        """--help ends with examples; that of the whole says what the exit codes mean."""
        for name, command in self.commands():
            assert "mailcore-conformance" in (command.epilog or "")
            ran = run(*filter(None, [name]), "--help")
            assert (ran.code, ran.err) == (0, "")
        assert "Exit codes:" in run("--help").out
        assert run().out == run("--help").out

    def test_missing_module(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where what the command needs is not installed, it says so without a traceback."""
        monkeypatch.setitem(sys.modules, "mailcore_conformance.cli._app", None)
        ran = run("--help")
        assert (ran.code, ran.out) == (2, "")
        assert "The command line needs the extra 'cli'" in ran.err
        assert f"Run: {pip_install('mailcore-esp', 'cli')}\n" in ran.err

    def test_version(self, run: Any) -> None:
        """--version says which."""
        assert run("--version").out.startswith("mailcore-conformance")


class TestKit:
    """The pieces that the command finds."""

    def test_kit_is_public(self) -> None:
        """An author's file needs no private name."""
        assert Kit.__module__.startswith("mailcore_conformance")

    def test_module(self) -> None:
        """`python -m mailcore_conformance.cli` is the command."""
        done = subprocess.run(
            [sys.executable, "-m", "mailcore_conformance.cli", "run", "nobody-offers-this"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "nobody-offers-this" in done.stderr
