"""Many mails through chaos, and then the books are compared.

Rule 1: with keys, every mail arrives exactly once: the library repeats, and whoever called it repeats what
        it calls retriable, with the key it names, until that is settled.
Rule 2: without keys, none arrives twice, and each that is missing was reported as maybe sent.
Rule 3: anything but a result or a `SendError` breaks the promise.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs
from rich.console import Console
from rich.progress import Progress

from mailcore import Mailer
from reliability import figures
from reliability.chaos import Chaos
from reliability.ending import ended
from reliability.fault_server import Server
from reliability.provider import KEYED, KEYLESS, Provider, mail, mailer

__all__ = ["Book", "Soak", "main"]

#: Times a caller asks again before it is called lost.
ROUNDS = 50
#: Pauses of the library are that much shorter, as nothing here gets better by waiting.
HASTE = 50.0


@attrs.define(kw_only=True)
class Book:
    """
    What was claimed of each mail, by its name.

    Attributes:
        accepted: The id of each that was accepted.
        unknown: Those that ended in "maybe sent".
        false_denials: Claims that it is not with the provider, when it was. Where an earlier call was
            unknown, a later one speaks of itself alone.
        unclassified: What was neither a result nor a `SendError`.
        calls: How often `send` was called.
    """

    accepted: dict[str, str] = attrs.field(factory=dict)
    unknown: set[str] = attrs.field(factory=set)
    false_denials: list[str] = attrs.field(factory=list)
    unclassified: list[str] = attrs.field(factory=list)
    calls: Counter[str] = attrs.field(factory=Counter)


class Soak:
    """
    Send many mails from many threads.

    Args:
        keys: Whether the provider knows idempotency keys.
        share: Of the answers that are dropped or garbled.
    """

    def __init__(self, *, sends: int, threads: int, share: float, keys: bool, seed: int) -> None:
        self.sends = sends
        self.keys = keys
        self.threads = threads
        self.book = Book()
        self.provider = Provider()
        self.chaos = Chaos(self.provider, share=share, seed=seed)
        self._lock = threading.Lock()
        self._numbers = iter(range(sends))

    def run(self, tell: Callable[[], object] = lambda: None) -> float:
        """Send all; return the seconds that took."""
        server = Server(self.chaos.script, keeps=False)
        begin = time.monotonic()
        made = mailer(
            KEYED if self.keys else KEYLESS,
            self.provider.settings(server.base),
            sleep=lambda seconds: time.sleep(seconds / HASTE),
        )
        try:
            with made:
                self._work(made, tell)
        finally:
            server.close()
        return time.monotonic() - begin

    def _work(self, made: Mailer, tell: Callable[[], object]) -> None:
        def work() -> None:
            for name in self._names():
                self._settle(made, name)
                tell()

        workers = [threading.Thread(target=work) for _ in range(self.threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _names(self) -> Iterator[str]:
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            yield f"soak-{number:07}"

    def _settle(self, made: Mailer, name: str) -> None:
        """Do what a careful caller does with one mail."""
        message, key = mail(name), None
        for _ in range(ROUNDS):
            ending, found = ended(lambda key=key: made.send(message, idempotency_key=key))  # type: ignore[misc]  # reason: bound now
            self._note(name, ending.outcome, found)
            if ending.outcome == "accepted" or not ending.retriable:
                return
            key = getattr(found, "idempotency_key", None)

    def _note(self, name: str, outcome: str, found: object) -> None:
        book = self.book
        book.calls[name] += 1
        if outcome == "accepted":
            book.accepted[name] = str(getattr(found, "message_id", None))
        elif outcome == "unknown":
            book.unknown.add(name)
        elif outcome == "unclassified":
            book.unclassified.append(f"{name}: {found!r}")
        elif name not in book.unknown and self.provider.has(name):
            book.false_denials.append(name)

    # The books ----------------------------------------------------------------------------------

    def figures(self) -> dict[str, int]:
        """Compare what was claimed with what the provider has."""
        names = {f"soak-{number:07}" for number in range(self.sends)}
        taken, ids, book = self.provider.taken(), self.provider.ids(), self.book
        missing = names - set(taken)
        return {
            "lost": len(missing if self.keys else missing - book.unknown),
            "duplicated": sum(number - 1 for number in taken.values()),
            "unclassified": len(book.unclassified),
            "said not to be sent, and was": len(book.false_denials),
            "accepted under another mail's id": len(set(book.accepted.items()) - set(ids.items())),
            "never settled": len(names - set(book.accepted)) if self.keys else self._unsettled(names),
        }

    def _unsettled(self, names: set[str]) -> int:
        return len(names - set(self.book.accepted) - self.book.unknown)

    def story(self) -> dict[str, object]:
        """Tell what happened on the way."""
        book, harmed = self.book, sum(self.chaos.harmed.values())
        return {
            "sends": self.sends,
            "threads": self.threads,
            "requests": self.chaos.answered,
            "answers dropped or garbled": f"{harmed:,} ({harmed / max(self.chaos.answered, 1):.1%})",
            "calls of send": sum(book.calls.values()),
            "reported as maybe sent": len(book.unknown),
            "of these, not with the provider": len(book.unknown - set(self.provider.taken())),
        }


def main(arguments: Sequence[str]) -> int:
    """Send, print the figures, and return 1 where the promise is broken."""
    parser = argparse.ArgumentParser(prog="reliability soak", description="Many mails through chaos.")
    parser.add_argument("--sends", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--share", type=float, default=0.25, help="of the answers that are harmed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-keys", action="store_true", help="the provider knows no keys")
    given = parser.parse_args(arguments)
    soak = Soak(
        sends=given.sends,
        threads=given.threads,
        share=given.share,
        seed=given.seed,
        keys=not given.without_keys,
    )
    console = Console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Sending", total=given.sends)
        seconds = soak.run(lambda: progress.advance(task))
    found = soak.figures()
    figures.show("Soak", {**found, **soak.story(), "seconds": f"{seconds:.1f}"})
    for line in soak.book.unclassified[:10]:
        console.print(line, markup=False)
    return 1 if any(found.values()) else 0
