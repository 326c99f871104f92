"""What is promised: figures of one run (TIMED), and counts that hold on any machine (COUNTED).

Rule 1: a goal is not moved because it is missed. The page shows it as missed until it is reached.
Rule 2: what can be counted is no goal of a clock: it is a test, which fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from benchmarks.contest import Found, Spread
from benchmarks.names import (
    ANYMAIL,
    ATTRS,
    BARE,
    DUMPS,
    IDEAL,
    LISTENING,
    MAILCORE,
    MAILCORE_ALONE,
    MAILCORE_MESSAGE,
    MAPPED,
    NACL,
    PLUGINS,
    RECEIVE,
    SESSION,
    UNDERSTAND,
    URLLIB3,
)

__all__ = ["COUNTED", "TIMED", "Counted", "Timed", "Verdict", "verdicts"]


@attrs.frozen(kw_only=True)
class Timed:
    """
    What a contender may cost at most, beside another of the same contest.

    Attributes:
        number: Goals of one number belong together.
        contest: Its name.
        limit: Times the cost of the other; with `pieces`, microseconds.
        pieces: What is compared is what each of so many adds to the other's cost.
        share: The limit is the least share of what is ideal, which is the contender `of`.
        label: What a plot calls the work, where the contest's name does not tell one goal from another.
    """

    number: int
    contest: str
    of: str
    against: str
    limit: float
    pieces: int = 0
    share: bool = False
    label: str = ""

    def __str__(self) -> str:
        if self.pieces:
            return f"each plugin adds at most {self.limit:g} µs"
        if self.share:
            return f"at least {self.limit:g} of the rate that {self.of} allows"
        return f"at most {self.limit:g} x {self.against}"

    def figure(self, found: Found) -> Spread:
        """Return what is held against the limit."""
        if self.pieces:
            added = found.added(self.of, self.against, self.pieces)
            return Spread(added.median * 1e6, added.low * 1e6, added.high * 1e6)
        return found.ratio(self.of, self.against)

    def reached(self, figure: Spread) -> bool:
        """Return whether the median keeps to the limit."""
        return figure.median >= self.limit if self.share else figure.median <= self.limit


@attrs.frozen(kw_only=True)
class Counted:
    """
    What a test counts.

    Attributes:
        tests: Where it is shown, as pytest names them, from the root of the repository.
    """

    number: int | None
    promise: str
    tests: tuple[str, ...]


@attrs.frozen
class Verdict:
    """What a run says of a goal."""

    goal: Timed
    title: str
    figure: Spread
    reached: bool


TIMED: tuple[Timed, ...] = (
    Timed(number=1, contest="making-typical", of=MAPPED, against=DUMPS, limit=2.2),
    Timed(number=1, contest="making-typical", of=MAPPED, against=ANYMAIL, limit=0.2),
    Timed(number=2, contest="making-minimal", of=MAPPED, against=DUMPS, limit=5),
    Timed(number=2, contest="making-minimal", of=MAPPED, against=ANYMAIL, limit=0.1),
    Timed(number=4, contest="sending", of=MAILCORE, against=URLLIB3, limit=1.7),
    Timed(number=4, contest="sending", of=MAILCORE, against=SESSION, limit=0.9),
    Timed(number=4, contest="sending", of=MAILCORE, against=ANYMAIL, limit=0.5),
    Timed(number=7, contest="attaching", of=MAILCORE, against=SESSION, limit=0.35),
    Timed(number=7, contest="attaching-keyless", of=MAILCORE, against=SESSION, limit=0.35),
    Timed(number=8, contest="waiting", of=IDEAL, against=MAILCORE, limit=0.85, share=True),
    Timed(number=9, contest="event-2kb", of=UNDERSTAND, against=NACL, limit=1.3),
    Timed(number=9, contest="event-50kb", of=UNDERSTAND, against=NACL, limit=1.15),
    Timed(number=11, contest="inbound", of=RECEIVE, against=NACL, limit=1.15),
    Timed(number=12, contest="starting", of=MAILCORE_ALONE, against=ATTRS, limit=1.7, label="import"),
    # Names are loaded on first use, so that an import alone does little: the first message counts as well.
    Timed(
        number=12,
        contest="starting",
        of=MAILCORE_MESSAGE,
        against=ATTRS,
        limit=1.7,
        label="import and message",
    ),
    Timed(number=13, contest="listening", of=LISTENING, against=BARE, limit=2, pieces=PLUGINS),
)

_GOALS = "tests/performance/test_goals.py"
_GROWTH = "tests/performance/test_growth.py"
_LAYERS = "tests/test_layers.py"

COUNTED: tuple[Counted, ...] = (
    Counted(
        number=5,
        promise="100 sends by one client: 1 TCP connection, at most 1 SSLContext",
        tests=(
            f"{_GOALS}::test_goal_5_one_connection_for_a_hundred_sends",
            f"{_GOALS}::test_one_connection_for_a_hundred_sends_in_a_loop",
        ),
    ),
    Counted(
        number=6,
        promise="A file of 10 MiB: at most 0.1 x its size in memory beyond it, and it is never read whole",
        tests=(
            f"{_GOALS}::TestGoal6::test_peak",
            f"{_GOALS}::TestGoal6::test_file_is_never_read_whole",
            "tests/test_transport_aiohttp.py::TestBody::test_is_streamed",
        ),
    ),
    Counted(
        number=11,
        promise="An incoming mail of 20 MB: at most 3.2 x the delivery in memory",
        tests=(f"{_GOALS}::test_goal_11_peak_of_an_incoming_mail",),
    ),
    Counted(
        number=12,
        promise="`import mailcore`, and a message, load none of requests, urllib3, http, ssl, nacl, email, "
        "cattrs, importlib.metadata, asyncio",
        tests=(
            f"{_LAYERS}::TestImporting::test_cheap",
            f"{_LAYERS}::TestImporting::test_package_alone",
            f"{_GOALS}::test_import_loads_no_event_loop",
        ),
    ),
    Counted(
        number=13,
        promise="A send makes no call of pluggy; each plugin costs one call for each hook it has",
        tests=(
            f"{_GOALS}::TestGoal13::test_no_plugin_no_call",
            f"{_GOALS}::TestGoal13::test_one_call_a_hook",
        ),
    ),
    Counted(
        number=None,
        promise="Calls of functions grow no faster than messages, recipients, headers, files, pieces of a "
        "file, plugins and keys, and not at all with the size of a text",
        tests=(f"{_GROWTH}::TestCalls::test_order", f"{_GROWTH}::TestCalls::test_text"),
    ),
    Counted(
        number=None,
        promise="Memory at the peak of a send does not grow with the size of an attachment",
        tests=(f"{_GOALS}::TestGoal6::test_peak_does_not_grow",),
    ),
)


def verdicts(contests: Mapping[str, Found]) -> Iterator[Verdict]:
    """Yield what a run says of each goal whose contest took place."""
    for goal in TIMED:
        if goal.contest in contests:
            found = contests[goal.contest]
            figure = goal.figure(found)
            yield Verdict(goal, found.title, figure, goal.reached(figure))
