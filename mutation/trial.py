"""Mutates packages in a folder of their own, and lets tests judge each mutant.

Rule: the folder has the packages, and the tests that judge, and nothing else of the repository.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from mutation.mutant import Mutant

__all__ = ["ROOT", "Findings", "Trial"]

ROOT = Path(__file__).resolve().parent.parent

#: The exit codes that mutmut notes of a mutant that was noticed: a test failed, or did not end. Whatever else
#: becomes of a mutant counts as survival: all tests passed, there were none, or they could not be run.
NOTICED = (1, -24, 24, 36, 152)

SETTINGS = """\
[mutmut]
use_git_change_detection=false
track_dependencies=false
# Each mutant in a process that has run no test yet: hypothesis refuses to run one in two.
process_isolation=forkserver
# Never: mutmut sends its signal to the number of a process that may long be another one's, and
# trial_conftest.py ends what does not end.
timeout_constant=1000000
pytest_add_cli_args=
    -p
    no:cacheprovider
    -q
    -x
    -o
    pythonpath=.
"""


#: What `mutmut show` does, for many mutants at once.
DIFFS = """\
import json, sys
from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant
diffs = {name: get_diff_for_mutant(name, path=find_mutant(name).path) for name in sys.argv[1:]}
print(json.dumps(diffs))
"""


@attrs.frozen(kw_only=True)
class Findings:
    """
    What became of each mutant.

    Attributes:
        noticed: How many were noticed, by the module they are in.
        survivors: Those that were not.
    """

    name: str
    noticed: Mapping[str, int]
    survivors: Sequence[Mutant]
    seconds: float


@attrs.frozen(kw_only=True)
class Trial:
    """
    What is changed, and what judges it.

    Attributes:
        packages: The folder of each package, by the name it is imported by.
        changed: The files that are changed, from the packages' names on; empty: all.
        spared: Patterns of files that are not.
        copied: What else is needed, by its path in the folder of the trial.
        tests: What pytest is told of the tests; empty: all that was copied.
    """

    name: str
    packages: Mapping[str, Path]
    changed: Sequence[str] = ()
    spared: Sequence[str] = ()
    copied: Mapping[str, Path]
    tests: Sequence[str] = ()
    environment: Mapping[str, str] = {}

    def run(self, *, children: int, only: Sequence[str] = ()) -> Findings:
        """Make and try all mutants, or those with names like `only`."""
        with tempfile.TemporaryDirectory(prefix="mutation-") as name:
            folder = Path(name)
            self._lay_out(folder)
            began = time.monotonic()
            self._python(folder, "-m", "mutmut", "run", "--max-children", str(children), *only)
            seconds = time.monotonic() - began
            codes = dict(_codes(folder / "mutants"))
            alive = [mutant for mutant, code in codes.items() if code not in NOTICED]
            diffs = json.loads(self._python(folder, "-c", DIFFS, *alive))
        survivors = [Mutant.of(name, diff) for name, diff in diffs.items()]
        modules = [mutant.rpartition(".")[0] for mutant in codes]
        lost = [mutant.rpartition(".")[0] for mutant in alive]
        noticed = {module: modules.count(module) - lost.count(module) for module in dict.fromkeys(modules)}
        return Findings(name=self.name, noticed=noticed, survivors=survivors, seconds=seconds)

    def _lay_out(self, folder: Path) -> None:
        conftest = {"conftest.py": ROOT / "mutation" / "trial_conftest.py"}
        for place, source in {**self.packages, **self.copied, **conftest}.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, folder / place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / place)
        lists = {
            "source_paths": list(self.packages),
            "only_mutate": list(self.changed),
            "do_not_mutate": list(self.spared),
            "also_copy": ["conftest.py", *sorted({path.partition("/")[0] for path in self.copied})],
            "pytest_add_cli_args_test_selection": list(self.tests),
        }
        lines = [f"{name}=\n    " + "\n    ".join(items) for name, items in lists.items() if items]
        (folder / "setup.cfg").write_text(SETTINGS + "\n".join([*lines, ""]), encoding="utf-8")

    def _python(self, folder: Path, *words: str) -> str:
        """Run Python in that folder, and return what it says."""
        # CI: hypothesis then tries the same examples each time, so that the figures come out again.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "CI": "true", **self.environment}
        done = subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode != 0:
            said = re.sub(r"^[\u2800-\u28ff].*\n", "", done.stdout, flags=re.MULTILINE)  # its spinner
            raise SystemExit(f"mutmut failed:\n{said[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout


def _codes(mutants: Path) -> Iterator[tuple[str, int]]:
    """Return the exit code of each mutant that was tried, by its name."""
    for path in sorted(mutants.rglob("*.meta")):
        found = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        yield from ((name, code) for name, code in found.items() if code is not None)
