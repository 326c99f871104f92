"""
Measure the sandbox: mails taken in a second, and how long its list is searched.

    python benchmarks/sandbox.py                      10,000 mails, in memory
    python benchmarks/sandbox.py --mails 2000 --file

The sandbox is a process of its own, as it is for its users; the mails are sent by the real MailPace adapter
from several threads. Beside it stands the same emulator without a mailbox (`LocalProvider`), in the same run:
on a busy machine the ratio says more than the figure.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from mailcore import Mailer, Message

WORDS = ("invoice", "welcome", "receipt", "reminder", "order", "password", "report", "ticket", "reset")
BODY = "Hello Grace,\n\n" + "your account is ready, and this line is as long as lines are in mail.\n" * 12
THREADS = 4
GOAL_SENDS, GOAL_SEARCH = 300.0, 0.1
#: One that few mails hold, one that many do, and one that none does: the whole list is looked through.
SEARCHES = ("", "report", "number-77", "ticket grace", "nothing-has-this")


def main() -> int:
    """Measure, print, and return 0 where both goals are reached."""
    parser = argparse.ArgumentParser(description=str(__doc__).strip().splitlines()[0])
    parser.add_argument("--mails", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--file", action="store_true", help="keep them in a file")
    arguments = parser.parse_args()
    with local_provider() as settings:
        alone = sends_in_a_second(settings, min(arguments.mails, 2000))
    before = cpu()
    with sandbox(file=arguments.file) as document:
        rate = sends_in_a_second(document["settings"]["mailpace"], arguments.mails)
    own = (cpu() - before) / arguments.mails
    print(f"sends       {rate:8.0f} a second into the sandbox (goal: {GOAL_SENDS:.0f})")
    print(f"            {rate / alone:8.2f} x the emulator without a mailbox ({alone:.0f} a second)")
    print(f"            {own * 1000:8.2f} ms of CPU each, so {1 / own:.0f} a second with a core to itself")
    with sandbox(file=arguments.file) as document:
        sends_in_a_second(document["settings"]["mailpace"], arguments.mails)
        times = [search(document["url"], words) for words in SEARCHES]
    for words, (total, seconds) in zip(SEARCHES, times, strict=True):
        print(f"search      {seconds * 1000:8.1f} ms of {arguments.mails} mails, {total} found: {words!r}")
    slowest = max(seconds for _, seconds in times)
    print(f"slowest     {slowest * 1000:8.1f} ms (goal: {GOAL_SEARCH * 1000:.0f})")
    return 0 if rate >= GOAL_SENDS and slowest < GOAL_SEARCH else 1


@contextmanager
def local_provider() -> Iterator[Mapping[str, Any]]:
    """Serve the emulator alone, in a process of its own."""
    code = (
        "import json, sys; from mailcore.sandbox import LocalProvider; local = LocalProvider('mailpace'); "
        "print(json.dumps(dict(local.settings)), flush=True); sys.stdin.read()"
    )
    with started([sys.executable, "-c", code]) as process:
        yield json.loads(process.stdout.readline())


@contextmanager
def sandbox(*, file: bool) -> Iterator[dict[str, Any]]:
    """Start the command, and yield what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        kept = ["--file", str(Path(folder) / "mail.db")] if file else []
        ports = ["--port", "0", "--smtp-port", "0"]
        with started([sys.executable, "-m", "mailcore.cli", "sandbox", "--json", *ports, *kept]) as process:
            lines = iter(process.stdout.readline, "}\n")
            yield json.loads("".join(lines) + "}")


@contextmanager
def started(command: list[str]) -> Iterator[Any]:
    """Run a process until the block ends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]  # reason: a mapping
        try:
            yield process
        finally:
            process.kill()


def cpu() -> float:
    """Return the CPU time of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sends_in_a_second(settings: Mapping[str, Any], count: int) -> float:
    """Send so many mails from several threads, and return how many that is in a second."""
    with Mailer.from_config(settings, environ={}) as mailer:
        mailer.send(message(0))
        started_at = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as threads:
            for _ in threads.map(lambda number: mailer.send(message(number)), range(1, count)):
                pass
        return (count - 1) / (time.perf_counter() - started_at)


def message(number: int) -> Message:
    """Return one of many mails."""
    subject = f"{WORDS[number % len(WORDS)]} number-{number}"
    text, html = BODY, f"<p>{BODY}</p>"
    to = f"grace-{number}@example.net"
    return Message(from_="ada@example.com", to=to, subject=subject, text=text, html=html)


def search(url: str, words: str) -> tuple[int, float]:
    """Return how many mails are found, and the median of the time that takes, HTTP included."""
    times = []
    with requests.Session() as session:
        for _ in range(15):
            begun = time.perf_counter()
            answer = session.get(f"{url}/api/mails", params={"search": words}, timeout=30)
            times.append(time.perf_counter() - begun)
    return answer.json()["total"], statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
