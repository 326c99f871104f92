"""One mail of a list: where it stands, what tells it from the others, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import attrs

from mailcore._message import Message

__all__ = ["Entry", "Source"]


@attrs.frozen(kw_only=True)
class Entry:
    """
    One mail of a list.

    Attributes:
        place: Where it stands, for people: `row 7`, or the name of a file.
        digest: What stands there, as a hash.
        size: Roughly how much of memory its message takes.
        make: Returns the message; raises what is wrong with it.
        notes: Returns what is odd about it, but does not stop it.
    """

    place: str
    digest: str
    size: int
    make: Callable[[], Message]
    notes: Callable[[], list[str]] = list


class Source(Protocol):
    """A list of mails, which can be gone through twice: to check it, and to send it."""

    def __iter__(self) -> Iterator[Entry]:
        """Yield every mail, in order, reading no further than that needs."""
        ...

    def wording(self, message: Message) -> AbstractContextManager[None]:
        """Let errors about a message speak the words of whoever wrote the list."""
        ...
