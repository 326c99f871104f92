"""A mail over a connection that stays open, to a provider that answers at once: the client's work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks import mails
from benchmarks.clients import Postmark, Resend
from benchmarks.contest import Contest
from benchmarks.loops import async_senders
from benchmarks.mails import MIB
from benchmarks.meters import Cpu, each
from benchmarks.names import ANYMAIL, HTTPX, MAILCORE, SESSION, SOCKET, URLLIB3
from benchmarks.provider import answering

__all__ = ["CONTESTS"]

_WITH_FILE = (SOCKET, URLLIB3, SESSION, HTTPX, MAILCORE, ANYMAIL)


@contextmanager
def _sending() -> Iterator[Contest]:
    with answering() as url:
        contenders = {name: Cpu(each(send)) for name, send in Postmark(url).senders(mails.typical).items()}
        yield Contest(title="A typical mail sent", contenders=contenders)


@contextmanager
def _in_a_loop() -> Iterator[Contest]:
    with answering() as url, async_senders(Postmark(url), mails.typical) as works:
        contenders = {name: Cpu(work(20)) for name, work in works.items()}
        yield Contest(title="A typical mail sent in an event loop, 20 at a time", contenders=contenders)


@contextmanager
def _attaching(api: type[Postmark], mebibytes: int) -> Iterator[Contest]:
    with answering() as url:
        senders = api(url).senders(mails.with_file(mebibytes * MIB))
        contenders = {name: Cpu(each(senders[name])) for name in _WITH_FILE}
        yield Contest(
            title=f"A file of {mebibytes} MiB sent through {api.__name__}",
            contenders=contenders,
        )


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {
    "sending": _sending,
    "sending-async": _in_a_loop,
    "attaching": partial(_attaching, Resend, 10),
    # No key, so that the mail need not be told from others; Postmark takes 10 MB.
    "attaching-keyless": partial(_attaching, Postmark, 7),
}
