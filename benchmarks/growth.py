"""How cost grows with what there can be more of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import attrs

from benchmarks import deliveries, mails
from benchmarks.clients import Postmark, Resend
from benchmarks.curve import Curve, Series
from benchmarks.listening import sends
from benchmarks.loops import async_senders
from benchmarks.mails import Kind
from benchmarks.making import makers
from benchmarks.meters import Cpu, Meter, each, peak, rate
from benchmarks.names import AIOHTTP, ANYMAIL, ASYNC_MAILCORE, DUMPS, MAILCORE, SESSION
from benchmarks.provider import answering
from benchmarks.receiving import public_key, received, receiver, signed
from benchmarks.waiting import PAUSE, in_threads
from mailcore import Mailer, Message

__all__ = ["CURVES"]

KIB = 1024
CPU = "seconds of CPU"


@contextmanager
def _batch() -> Iterator[Curve]:
    with answering() as url:
        postmark, kind = Postmark(url), mails.typical
        mailer, backend, post = postmark.mailer(), postmark.backend(), postmark.senders(kind)[SESSION]

        def together(number: int) -> Meter:
            return Cpu(each(lambda: mailer.send_many([kind.message() for _ in range(number)])))

        def by_anymail(number: int) -> Meter:
            return Cpu(each(lambda: backend.send_messages([kind.django() for _ in range(number)])))

        def by_hand(number: int) -> Meter:
            return Cpu(each(lambda: each(post)(number)))

        yield Curve(
            title="Messages in one call",
            x="messages",
            y=CPU,
            numbers=(10, 20, 40, 80, 160),
            series={
                f"{MAILCORE}: send_many": Series(meter=together, order=1),
                f"{SESSION}, in turn": Series(meter=by_hand),
                f"{ANYMAIL}: send_messages": Series(meter=by_anymail),
            },
        )


@contextmanager
def _recipients() -> Iterator[Curve]:
    config = {"provider": "mailgun", "api_key": "key", "domain": "example.com"}
    mailer = Mailer.from_config(config, environ={})

    def by_mailcore(number: int) -> Meter:
        to = [f"Reader {reader} <reader-{reader}@example.com>" for reader in range(number)]
        message = partial(Message, from_="ada@example.com", subject="Hello", text="Hello")
        return Cpu(each(lambda: mailer.preview(message(to=to))))

    def by_hand(number: int) -> Meter:
        to = [f"Reader {reader} <reader-{reader}@example.com>" for reader in range(number)]
        document = {"from": "ada@example.com", "subject": "Hello", "text": "Hello"}
        return Cpu(each(lambda: urlencode({**document, "to": ", ".join(to)}).encode()))

    yield Curve(
        title="Recipients of one message",
        x="recipients",
        y=CPU,
        numbers=(10, 30, 100, 300, 1000),
        series={
            MAILCORE: Series(meter=by_mailcore, order=1),
            "dict + urlencode": Series(meter=by_hand),
        },
    )


@contextmanager
def _body() -> Iterator[Curve]:
    line = "<p>Your order is on its way, and this line is as long as lines are in mail.</p>\n"

    def kind(kilobytes: int) -> Kind:
        html = line * (kilobytes * 1000 // len(line))

        def django() -> Any:
            made = mails.minimal.django()
            made.attach_alternative(html, "text/html")
            return made

        return Kind(
            lambda: attrs.evolve(mails.minimal.message(), html=html),
            lambda: {**mails.minimal.document(), "HtmlBody": html},
            django,
        )

    def meter(name: str) -> Callable[[int], Meter]:
        return lambda number: Cpu(each(makers(kind(number))[name]))

    yield Curve(
        title="Size of the text",
        x="kB of HTML",
        y=CPU,
        numbers=(1, 4, 16, 64, 256, 1024, 4096),
        series={
            MAILCORE: Series(meter=meter(MAILCORE), order=1),
            DUMPS: Series(meter=meter(DUMPS)),
            ANYMAIL: Series(meter=meter(ANYMAIL)),
        },
    )


@contextmanager
def _attachment(title: str, y: str, measure: Callable[[Callable[[], object]], Meter], order: float) -> Any:
    with answering() as url:

        def meter(name: str) -> Callable[[int], Meter]:
            return lambda size: measure(Resend(url).senders(mails.with_file(size * KIB))[name])

        yield Curve(
            title=title,
            x="KiB of attachment",
            y=y,
            numbers=(64, 256, 1024, 4096, 16384),
            series={
                MAILCORE: Series(meter=meter(MAILCORE), order=order),
                SESSION: Series(meter=meter(SESSION)),
                ANYMAIL: Series(meter=meter(ANYMAIL)),
            },
        )


@contextmanager
def _plugins() -> Iterator[Curve]:
    yield Curve(
        title="Plugins that listen to a send",
        x="plugins",
        y=CPU,
        numbers=(1, 2, 4, 8, 16, 32, 64),
        series={MAILCORE: Series(meter=lambda number: Cpu(each(sends(number))), order=1)},
    )


@contextmanager
def _keys() -> Iterator[Curve]:
    body = deliveries.event(2_000)

    def meter(number: int, *, last: bool) -> Meter:
        keys = [public_key(key) for key in range(1, number + 1)]
        request = signed(body, number if last else 1)
        return Cpu(each(received(receiver(provider="mailpace", webhook_key=keys), request, "tracking")))

    yield Curve(
        title="Keys that may have signed a webhook",
        x="keys",
        y=CPU,
        numbers=(1, 2, 4, 8, 16, 32),
        series={
            f"{MAILCORE}, signed with the last": Series(meter=partial(meter, last=True), order=1),
            f"{MAILCORE}, signed with the first": Series(meter=partial(meter, last=False), order=0),
        },
    )


@contextmanager
def _workers() -> Iterator[Curve]:
    with (
        answering(pause=PAUSE) as url,
        ThreadPoolExecutor(64) as pool,
        async_senders(Postmark(url), mails.typical) as works,
    ):
        senders = Postmark(url).senders(mails.typical)

        def threads(name: str) -> Callable[[int], Meter]:
            return lambda number: rate(in_threads(pool, senders[name], number), number * 4)

        def tasks(name: str) -> Callable[[int], Meter]:
            return lambda number: rate(works[name](number), number * 4)

        yield Curve(
            title=f"Workers at once, and a provider that takes {PAUSE * 1000:.0f} ms",
            x="workers",
            y="mails a second",
            more_is_better=True,
            numbers=(1, 2, 4, 8, 16, 32, 64),
            series={
                f"{MAILCORE}, threads": Series(meter=threads(MAILCORE), order=1),
                f"{ASYNC_MAILCORE}, tasks": Series(meter=tasks(ASYNC_MAILCORE), order=1),
                f"{SESSION}, threads": Series(meter=threads(SESSION)),
                f"{AIOHTTP}, tasks": Series(meter=tasks(AIOHTTP)),
            },
        )


CURVES: Mapping[str, Callable[[], AbstractContextManager[Curve]]] = {
    "growth-batch": _batch,
    "growth-recipients": _recipients,
    "growth-body": _body,
    "growth-attachment": partial(
        _attachment, "Size of an attachment: work", CPU, lambda send: Cpu(each(send)), order=1
    ),
    "growth-attachment-memory": partial(
        _attachment,
        "Size of an attachment: memory",
        "bytes at the peak, beyond the attachment",
        peak,
        order=0,
    ),
    "growth-plugins": _plugins,
    "growth-keys": _keys,
    "growth-workers": _workers,
}
