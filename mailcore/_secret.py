"""A secret shows itself only to the code that sends it.

Rule: every way a value usually leaks (repr, str, format, pickle, JSON) is closed here, once,
so that no other file has to remember.
"""

from __future__ import annotations

from typing import Any, NoReturn

from mailcore.exceptions import ConfigurationError

__all__ = ["Secret"]


class Secret:
    """
    Hold a credential without showing it.

    The value must be printable ASCII without spaces (`[!-~]`); one trailing newline, as left by
    `file:` look-ups, is stripped. Copies are the same object; pickling raises `TypeError`.

    Raises:
        ConfigurationError: The value is empty or holds a character no header may carry.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        text = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(text, str):
            raise ConfigurationError(f"A secret is text, not {type(text).__name__}.")
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise ConfigurationError("A secret is empty. Leave the option out, or give its value.")
        if not all("!" <= character <= "~" for character in text):
            raise ConfigurationError(
                "A secret holds a space, a control character or a non-ASCII character. "
                "Copy it again, without the surrounding text."
            )
        self._value = text

    def reveal(self) -> str:
        """Return the value; for the one place that puts it on the wire."""
        return self._value

    def as_bearer(self) -> Secret:
        """Return the value of an `Authorization` header with this token (RFC 6750)."""
        return self._made(f"Bearer {self._value}")

    def as_basic(self, user: str) -> Secret:
        """Return the value of an `Authorization` header with this password (RFC 7617)."""
        return self._made(f"Basic {_base64(f'{user}:{self._value}')}")

    def as_plain(self, user: str) -> Secret:
        """Return what `AUTH PLAIN` is followed by with this password (RFC 4616)."""
        return self._made(_base64(f"\0{user}\0{self._value}"))

    def as_login(self) -> Secret:
        """Return what answers the second question of `AUTH LOGIN` with this password."""
        return self._made(_base64(self._value))

    @staticmethod
    def _made(value: str) -> Secret:
        made = Secret.__new__(Secret)  # past the check: a header's value holds a space
        made._value = value  # noqa: SLF001  # reason: its own class
        return made

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return "****"

    def __format__(self, spec: str) -> str:
        return format("****", spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # here: hashing libraries are slow to import

        return compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # reason: a hash would tell equal secrets apart

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled. Look it up again where it is needed.")


def _base64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode("ascii")
