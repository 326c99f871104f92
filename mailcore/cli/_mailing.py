"""A list of mails and the mailer it goes through.

Rule 1: the whole list is checked before the first mail of it is sent.
Rule 2: whatever stops a run, what is under way ends first, and is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import takewhile

import attrs

from mailcore._changed import changed
from mailcore._http import Request
from mailcore._mailer import Mailer
from mailcore._message import Message
from mailcore._result import SendOutcome
from mailcore.cli._entry import Entry, Source
from mailcore.cli._exit import ExitCode, complain
from mailcore.cli._results import Keys, Known, Results
from mailcore.cli._tally import SENT_BEFORE, Ending, Tally
from mailcore.exceptions import InvalidMessage, Scope, SendCancelled, SendError, UnsupportedFeature

__all__ = ["Checked", "Mailing", "Problem"]

#: Mails one after the other that fail because of the provider, until the rest is not tried.
MAX_IN_A_ROW = 20
#: Bytes of messages that are taken together; a batch's messages are all in memory.
MAX_TAKEN = 128 * 1024 * 1024
#: Problems of a list that are told one by one.
MAX_PROBLEMS = 20


@attrs.frozen
class Problem:
    """What is wrong, or odd, at one place of a list."""

    place: str
    message: str


@attrs.define
class Checked:
    """
    What a check of a list found.

    Attributes:
        mails: How many there are.
        sent_before: How many of them an earlier run sent.
        unsafe: How many an earlier run may have sent, and must not be repeated.
        wrong: How many cannot be sent.
        problems: The first ones of those.
        notes: What is odd, but stops nothing.
        request: The first request there would be.
    """

    mails: int = 0
    sent_before: int = 0
    unsafe: int = 0
    wrong: int = 0
    problems: list[Problem] = attrs.field(factory=list)
    notes: list[Problem] = attrs.field(factory=list)
    request: Request | None = None


class Mailing:
    """
    Check a list, and send it.

    Args:
        results: Where each mail's ending is written; None: nowhere, and the run cannot be resumed.
    """

    def __init__(self, mailer: Mailer, source: Source, results: Results | None) -> None:
        self._mailer = mailer
        self._source = source
        self._results = results
        self._taken: deque[tuple[Entry, str, bool]] = deque()
        self._in_a_row = 0
        self._ended = False
        self._is_hopeless = False
        self.tally = Tally()

    # Check --------------------------------------------------------------------------------------

    def check(self, step: Callable[[], None]) -> Checked:
        """
        Make every message and its request, and send none.

        Raises:
            click.UsageError: The list cannot be read any further.
        """
        found, keys = Checked(), self._keys()
        for entry in self._source:
            found.mails += 1
            try:
                self._check(entry, keys, found)
            except SendCancelled:
                pass  # a plugin holds it back, now or when it is sent
            except (InvalidMessage, UnsupportedFeature) as error:
                found.wrong += 1
                _note(found.problems, entry, str(error))
            step()
        return found

    def _check(self, entry: Entry, keys: Keys, found: Checked) -> None:
        message = entry.make()
        for note in entry.notes():
            _note(found.notes, entry, note)
        with self._source.wording(message):
            key = keys.key(entry, message)
            known = self._known(key)
            found.sent_before += known is Known.SENT
            found.unsafe += known is Known.UNSAFE
            if known in (Known.SENT, Known.UNSAFE):
                return
            request = self._mailer.preview(self._keyed(message, key))
        found.request = found.request or request

    # Send ---------------------------------------------------------------------------------------

    def send(self, *, concurrency: int, step: Callable[[], None], interrupted: Callable[[], bool]) -> None:
        """Send what was not sent before, unless interrupted; how each mail ended is in `tally`."""
        if self._results is not None:
            self._results.open()
        entries, keys = iter(self._source), self._keys()
        tried = takewhile(lambda _: not (interrupted() or self._is_hopeless), entries)
        try:
            while not self._ended:
                messages = self._messages(tried, keys, step)
                for outcome in self._mailer.iter_send(messages, concurrency=concurrency):
                    self._end(outcome)
                    step()
        finally:
            for entry, _, _ in self._taken:  # nobody waited for them
                self.tally.add(entry.place, _UNDER_WAY)

    def _messages(self, entries: Iterator[Entry], keys: Keys, step: Callable[[], None]) -> Iterator[Message]:
        left = MAX_TAKEN
        while left > 0:
            entry = next(entries, None)
            if entry is None:
                self._ended = True
                return
            message = self._begun(entry, keys)
            if message is None:
                step()
            else:
                left -= entry.size
                yield message

    def _begun(self, entry: Entry, keys: Keys) -> Message | None:
        """Return the message to send, written down; None where it is not to be sent."""
        message = entry.make()
        key = keys.key(entry, message)
        known = self._known(key)
        if known is Known.SENT:
            self.tally.counts[SENT_BEFORE] += 1
            return None
        if known is Known.UNSAFE:
            self.tally.add(entry.place, _UNSAFE)
            return None
        if self._results is not None:
            self._results.begin(key, entry, message)
        self._taken.append((entry, key, known is Known.REPEATABLE))
        return self._keyed(message, key)

    def _end(self, outcome: SendOutcome) -> None:
        entry, key, doubtful = self._taken[0]
        ending = Ending.of(outcome)
        if doubtful:
            ending = ending.in_doubt()
        if self._results is not None:
            self._results.end(key, entry, ending.document)
        self._taken.popleft()
        self.tally.add(entry.place, ending)
        self._watch(outcome)

    def _watch(self, outcome: SendOutcome) -> None:
        """Stop where every further mail would fail alike."""
        scope = outcome.error.scope if isinstance(outcome.error, SendError) else Scope.MESSAGE
        self._in_a_row = self._in_a_row + 1 if scope is Scope.PROVIDER else 0
        if self._is_hopeless:
            return
        if scope is Scope.ACCOUNT:
            complain("Stopping: every further mail would fail like that.")
        elif self._in_a_row == MAX_IN_A_ROW:
            complain(f"Stopping: {MAX_IN_A_ROW} mails in a row failed because of the provider.")
        self._is_hopeless = scope is Scope.ACCOUNT or self._in_a_row >= MAX_IN_A_ROW

    # Keys ---------------------------------------------------------------------------------------

    def _keys(self) -> Keys:
        return Keys("") if self._results is None else self._results.keys()

    def _known(self, key: str) -> Known:
        return Known.NEW if self._results is None else self._results.known(key)

    def _keyed(self, message: Message, key: str) -> Message:
        if self._results is None or self._mailer.idempotency is None or message.idempotency_key:
            return message
        return changed(message, idempotency_key=key)


def _note(problems: list[Problem], entry: Entry, text: str) -> None:
    if len(problems) < MAX_PROBLEMS:
        problems.append(Problem(entry.place, text))


_UNDER_WAY = Ending(
    outcome="unknown",
    code=ExitCode.UNKNOWN,
    text="It was under way, and may have been sent.",
    document={},
)
_UNSAFE = Ending(
    outcome="unknown",
    code=ExitCode.UNKNOWN,
    text="It may have been sent by an earlier run, and is not repeated: nothing stops a second mail. "
    "Look it up at the provider.",
    document={},
)
