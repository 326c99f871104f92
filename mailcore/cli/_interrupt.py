"""Ctrl-C while mail is under way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interrupt_noted"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAID = b"\nmailcore: Stopping. What is under way is finished first.\n"


@contextmanager
def interrupt_noted() -> Iterator[threading.Event]:
    """
    Yield an event that is set when somebody interrupts the process, instead of ending it.

    A second interrupt does what it always does.
    """
    noted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield noted  # no signals come here
        return
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    # A shell that puts a program into the background has it ignore Ctrl-C, which is another's then.
    before = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}

    def note(_: int, __: FrameType | None) -> None:
        noted.set()
        restore()
        os.write(2, _SAID)  # a signal may come within a `print`, which cannot be entered twice

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        restore()
