"""
Try it on this machine: a broker, a worker, and a local provider; the mail comes out at the other end.

    python examples/celery_app/run.py

It needs the program `redis-server`, which it starts, and `pip install '.[celery,redis]' ./adapters/mailpace`.
A broker that already runs is used where its URL is given; the queue is deleted in the end:

    python examples/celery_app/run.py amqp://guest:guest@127.0.0.1:5672//
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
from celery import Celery

from mailcore import Attachment, Message
from mailcore.sandbox import LocalProvider

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and stop it at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def redis(stack: ExitStack, folder: str) -> str:
    """Start a Redis and return its URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("There is no redis-server. Debian and Ubuntu have it: apt-get install redis-server")
    port = free_port()
    options = ("--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "")
    stack.enter_context(started(program, *options))
    wait_until(lambda: answers(port), "Redis does not answer.")
    return f"redis://127.0.0.1:{port}/0"


def answers(port: int) -> bool:
    """Return whether somebody listens."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait for something, and end with these words where it does not come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(otherwise)
        time.sleep(0.05)


def settle(stack: ExitStack, broker: str | None) -> LocalProvider:
    """Start a provider and, where none is given, a broker, and say in the environment where they are."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    provider = stack.enter_context(LocalProvider("mailpace"))
    os.environ["MAIL_FOLDER"] = folder
    os.environ["BROKER_URL"] = broker or redis(stack, folder)
    os.environ["MAIL_QUEUE"] = f"mail-{uuid.uuid4()}"  # on a broker of somebody's, no mail but ours
    os.environ["MAILPACE_API_KEY"] = provider.settings["api_key"]
    os.environ["MAILCORE_URL"] = f"mailpace://?api_url={provider.settings['api_url']}"
    return provider


def worker() -> tuple[str, ...]:
    """Return the command that starts a worker."""
    options = ("--queues", os.environ["MAIL_QUEUE"], "--concurrency", "1", "--loglevel", "ERROR")
    return (sys.executable, "-m", "celery", "--workdir", str(HERE), "--app", "mail", "worker", *options)


@contextmanager
def deleted(app: Celery, queue: str) -> Iterator[None]:
    """Delete a queue at the end."""
    yield
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(queue)


def main(broker: str | None) -> None:
    """Send two mails through a queue, and show them arrive."""
    with ExitStack() as stack:
        provider = settle(stack, broker)
        sys.path.insert(0, str(HERE))
        from mail import QUEUE, app, queue

        stack.enter_context(deleted(app, QUEUE))
        stack.enter_context(queue.mailers)
        stack.enter_context(queue)
        hello = Message(from_="ada@example.com", to="bob@example.com", subject="Hello", text="Hi")
        report = Attachment(content=b"x" * 500_000, filename="report.txt")
        for message in (hello, attrs.evolve(hello, subject="Report", attachments=report)):
            print("in the queue:", message.subject, queue.send(message).id, flush=True)

        stack.enter_context(started(*worker()))
        wait_until(lambda: len(provider.emulator.sent) == 2, "The mail does not arrive.")
        for sent in provider.emulator.sent:
            print("arrived:", sent.payload["subject"], flush=True)
        print("in the review list:", len(list(queue.review)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
