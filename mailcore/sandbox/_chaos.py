"""A local provider on a bad day: some of its answers are slow, refused, lost or garbled.

Rule: a fault comes before the mail is taken or after, and never changes what the provider keeps: its books
are how a test sees that nothing was lost or sent twice.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from mailcore._http import HttpResponse
from mailcore.exceptions import ConfigurationError

__all__ = ["Chaos"]

GARBLED = b'{"id": '


def _share(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not (isinstance(value, (int, float)) and 0 <= value <= 1):
        raise ConfigurationError(f"{field.name} is a share of the requests, from 0 to 1, not {value!r}.")


def _seconds(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not (isinstance(value, (int, float)) and 0 <= value <= 60):
        raise ConfigurationError(f"{field.name} is a number of seconds from 0 to 60, not {value!r}.")


@attrs.define(kw_only=True, slots=False)
class Chaos:
    """
    How often a local provider misbehaves; may be changed while it serves.

    The shares are of all requests, and add up to 1 at most. What is drawn depends on `seed` and the
    number of the request alone.

    Attributes:
        latency: Seconds that every answer takes longer.
        throttled: Share that is answered with 429, and not taken.
        failed: Share that is answered with 500, and not taken.
        failed_after: Share that is taken, and answered with 500.
        dropped: Share that is taken, and gets no answer: the connection is closed.
        garbled: Share that is taken, and answered with something that is no JSON.

    Raises:
        ConfigurationError: They are not of that form.
    """

    latency: float = attrs.field(default=0.0, validator=_seconds)
    throttled: float = attrs.field(default=0.0, validator=_share)
    failed: float = attrs.field(default=0.0, validator=_share)
    failed_after: float = attrs.field(default=0.0, validator=_share)
    dropped: float = attrs.field(default=0.0, validator=_share)
    garbled: float = attrs.field(default=0.0, validator=_share)
    seed: int | None = None

    def __attrs_post_init__(self) -> None:
        if sum(getattr(self, name) for name in _FAULTS) > 1 + 1e-9:
            raise ConfigurationError("The shares of faults add up to more than 1.")
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()

    def answer(self, taken: Callable[[], HttpResponse]) -> HttpResponse | None:
        """
        Return what a request is answered with; None: nothing, and the connection is closed.

        Args:
            taken: Has the provider take the request.
        """
        if self.latency:  # a sleep of no time lets every other thread go first
            time.sleep(self.latency)
        fault = self._drawn()
        return taken() if fault is None else _FAULTS[fault](taken)

    def _drawn(self) -> str | None:
        with self._lock:
            left = self._random.random()
        for name in _FAULTS:
            left -= getattr(self, name)
            if left < 0:
                return name
        return None


def _throttled(_: Callable[[], HttpResponse]) -> HttpResponse:
    return HttpResponse(status=429, headers={"Retry-After": "1"})


def _failed(_: Callable[[], HttpResponse]) -> HttpResponse:
    return HttpResponse(status=500)


def _failed_after(taken: Callable[[], HttpResponse]) -> HttpResponse:
    taken()
    return HttpResponse(status=500)


def _dropped(taken: Callable[[], HttpResponse]) -> None:
    taken()


def _garbled(taken: Callable[[], HttpResponse]) -> HttpResponse:
    return attrs.evolve(taken(), body=GARBLED)


_FAULTS: Mapping[str, Callable[[Callable[[], HttpResponse]], HttpResponse | None]] = {
    "throttled": _throttled,
    "failed": _failed,
    "failed_after": _failed_after,
    "dropped": _dropped,
    "garbled": _garbled,
}
