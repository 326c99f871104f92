"""What stands in a document, read without trusting it: another type than expected is nothing."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from mailcore import Address, HttpResponse, InvalidAddress, InvalidDocument, strict_json

__all__ = ["addresses", "digest", "document", "items", "one_line", "table", "text"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
MAX_WORDS = 500


def document(response: HttpResponse) -> Mapping[str, Any]:
    """Return the JSON object that an answer holds, or an empty one."""
    try:
        return table(strict_json(response.body))
    except InvalidDocument:
        return {}


def table(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a text, or an empty one."""
    return value if isinstance(value, str) else ""


def one_line(value: Any) -> str:
    """Return the provider's words, on one line and not too many."""
    return _CONTROL.sub(" ", text(value))[:MAX_WORDS]


def addresses(value: Any) -> tuple[str, ...]:
    """Return the bare addresses in a text; none where it holds none that can be read."""
    try:
        return tuple(address.addr_spec for address in Address.parse_list(text(value) or None))
    except InvalidAddress:
        return ()


def digest(value: Any) -> str:
    """Return what stands for a document that has no id of its own."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
