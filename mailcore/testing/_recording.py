"""A transport that answers from a script."""

from __future__ import annotations

import threading
from typing import Any

from mailcore._transport import Deadline

__all__ = ["RecordingTransport"]


class RecordingTransport:
    """
    Record requests and answer them from a script; safe to share between threads.

    Pass it as `transport=` to a mailer or a receiver.

    Args:
        answers: One for each request, in order; the last one answers all that follow. An exception
            is raised, a function is called with the request, anything else is the response.

    Attributes:
        requests: What was asked for, oldest first.
        closed: How often it was closed.
    """

    def __init__(self, *answers: Any) -> None:
        self.requests: list[Any] = []
        self.closed = 0
        self._answers = answers
        self._lock = threading.Lock()

    def exchange(self, request: Any, *, deadline: Deadline) -> Any:
        """Return or raise the next answer; without any, raise `AssertionError`."""
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        if not self._answers:
            raise AssertionError("Nothing was expected to be sent.")
        answer = self._answers[min(number, len(self._answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer(request) if callable(answer) else answer

    def close(self) -> None:
        """Note that it was closed."""
        self.closed += 1
