"""Things that hold connections and must be closed."""

from __future__ import annotations

from typing import Self

__all__ = ["Closing"]


class Closing:
    """Make a `with` block close its object at the end."""

    def close(self) -> None:
        """Let go of what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
