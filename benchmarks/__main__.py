"""
Measure what mailcore costs, beside what a user would pick instead.

Contenders do the same work in the same run, in turn; the first of each contest is the floor, the same work
by hand. A figure is the median of the rounds, with the quartiles on both sides of it. Only ratios count:
times are those of this machine, now. The client has one core, and the provider, another process, another: let
nothing else run meanwhile.

It takes some four minutes, prints every table, and exits 1 where a goal is missed. `benchmarks/goals.py`
has the goals.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # started by the folder's name
    # Last on the path: mailcore is the installed one, where one is installed.
    sys.path[0:1] = []
    sys.path.append(str(Path(__file__).resolve().parent.parent))

import cattrs
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.goals import verdicts
from benchmarks.meters import Cpu
from benchmarks.plots import plots
from benchmarks.profiles import profile
from benchmarks.record import KEPT, ROOT, Record, how
from benchmarks.screen import show

EXAMPLES = """\
examples:
  python benchmarks                                  everything
  python benchmarks --list                           what there is
  python benchmarks --only making --only sending     some of it: names, or how they begin
  python benchmarks --rounds 5                       quicker, and less sure
  python benchmarks --json run.json                  keep what was found
  python benchmarks --from run.json                  show that again, by today's goals, and measure nothing
  python benchmarks --profile sending                where mailcore's time goes
  python benchmarks --write-docs                     measure, and write docs/reference/benchmarks.md
  python benchmarks --write-docs --from docs/reference/benchmarks/result.json
                                                     write them again, after a change of how they look

It needs the peers, which the group `bench` has: `python3 run.py test -e bench -- --only sending`.
"""
#: The modules that have contests, in the order of the page.
CONTESTS = ("making", "sending", "waiting", "receiving", "starting", "listening")


def main(arguments: Sequence[str]) -> int:
    """Measure, or read what was measured, and return the exit code."""
    given = _parser().parse_args(arguments)
    if given.list:
        for name in (*_contests(), *_curves()):
            print(name)
        return 0
    if given.profile:
        return _profiled(given.profile)
    record = _read(given.source) if given.source else _measured(given)
    if given.json:
        Path(given.json).write_text(record.to_json(), encoding="utf-8")
    show(record, Console())
    if given.write_docs:
        write_docs(record)
    return 0 if all(verdict.reached for verdict in verdicts(record.contests)) else 1


def _read(path: Path) -> Record:
    try:
        return Record.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SystemExit(f"benchmarks: {path} cannot be read: {error.strerror}") from None
    except (ValueError, cattrs.BaseValidationError):
        raise SystemExit(f"benchmarks: {path} is not what --json writes") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks",
        description=(__doc__ or "").strip(),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--list", action="store_true", help="name the contests and curves, and end")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="measure these; repeat it"
    )
    parser.add_argument(
        "--rounds", type=_rounds, default=15, help="turns of each contender (15; curves: a fifth)"
    )
    parser.add_argument("--json", metavar="FILE", help="write what was found into a file")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="what --json wrote, instead of measuring"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="say where mailcore's time goes in a contest, and end"
    )
    parser.add_argument("--write-docs", action="store_true", help="write the page of the documentation")
    return parser


def _rounds(text: str) -> int:
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError("a spread needs 2 rounds at least")
    return number


def _contests() -> Mapping[str, Any]:
    return {
        name: contest
        for module in CONTESTS
        for name, contest in import_module(f"benchmarks.{module}").CONTESTS.items()
    }


def _curves() -> Mapping[str, Any]:
    return dict(import_module("benchmarks.growth").CURVES)


def _measured(given: argparse.Namespace) -> Record:
    contests, curves = _chosen(_contests(), given.only), _chosen(_curves(), given.only)
    if not contests and not curves:
        raise SystemExit(f"benchmarks: nothing is called {' or '.join(given.only)}; --list has the names")
    if given.write_docs and given.only:
        raise SystemExit("benchmarks: --write-docs writes the whole page, so it goes without --only")
    from benchmarks.provider import stay_on_one_core

    stay_on_one_core()
    began = time.monotonic()
    columns = (TextColumn("{task.description:26}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=len(contests) + len(curves))

        def all_of(chosen: Mapping[str, Any], rounds: int) -> dict[str, Any]:
            found = {}
            for name, opened in chosen.items():
                progress.update(bar, description=name)
                with opened() as made:
                    found[name] = made.run(rounds, lambda share: progress.advance(bar, share))
            return found

        return Record(
            contests=all_of(contests, given.rounds),
            curves=all_of(curves, max(given.rounds // 5, 2)),
            **how(given.only, given.rounds, began),
        )


def _profiled(name: str) -> int:
    if name not in _contests():
        raise SystemExit(f"benchmarks: no contest is called {name}; --list has the names")
    with _contests()[name]() as contest:
        for contender, meter in contest.contenders.items():
            if "mailcore" in contender and isinstance(meter, Cpu):
                print(f"{name}: {contender}, {profile(meter)}")
    return 0


def _chosen(named: Mapping[str, Any], only: Sequence[str]) -> dict[str, Any]:
    return {
        name: it
        for name, it in named.items()
        if not only or any(name == word or name.startswith(f"{word}-") for word in only)
    }


def write_docs(record: Record) -> None:
    """Write the record, its plots, and the page."""
    KEPT.parent.mkdir(exist_ok=True)
    for old in KEPT.parent.glob("*.svg"):
        old.unlink()
    KEPT.write_text(record.to_json(), encoding="utf-8")
    for name, text in plots(record).items():
        (KEPT.parent / name).write_text(text, encoding="utf-8")
    page = KEPT.parent.with_suffix(".md")
    subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), str(page)], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
