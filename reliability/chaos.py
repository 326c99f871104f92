"""A provider on a bad day: it takes mail, and a good part of its answers is lost or garbled.

Rule: what is done to a request depends on its number and the seed alone.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from reliability.fault_server import Peer
from reliability.mode import http
from reliability.provider import Provider

__all__ = ["Chaos"]

HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"


def _drop(peer: Peer, answer: bytes) -> bool:
    return False


def _reset(peer: Peer, answer: bytes) -> bool:
    peer.reset()
    return False


def _truncate(peer: Peer, answer: bytes) -> bool:
    peer.write(answer[:-7])
    return False


def _cut_headers(peer: Peer, answer: bytes) -> bool:
    peer.write(answer[:30])
    return False


def _writing(data: bytes) -> Callable[[Peer, bytes], bool]:
    def act(peer: Peer, _: bytes) -> bool:
        peer.write(data)
        return True

    return act


#: The mail was taken; then this is done with the answer. Returns whether the connection goes on.
AFTER: Mapping[str, Callable[[Peer, bytes], bool]] = {
    "close": _drop,
    "reset": _reset,
    "body that breaks off": _truncate,
    "headers that break off": _cut_headers,
    "HTML instead of JSON": _writing(http(200, HTML)),
    "JSON that is none": _writing(http(200, b'{"id": ')),
    "no id": _writing(http(200, b'{"status": "pending"}')),
    "500": _writing(http(500)),
    "504": _writing(http(504, HTML)),
}
#: The mail was not taken, since this came first.
BEFORE: Mapping[str, Callable[[Peer, bytes], bool]] = {
    "close unseen": _drop,
    "500 unseen": _writing(http(500)),
    "409": _writing(http(409)),
    "429": _writing(http(429)),
    "503": _writing(http(503, HTML)),
}


class Chaos:
    """
    Serve a provider, and harm a part of its answers.

    Args:
        share: Of the answers that are harmed; a third of them before the mail is taken.

    Attributes:
        harmed: What was done, and how often.
        answered: Requests in all.
    """

    def __init__(self, provider: Provider, *, share: float, seed: int) -> None:
        self._provider = provider
        self._share = share
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.harmed: Counter[str] = Counter()
        self.answered = 0

    def script(self, peer: Peer) -> None:
        """Serve one connection."""
        while (request := peer.read()) and self._answer(peer, request):
            pass

    def _answer(self, peer: Peer, request: bytes) -> bool:
        harm = self._harm()
        if harm in BEFORE:
            return BEFORE[harm](peer, b"")
        answer = self._provider.answer(request)
        if harm in AFTER:
            return AFTER[harm](peer, answer)
        peer.write(answer)
        return True

    def _harm(self) -> str:
        """Draw what is done to the next request; empty: nothing."""
        with self._lock:
            self.answered += 1
            if self._random.random() >= self._share:
                return ""
            harms = BEFORE if self._random.random() < 1 / 3 else AFTER
            harm = self._random.choice(list(harms))
            self.harmed[harm] += 1
            return harm
