"""Deliveries a second on one core: verified and parsed, beside what the signature alone costs."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from base64 import b64decode
from collections.abc import Callable

from nacl.signing import VerifyKey

from fuzz import figures
from fuzz.deliveries import PUBLIC, Spy, receiver, signed

__all__ = ["main"]

SIZE = 4096
#: Rounds of which the best counts: others use the machine as well.
ROUNDS = 7


def _delivery() -> tuple[bytes, bytes]:
    """Return body and signature of an event of 4 KiB."""
    payload = {
        "id": 1,
        "updated_at": "2030-01-01T00:00:00Z",
        "to": "Ada <ada@example.com>",
        "tags": ["a", "b"],
    }
    room = SIZE - len(json.dumps({"event": "email.delivered", "payload": {**payload, "htmlbody": ""}}))
    body = json.dumps({"event": "email.delivered", "payload": {**payload, "htmlbody": "x" * room}}).encode()
    return body, b64decode(signed("tracking", body).headers[1][1])


def _rate(work: Callable[[], object], times: int) -> float:
    """Return how often a second some work is done by one core."""
    started = time.process_time()
    for _ in range(times):
        work()
    return times / (time.process_time() - started)


def main(arguments: list[str]) -> int:
    """Measure, print the figures, and return 1 below the goal."""
    parser = argparse.ArgumentParser(description="Deliveries a second.")
    parser.add_argument("--times", type=int, default=3000, help="deliveries a round")
    parser.add_argument("--goal", type=float, default=1000, help="deliveries a second")
    given = parser.parse_args(arguments)
    body, signature = _delivery()
    spy, key = Spy(), VerifyKey(b64decode(PUBLIC))
    target = receiver(spy)
    delivery = signed("tracking", body)
    ours, bare = [], []
    for _ in range(ROUNDS):  # in turn, so that both meet the same machine
        bare.append(_rate(lambda: key.verify(body, signature), given.times))
        ours.append(_rate(lambda: target.receive(delivery.request(), kind="tracking"), given.times))
    figures.show(
        "Deliveries a second",
        {
            "bytes of body": len(body),
            "verified, parsed and handed over, a second (best round)": round(max(ours)),
            "the same (median round)": round(statistics.median(ours)),
            "signatures alone, a second (best round)": round(max(bare)),
            "a delivery, as signatures": f"{max(bare) / max(ours):.2f}",
            "handed over": spy.handled,
        },
    )
    return 0 if max(ours) >= given.goal and spy.handled == given.times * ROUNDS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
