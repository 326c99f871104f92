"""An asynchronous mailer that threads may use, so that what is tried on a mailer is tried on it too.

Rule: one event loop for all of them, as in a program: eight threads that send at once are eight tasks.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from mailcore import AsyncMailer, Message, SendResult
from mailcore._closing import Closing

__all__ = ["Looped"]


class Looped(Closing):
    """
    Run a mailer in an event loop of its own; also a context manager.

    Args:
        make: Makes the mailer.
    """

    def __init__(self, make: Callable[[], AsyncMailer]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.mailer = make()

    def send(self, message: Message, *, idempotency_key: str | None = None) -> SendResult:
        """Send, and wait for the result."""
        found: SendResult = self._wait(self.mailer.send(message, idempotency_key=idempotency_key))
        return found

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Close the mailer, and end the loop."""
        self._wait(self.mailer.close())
        self._wait(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
