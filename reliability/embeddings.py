"""Every embedding of webhook endpoints answers the same delivery in the same way.

Rule 1: "the same" is the status, every header, the body, every line of the log, what the handlers were given,
        and what was kept or put aside.
Rule 2: an embedding is one function here; a case is one row of `webhook_cases`.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from mailcore import AsyncWebhookReceiver, MemoryReplayStore, WebhookReceiver
from reliability import figures
from reliability.delivery import MOUNT, Answer, Delivery, through_asgi, through_wsgi
from reliability.webhook_cases import CASES, Case

__all__ = ["EMBEDDINGS", "Seen", "main", "observe"]


@attrs.frozen(kw_only=True)
class Setting:
    """What an embedding is made of: the flat settings, and the options of a receiver."""

    config: Mapping[str, Any]
    options: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Seen:
    """All there is to see of a case; `spooled` and `quarantined` are counts of files."""

    answers: tuple[Answer, ...]
    log: tuple[tuple[str, str], ...]
    handled: tuple[str, ...]
    quarantined: int
    spooled: int


def bare_wsgi(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
    """`mailcore.frameworks.wsgi`, below a dispatcher."""
    from mailcore.frameworks.wsgi import WebhookApp

    with WebhookApp(WebhookReceiver.from_config(setting.config, **setting.options)) as app:
        return [through_wsgi(app, delivery, mounted=True) for delivery in deliveries]


def bare_asgi(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
    """`mailcore.frameworks.asgi`, below a dispatcher."""
    from mailcore.frameworks.asgi import WebhookApp

    app = WebhookApp(AsyncWebhookReceiver.from_config(setting.config, **setting.options))
    return through_asgi(app, deliveries, mounted=True)


def flask(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
    """`mailcore.frameworks.flask`."""
    from flask import Flask

    from mailcore.frameworks.flask import Mailcore

    app = Flask("embedding")
    app.config["MAILCORE"] = setting.config
    with Mailcore(app, **setting.options) as mail:
        app.register_blueprint(mail.webhooks, url_prefix=MOUNT)
        return [through_wsgi(app, delivery, mounted=False) for delivery in deliveries]


def starlette(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
    """`mailcore.frameworks.starlette`."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from mailcore.frameworks.starlette import Mailcore

    mail = Mailcore(setting.config, **setting.options)
    app = Starlette(routes=[Mount(MOUNT, mail.webhooks)], lifespan=mail.lifespan)
    return through_asgi(app, deliveries, mounted=False)


def fastapi(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
    """`mailcore.frameworks.starlette`, in FastAPI."""
    from fastapi import FastAPI

    from mailcore.frameworks.starlette import Mailcore

    mail = Mailcore(setting.config, **setting.options)
    app = FastAPI(lifespan=mail.lifespan)
    app.mount(MOUNT, mail.webhooks)
    return through_asgi(app, deliveries, mounted=False)


def django(setting: Setting, deliveries: Sequence[Delivery]) -> list[Answer]:
    """`mailcore.frameworks.django`."""
    from reliability.django_project import project

    with project(setting.config, setting.options) as app:
        return [through_wsgi(app, delivery, mounted=False) for delivery in deliveries]


Embedding = Callable[[Setting, Sequence[Delivery]], list[Answer]]

#: The first is what the others are compared with.
EMBEDDINGS: dict[str, Embedding] = {
    "WSGI": bare_wsgi,
    "ASGI": bare_asgi,
    "Flask": flask,
    "Starlette": starlette,
    "FastAPI": fastapi,
}
if find_spec("mailcore.frameworks.django"):
    EMBEDDINGS["Django"] = django


@contextmanager
def logged() -> Iterator[list[tuple[str, str]]]:
    """Collect what the webhooks say to the log."""
    lines: list[tuple[str, str]] = []
    logger = logging.getLogger("mailcore.webhooks")

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((record.levelname, record.getMessage()))

    level, handler = logger.level, Collector()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def observe(case: Case, embedding: Embedding) -> Seen:
    """Let an embedding have the deliveries of a case, and return all there is to see."""
    handled: list[str] = []

    def handle(item: Any) -> None:
        handled.append(repr(item))
        if case.handler == "raises":
            raise OSError("The disk is full.")

    options: dict[str, Any] = {} if case.handler == "none" else {"on_event": handle, "on_inbound": handle}
    if case.store:
        options["replay_store"] = MemoryReplayStore()
    with tempfile.TemporaryDirectory() as name, logged() as log:
        kept, spool = Path(name, "kept"), Path(name, "spool")
        config = {**case.config, "quarantine": str(kept), **({"spool": str(spool)} if case.spool else {})}
        answers = embedding(Setting(config=config, options=options), case.deliveries)
        return Seen(
            answers=tuple(answers),
            log=tuple(log),
            handled=tuple(handled),
            quarantined=len(list(kept.glob("*"))),
            spooled=len(list(spool.glob("*"))),
        )


def main(arguments: Sequence[str]) -> int:
    """Compare, print where an embedding differs, and return 1 where one does."""
    argparse.ArgumentParser(prog="reliability embeddings", description=__doc__).parse_args(arguments)
    reference, *others = EMBEDDINGS.values()
    different = 0
    for case in CASES:
        expected = observe(case, reference)
        for name, embedding in zip(list(EMBEDDINGS)[1:], others, strict=True):
            found = observe(case, embedding)
            if found != expected:
                different += 1
                print(f"{case.name}: {name} {found}\n{' ' * len(case.name)}  instead of {expected}")
    names = ", ".join(EMBEDDINGS)
    figures.show("Embeddings", {"cases": len(CASES), "embeddings": names, "different": different})
    return 1 if different else 0
