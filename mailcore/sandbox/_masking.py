"""What is kept of a request's headers: all but the credentials.

Rule: what is left still says who asked, so that an emulator that adopts whoever asks knows the request again.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable

from mailcore._secret import Secret

__all__ = ["MASK", "masked"]

MASK = "****"

_SECRET = re.compile("token|secret|password|api-?key|cookie|authorization", re.IGNORECASE)
#: The proof at the end of a signature of AWS's; the name of the key stands before it.
_PROOF = re.compile("(?<=Signature=)[0-9A-Za-z]+")
_NO_PROOF = "0" * 64


def masked(headers: Iterable[tuple[str, str | Secret]]) -> tuple[tuple[str, str], ...]:
    """Return headers without what others could send with."""
    return tuple((name, _masked(name, value)) for name, value in headers)


def _masked(name: str, value: str | Secret) -> str:
    if isinstance(value, Secret):
        return MASK
    if name.lower() == "authorization":
        return _authorization(value)
    return MASK if _SECRET.search(name) else value


def _authorization(value: str) -> str:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "basic":
        return f"{scheme} {_basic(rest)}"
    if _PROOF.search(rest):
        return f"{scheme} {_PROOF.sub(_NO_PROOF, rest)}"
    return f"{scheme} {MASK}" if rest else MASK


def _basic(pair: str) -> str:
    try:
        user = b64decode(pair, validate=True).decode().partition(":")[0]
    except ValueError:
        return MASK
    return b64encode(f"{user}:{MASK}".encode()).decode()
