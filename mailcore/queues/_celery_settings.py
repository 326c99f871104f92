"""What of Celery's settings could lose mail or send it twice.

Rule: each is refused with the line that mends it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mailcore._group import MailerGroup
from mailcore._mailer import Mailer
from mailcore.exceptions import ConfigurationError, MailcoreError
from mailcore.queues._journal import Journal

if TYPE_CHECKING:
    from celery import Celery

__all__ = ["broker_journal", "check_broker", "check_worker"]

PICKLE = {"pickle", "application/x-python-serialize"}

_log = logging.getLogger("mailcore.queues")


def check_broker(app: Celery, *, longest: float) -> None:
    """
    Check what senders and workers must agree on.

    Args:
        longest: Most seconds that a message is out before it is acknowledged.

    Raises:
        ConfigurationError: It cannot work; the error says what to change.
    """
    if PICKLE & set(app.conf.accept_content):
        raise ConfigurationError(
            "accept_content takes pickle, so that whoever can write to the broker can run code in a worker "
            'that holds the secrets of mailers. Set app.conf.accept_content = ["json"].'
        )
    with app.connection_for_write() as connection:
        options: Mapping[str, Any] = connection.transport_options or {}
        transport: Any = connection.transport
        _check_visibility(transport, options, longest)
        if transport.driver_type == "amqp" and not options.get("confirm_publish"):
            raise ConfigurationError(
                "RabbitMQ says whether it has a message only where it is asked to; mail could be lost. "
                'Set app.conf.broker_transport_options = {"confirm_publish": True}.'
            )


def broker_journal(app: Celery, queue: str | None) -> Journal | None:
    """
    Return a journal of a queue, on the broker's own server, where that is Redis.

    Celery takes a message off the queue there before it has noted that it did: a worker that is killed
    in between takes the message with it.
    """
    with app.connection_for_write() as connection:
        transport: Any = connection.transport
        if transport.driver_type != "redis":
            return None
        if connection.transport_cls not in ("redis", "rediss"):
            raise ConfigurationError(
                f"With {connection.transport_cls} as its broker mail can be lost, unless it is noted. "
                "Pass journal=RedisJournal(client) to the queue."
            )
        from mailcore.stores.redis import RedisJournal

        name = queue or app.conf.task_default_queue
        return RedisJournal(connection.as_uri(include_password=True), prefix=f"mailcore:journal:{name}")


def _check_visibility(transport: Any, options: Mapping[str, Any], longest: float) -> None:
    usual = getattr(getattr(transport, "Channel", None), "visibility_timeout", None)
    if usual is None:
        return
    seconds = float(options.get("visibility_timeout", usual))
    if longest >= seconds:
        raise ConfigurationError(
            f"A job may be out for {longest:.0f} s (max_delay + time_limit), and the broker gives it to "
            f"another worker after {seconds:.0f} s. Set app.conf.broker_transport_options = "
            f'{{"visibility_timeout": {2 * longest:.0f}}}, or lower max_delay.'
        )


def check_worker(
    worker: Any, mailers: Mapping[str, Mailer | MailerGroup], *, queue: str | None, time_limit: float
) -> None:
    """
    Check a worker, if it is one that sends mail.

    Raises:
        ConfigurationError: It cannot work; the error says what to change.
    """
    if queue is not None and queue not in worker.app.amqp.queues.consume_from:
        return
    if worker.prefetch_multiplier != 1:
        raise ConfigurationError(
            "A worker that takes more jobs than it can send keeps them from other workers until it is done. "
            "Set app.conf.worker_prefetch_multiplier = 1."
        )
    for name in mailers:
        _check_deadline(name, mailers, time_limit)


def _check_deadline(name: str, mailers: Mapping[str, Mailer | MailerGroup], time_limit: float) -> None:
    try:
        seconds = _deadline(mailers[name])
    except MailcoreError as error:  # it stops nobody else; its own jobs wait
        _log.error("The mailer %s cannot work in this worker, and its jobs wait: %s", name, error)
        return
    if seconds >= time_limit:
        raise ConfigurationError(
            f"A send through {name!r} may take {seconds:.0f} s, and its process is killed after "
            f"{time_limit:.0f} s. Pass time_limit={2 * seconds:.0f} to the queue, or lower its deadline."
        )


def _deadline(mailer: Mailer | MailerGroup) -> float:
    if isinstance(mailer, MailerGroup):
        return sum(_deadline(member) for member in mailer.mailers)
    return float(mailer.settings.deadline)
