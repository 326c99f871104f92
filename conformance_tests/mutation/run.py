"""
Change an adapter in every small way there is, and see which changes the conformance suite notices.

    python conformance_tests/mutation/run.py                          the MailPace adapter
    python conformance_tests/mutation/run.py --adapter NAME           another one of adapters/
    python conformance_tests/mutation/run.py --only '*._options.*'    a part of it
    tox run -e mutation                                               in an environment made for it

Rule 1: the suite is alone: none of the adapter's own tests runs, so what survives is what a stranger's
        adapter could get wrong unnoticed.
Rule 2: a mutant that survives is explained in survivors.md, or this ends with 1.

It needs mutmut and a machine with fork(); the emulator and the kit are evidence, and so are not changed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXPLAINED = HERE / "survivors.md"
#: The share that must be noticed; below it, a whole run ends with 1.
AT_LEAST = 90.0

#: The exit codes that mutmut notes of a mutant: the test passed, nothing ran it. None: not tried.
SURVIVED, NOT_RUN = (0,), (5, 33)

SETTINGS = """\
[mutmut]
source_paths={package}
do_not_mutate=
    {package}/emulator/*
    {package}/conformance.py
pytest_add_cli_args=
    -p
    no:cacheprovider
    -q
    -x
    -o
    pythonpath=.
use_git_change_detection=false
track_dependencies=false
"""


def main(arguments: Sequence[str]) -> int:
    """Mutate, count, and print; return the exit code."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        package = _copied(options.adapter, folder)
        began = time.monotonic()
        _mutmut(folder, options.adapter, "run", "--max-children", str(options.children), *options.only)
        seconds = time.monotonic() - began
        codes = _codes(folder / "mutants" / package)
        alive = [one for one, code in codes.items() if code in (*SURVIVED, *NOT_RUN)]
        changes = {one: _change(_mutmut(folder, options.adapter, "show", one)) for one in alive}
    return _report(arguments, codes, changes, seconds, at_least=0 if options.only else AT_LEAST)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--adapter", default="mailpace", help="a folder of adapters/ (%(default)s)")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="PATTERN", help="mutants with such names only"
    )
    parser.add_argument("--children", type=int, default=os.cpu_count(), help="processes (%(default)s)")
    return parser.parse_args(arguments)


def _copied(adapter: str, folder: Path) -> str:
    """Copy an adapter's package and the one test into an empty folder, and return the package's name."""
    package = f"mailcore_{adapter}"
    source = ROOT / "adapters" / adapter / package
    shutil.copytree(source, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests").mkdir()
    shutil.copy(HERE / "suite_alone.py", folder / "tests" / "test_suite_alone.py")
    (folder / "setup.cfg").write_text(SETTINGS.format(package=package), encoding="utf-8")
    return package


def _mutmut(folder: Path, adapter: str, *words: str) -> str:
    """Run mutmut in that folder, and return what it says."""
    environment = {**os.environ, "MAILCORE_MUTATED": adapter, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"mutmut {words[0]} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def _codes(mutants: Path) -> dict[str, int | None]:
    """Return the exit code of each mutant that was tried, by its name."""
    found: dict[str, int | None] = {}
    for path in sorted(mutants.rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: code for name, code in found.items() if code is not None}


def _change(diff: str) -> tuple[str, str]:
    """Return the first line that a mutant takes away, and the one it puts there."""
    gone, put = (_first(diff, sign) for sign in "-+")
    return gone, put or "(nothing)"


def _first(diff: str, sign: str) -> str:
    lines = re.findall(rf"^[{sign}](?![{sign}]{{2}} )(.*)$", diff, re.MULTILINE)
    return next((line.strip() for line in lines if line.strip()), "")


# What is printed ------------------------------------------------------------------------------------


def _report(
    arguments: Sequence[str],
    codes: Mapping[str, int | None],
    changes: Mapping[str, tuple[str, str]],
    seconds: float,
    *,
    at_least: float,
) -> int:
    killed = len(codes) - len(changes)
    score = 100 * killed / max(len(codes), 1)
    print("\n".join(_machine(arguments, seconds)))
    print(f"\n{killed} of {len(codes)} mutants noticed by the suite alone: {score:.1f} %.")
    known = _explained()
    unexplained = 0
    for function, mutants in _by_function(changes).items():
        print(f"\n{function}")
        for gone, put in mutants:
            why = known.get((function, put))
            unexplained += why is None
            print(f"  - {gone}\n  + {put}\n    {why or 'NOT EXPLAINED in survivors.md'}")
    print(f"\n{len(changes)} survive, {unexplained} of them not explained in {EXPLAINED.name}.")
    return 0 if score >= at_least and not unexplained else 1


def _machine(arguments: Sequence[str], seconds: float) -> Iterator[str]:
    def git(*words: str) -> str:
        words = ("git", "-C", str(ROOT), *words)
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()

    changed = " with changes" if git("status", "--porcelain") else ""
    yield f"command:  python conformance_tests/mutation/run.py {' '.join(arguments)}".rstrip()
    yield f"date:     {datetime.now(UTC).isoformat(timespec='minutes')}, {seconds:.0f} s"
    yield f"commit:   {git('rev-parse', '--short', 'HEAD') or 'none'}{changed}"
    yield f"machine:  {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield f"versions: Python {platform.python_version()}, mutmut {version('mutmut')}"


def _by_function(changes: Mapping[str, tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Return the changes by what they are in: `_options._decode`, `_signature.KeyRing.verify`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, change in changes.items():
        plain = re.sub(r"__mutmut_\d+$", "", name.partition(".")[2])
        module, _, function = plain.rpartition(".")
        function = re.sub(r"^x(?:_(?=.)|ǁ)", "", function).replace("ǁ", ".")
        found.setdefault(f"{module}.{function}", []).append(change)
    return found


def _explained() -> dict[tuple[str, str], str]:
    """Return what survivors.md says, by function and changed line."""
    found, function = {}, ""
    for line in EXPLAINED.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            function = line.removeprefix("## ").strip().strip("`")
        item = re.fullmatch(r"- `(.+?)`: (.+)", line)
        if item:
            found[function, item[1]] = item[2]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
