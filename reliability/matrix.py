"""Every fault, met in every way: the documented ending, or a defect.

Rule 1: what is documented stands in the modes, and is never read from the code that is tried.
Rule 2: a claim about a mail must be true: what "was not accepted" is not with the provider, and nothing is
        there twice.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import track
from rich.table import Table

from reliability import figures
from reliability.ending import ACCEPTED, Ending
from reliability.mode import Mode
from reliability.modes import MODES
from reliability.provider import KEYED, KEYLESS
from reliability.queued import Queued
from reliability.trial import FIRST, Observed, Trial, Trust

__all__ = ["RUNS", "Case", "Limits", "cases", "defects", "main"]

THREADS = 8
#: Times a job is given out again before it is called stuck.
ROUNDS = 4
#: Characters of a mail that is made in no time.
SMALL = 10
#: How a fault is met: once, by several threads or tasks at once, and with repeats; with keys, and without.
RUNS = (
    "sync",
    "threads",
    "asyncio",
    "repeats",
    "asyncio repeats",
    "sync, no keys",
    "repeats, no keys",
    "asyncio repeats, no keys",
    "queue",
    "queue, no keys",
)


@attrs.frozen(kw_only=True)
class Limits:
    """
    The clock of a run.

    Attributes:
        deadline: Seconds one send may take.
        margin: Seconds by which it may be late.
        wait: Seconds one step may take where a repeat is to come in time.
    """

    deadline: float = 1.0
    margin: float = 0.25
    wait: float = 0.3


@attrs.frozen
class Case:
    """One fault, met in one way."""

    mode: Mode
    scheme: str
    run: str

    @property
    def looped(self) -> bool:
        """Whether an event loop sends."""
        return self.run.startswith("asyncio")

    @property
    def at_once(self) -> int:
        """How many mails are sent at once; a loop that makes many large ones does nothing else meanwhile."""
        if self.run == "asyncio" and self.mode.size > SMALL:
            return 2
        return THREADS if self.run in ("threads", "asyncio") else 1


def cases(modes: Iterable[Mode] = MODES, runs: Sequence[str] = RUNS) -> Iterator[Case]:
    """Yield every case."""
    for mode in modes:
        for scheme in mode.schemes:
            for run in runs:
                yield Case(mode, scheme, run)


def defects(case: Case, trust: Trust, limits: Limits) -> list[str]:
    """Try it, and return what is not as documented."""
    provider = KEYLESS if case.run.endswith("no keys") else KEYED
    if "queue" in case.run:
        return list(_queued(case, trust, limits, provider))
    if "repeats" in case.run:
        return list(_repeated(case, trust, limits, provider))
    threads = case.at_once
    settings = {"max_attempts": 1, "deadline": limits.deadline}
    with Trial(case.mode, case.scheme, trust, provider=provider, looped=case.looped, **settings) as trial:
        seen = trial.send(threads=threads)
        wanted = _documented(case, provider)
        return [*_wrong(trial, seen, wanted, limits.deadline + limits.margin), *_hidden(trial, seen)]


def _documented(case: Case, provider: str) -> list[Ending]:
    endings = case.mode.endings(case.scheme, looped=case.looped)
    return [ending if provider == KEYED else ending.without_keys() for ending in endings]


def _wrong(trial: Trial, seen: Iterable[Observed], wanted: Sequence[Ending], limit: float) -> Iterator[str]:
    """Yield what is wrong with what was reported."""
    for one in seen:
        endings = [ACCEPTED] if trial.is_first(one) else wanted
        if not any(ending.fits(one.ending) for ending in endings):
            yield f"{one.name} ended {one.ending}, not {' or '.join(map(str, endings))}: {one.text}"
        if one.seconds > limit:
            yield f"{one.name} took {one.seconds:.2f} s, more than {limit:.2f} s"
        yield from _untrue(trial, one)
    if trial.other is not None and trial.other.connections:
        yield "the other host was spoken to"


def _untrue(trial: Trial, one: Observed) -> Iterator[str]:
    """Yield what is wrong with what was reported, seeing what the provider has."""
    taken = trial.provider.taken()[one.name]
    if taken > 1:
        yield f"{one.name} is with the provider {taken} times"
    if taken and one.ending.outcome in ("not_accepted", "rejected"):
        yield f"{one.name} is with the provider, and was reported {one.ending.outcome}"
    if taken and one.message_id not in (None, trial.provider.ids()[one.name]):
        yield f"{one.name} was reported under the id of another mail, {one.message_id}"


def _hidden(trial: Trial, seen: Sequence[Observed]) -> Iterator[str]:
    """Yield whether something below the library tried again."""
    if len(trial.sent()) > len(seen):
        yield f"{len(trial.sent())} requests were made for {len(seen)} sends"


# With repeats ------------------------------------------------------------------------------------


def _repeated(case: Case, trust: Trust, limits: Limits, provider: str) -> Iterator[str]:
    """Meet the fault once, and then a server that works."""
    settings = {"connect_timeout": limits.wait, "read_timeout": limits.wait, "deadline": 5.0}
    if case.mode.timed and not case.mode.is_repeated:
        settings["deadline"] = limits.deadline
    with Trial(
        case.mode, case.scheme, trust, provider=provider, harms=1, looped=case.looped, **settings
    ) as trial:
        seen = trial.send()
        single = _documented(case, provider)
        finals = [ACCEPTED if case.mode.repeated is not False and one.retriable else one for one in single]
        yield from _wrong(trial, seen, finals, settings["deadline"] + limits.margin)
        yield from _keys(trial, seen, keyed=provider == KEYED)
        yield from _resolved(trial, seen[-1])


def _keys(trial: Trial, seen: Sequence[Observed], *, keyed: bool) -> Iterator[str]:
    """Yield what is wrong with the keys of the requests."""
    keys = trial.keys()[len(seen) - 1 :]  # those before are the keys of other mails
    if len(set(keys)) > 1:
        yield "a repeat had another key"
    if any(bool(key) is not keyed for key in keys):
        yield "a request had no key" if keyed else "a request had a key, which this provider ignores"


def _resolved(trial: Trial, failed: Observed) -> Iterator[str]:
    """Do what a caller does with a retriable error: repeat it later, with its key."""
    before = len(trial.sent())
    if failed.ending.retriable:
        again = trial.one(failed.name, failed.key)
        if again.ending != ACCEPTED:
            yield f"the caller repeated {failed.name} with its key, which ended {again.ending}"
        yield from _untrue(trial, again)
    elif failed.ending.outcome != "accepted" and before > trial.mode.sends:
        yield "what must not be repeated was"


# In a queue --------------------------------------------------------------------------------------


def _queued(case: Case, trust: Trust, limits: Limits, provider: str) -> Iterator[str]:
    """Meet the fault once, do what the queue says, and look where the mail is."""
    mode, settings = case.mode, {"max_attempts": 1, "deadline": limits.deadline}
    with Trial(mode, case.scheme, trust, provider=provider, harms=1, **settings) as trial:
        queue = Queued(trial, provider)
        for _ in range(mode.sends - 1):
            queue.send(f"{FIRST}-0")
        found, wanted = queue.send("mail"), {ending.in_queue() for ending in _documented(case, provider)}
        if found not in wanted:
            yield f"the queue's end was {found}, not {' or '.join(sorted(wanted))}"
        kept = len(queue.review.kept)
        if kept != (found == "review"):
            yield f"it is in the review list {kept} times"
        trial.server.open()
        after = [queue.again() for _ in range(ROUNDS) if queue.waiting] if found == "again" else ["done"]
        if after[-1] != "done":
            yield f"what was put back ended {', '.join(after)}"
        if (taken := trial.provider.taken()["mail"]) > 1:
            yield f"it is with the provider {taken} times"


# The command -------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Try all, print the table, and return 1 where something is not as documented."""
    parser = argparse.ArgumentParser(prog="reliability faults", description=__doc__)
    parser.add_argument("modes", nargs="*", metavar="MODE", help="only these faults")
    parser.add_argument("--deadline", type=float, default=Limits().deadline, help="seconds of one send")
    options = parser.parse_args(arguments)
    known = {mode.name: mode for mode in MODES}
    if unknown := set(options.modes) - set(known):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    chosen = [known[name] for name in options.modes] or MODES
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        trust, limits = Trust(Path(folder)), Limits(deadline=options.deadline)
        todo = list(cases(chosen))
        shown = track(todo, "Faults", console=console, transient=True, disable=not console.is_terminal)
        found = {case: defects(case, trust, limits) for case in shown}
    return _report(console, found)


def _report(console: Console, found: Mapping[Case, Sequence[str]]) -> int:
    console.print(_table(found))
    wrong = [
        f"{case.mode.name}, {case.scheme}, {case.run}: {text}"
        for case, texts in found.items()
        for text in texts
    ]
    for line in wrong:
        console.print(line, style="red", highlight=False, markup=False)
    modes = {case.mode.name for case in found}
    figures.show("Fault matrix", {"faults": len(modes), "cases": len(found), "not as documented": len(wrong)})
    return 1 if wrong else 0


def _table(found: Mapping[Case, Sequence[str]]) -> Table:
    columns = [(scheme, run) for scheme in ("http", "https") for run in RUNS]
    table = Table("fault", "ends as documented", *(f"{scheme} {run}" for scheme, run in columns))
    for mode in dict.fromkeys(case.mode for case in found):
        cells = [found.get(Case(mode, scheme, run)) for scheme, run in columns]
        table.add_row(mode.name, str(mode.ending), *map(_cell, cells))
    return table


def _cell(wrong: Sequence[str] | None) -> str:
    if wrong is None:
        return ""
    return "[red]no[/red]" if wrong else "yes"
