"""Hands over what waits in a spool, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from mailcore._closing import Closing

__all__ = ["Draining"]

_log = logging.getLogger("mailcore.webhooks")


class Draining(Closing):
    """
    Call a function again and again until closed; also a context manager.

    Args:
        drain: What it calls; an error of it is logged, and does not end this.
        every: Seconds between two calls.
    """

    def __init__(self, drain: Callable[[], object], *, every: float) -> None:
        self._drain = drain
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mailcore-drain", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                self._drain()
            except Exception:  # noqa: BLE001  # reason: the spool is the user's code, or a full disk
                _log.exception("The spool could not be drained; it is tried again.")
            if self._stop.wait(self._every):
                return

    def close(self) -> None:
        """Stop, when the call that is under way has returned."""
        self._stop.set()
        self._thread.join()
