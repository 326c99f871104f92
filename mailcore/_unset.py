"""The difference between "not said" and "said: nothing".

Rule: `UNSET` lets a mailer's default through, `None` suppresses it. Adapters see neither.
"""

from __future__ import annotations

from typing import Any, final

__all__ = ["UNSET", "Unset"]


class _FalsyType(type):
    def __bool__(cls) -> bool:
        return False

    def __repr__(cls) -> str:
        return "UNSET"


@final
class Unset(metaclass=_FalsyType):
    """The type whose only value is itself, so that it survives pickle and copy."""

    def __new__(cls) -> Any:
        raise TypeError("UNSET is used as it is; it has no instances.")


#: A field that was not given: the mailer's default applies. `None` suppresses the default instead.
UNSET = Unset
