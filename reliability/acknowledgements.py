"""A slow handler must not keep a provider waiting: how long an acknowledgement takes, and what it is worth.

Rule 1: deliveries are deferred to a spool; 99 of 100 are acknowledged within a second, whatever the handler
        takes.
Rule 2: what was acknowledged is there: handled, or in the spool, when the server is killed.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from mailcore.stores.folder import SpoolFolder
from reliability import figures
from reliability.process import listening
from reliability.webhook_cases import PAYLOAD, SIGNATURE, compact, sign

__all__ = ["MOST", "SERVERS", "Acknowledgements", "main"]

#: Seconds that 99 of 100 take at most.
MOST = 1.0
SERVERS = {"wsgi": "WSGI, the standard library's server with threads", "asgi": "ASGI, uvicorn"}
PATH = "/mailpace/tracking/"


@attrs.define(kw_only=True)
class Acknowledgements:
    """
    Send from several clients at once, kill the server, and count.

    Attributes:
        server: `wsgi` or `asgi`.
        handler: Seconds that it takes for each delivery.
        at_once: It is called while the provider waits.
        waits: Seconds that each acknowledgement took.
        refused: Deliveries that got another answer, or none.
        handled: What the handler was done with when the server was killed.
        lost: Deliveries that were acknowledged, and are neither handled nor in the spool.
    """

    server: str
    clients: int
    seconds: float
    handler: float
    at_once: bool = False
    waits: list[float] = attrs.field(factory=list)
    refused: int = 0
    handled: int = 0
    lost: int = 0
    _ids: set[int] = attrs.field(factory=set)
    _numbers: itertools.count[int] = attrs.field(factory=lambda: itertools.count(1))
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def run(self) -> None:
        """Do it."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            module = ["reliability.slow_endpoint", self.server, name, str(self.handler)]
            with listening([*module, *(["--at-once"] if self.at_once else [])], folder) as (process, port):
                self._send(port)
                process.kill()
                process.wait()
            self._count(folder)

    def _send(self, port: int) -> None:
        until = time.monotonic() + self.seconds

        def work() -> None:
            while time.monotonic() < until:
                self._deliver(port)

        threads = [threading.Thread(target=work) for _ in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _deliver(self, port: int) -> None:
        with self._lock:
            number = next(self._numbers)
        body = compact({"event": "email.delivered", "payload": {**PAYLOAD, "id": number}})
        signature = sign(body)
        began = time.monotonic()
        status = _post(port, body, signature)
        took = time.monotonic() - began
        with self._lock:
            if status == 200:
                self.waits.append(took)
                self._ids.add(number)
            else:
                self.refused += 1

    def _count(self, folder: Path) -> None:
        """Compare what was acknowledged with what is there."""
        handled = folder / "handled.txt"
        done = {int(line) for line in handled.read_text().split()} if handled.exists() else set()
        waiting = {item.webhook.request.json()["payload"]["id"] for item in SpoolFolder(folder / "spool")}
        self.handled = len(done)
        self.lost = len(self._ids - done - waiting)

    def within(self, share: float) -> float:
        """Return the seconds within which that share was acknowledged."""
        ordered = sorted(self.waits)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("inf")

    def figures(self) -> dict[str, object]:
        """Return what is shown."""
        return {
            "clients": self.clients,
            "seconds a handler takes": f"{self.handler:g}",
            "acknowledged": len(self.waits),
            "in a second": f"{len(self.waits) / self.seconds:.0f}",
            "half of them within": f"{self.within(0.5) * 1000:.0f} ms",
            "99 of 100 within": f"{self.within(0.99) * 1000:.0f} ms",
            "slowest": f"{max(self.waits, default=0) * 1000:.0f} ms",
            "handled meanwhile": self.handled,
            "refused": self.refused,
            "acknowledged and lost": self.lost,
        }

    @property
    def keeps_the_promise(self) -> bool:
        """Whether it is fast enough, and nothing is lost."""
        return self.within(0.99) < MOST and not self.refused and not self.lost


def _post(port: int, body: bytes, signature: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", PATH, body, {SIGNATURE: signature})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> int:
    """Measure both servers, print the figures, and return 1 where the promise is broken."""
    parser = argparse.ArgumentParser(prog="reliability acknowledgements", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of sending")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--handler", type=float, default=10.0, help="seconds that it takes")
    parser.add_argument("--at-once", action="store_true", help="do not defer, and see the promise broken")
    given = parser.parse_args(arguments)
    broken = False
    for server, title in SERVERS.items():
        found = Acknowledgements(
            server=server,
            clients=given.clients,
            seconds=given.seconds,
            handler=given.handler,
            at_once=given.at_once,
        )
        found.run()
        figures.show(title, found.figures())
        broken = broken or not found.keeps_the_promise
    return 1 if broken else 0
