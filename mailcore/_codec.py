"""Values as JSON and back, for queues, files and other processes.

Rule 1: bytes are base64 under a tag, so that no text is ever taken for bytes or bytes for text.
Rule 2: a file is named, not copied: its path, size and time travel, and are checked when it is sent.
Rule 3: secrets do not travel.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs
import cattrs

from mailcore._address import Address
from mailcore._attachment import Attachment
from mailcore._file_content import FileContent
from mailcore._http import Headers
from mailcore._mapping import FrozenMap
from mailcore._message import Message
from mailcore._secret import Secret
from mailcore._strict_json import MAX_DEPTH, strict_json
from mailcore._unset import UNSET
from mailcore.exceptions import InvalidDocument

__all__ = ["from_json", "to_json"]

T = TypeVar("T")

#: Fields of a message whose values are not plain JSON.
_STRUCTURED: Mapping[str, Any] = {
    **dict.fromkeys(("from_", "to", "cc", "bcc", "reply_to"), tuple[Address, ...]),
    "envelope_sender": Address,
    "attachments": tuple[Attachment, ...],
    "send_at": datetime,
}


def to_json(value: Any) -> str:
    """
    Return a value of this package as a JSON text.

    Raises:
        TypeError: The value is or holds a `Secret`, or something that is not one of our values.
    """
    return json.dumps(_CONVERTER.unstructure(value), separators=(",", ":"), allow_nan=False)


def from_json(cls: type[T], text: str | bytes) -> T:
    """
    Return the value that `to_json` wrote.

    Raises:
        InvalidDocument: The text is not JSON, or does not hold a valid value of that class.
    """
    # A provider's document stands within ours, so ours may be deeper.
    document = strict_json(text, max_depth=2 * MAX_DEPTH)
    try:
        return _CONVERTER.structure(document, cls)
    except Exception as error:  # cattrs and our values refuse in many ways
        raise InvalidDocument(
            f"The text does not hold a valid {cls.__name__} ({type(error).__name__})."
        ) from error


def _refuse_secret(_: Secret) -> Any:
    raise TypeError("A Secret is not written to JSON. Look it up again where it is needed.")


def _from_bytes(value: bytes) -> dict[str, str]:
    return {"base64": b64encode(value).decode("ascii")}


def _to_bytes(document: Any, _: Any) -> bytes:
    return b64decode(document["base64"].encode("ascii"), validate=True)


def _from_content(content: bytes | FileContent) -> dict[str, Any]:
    return {"file": attrs.asdict(content)} if isinstance(content, FileContent) else _from_bytes(content)


def _to_content(document: Any, _: Any) -> bytes | FileContent:
    return FileContent(**document["file"]) if "file" in document else _to_bytes(document, bytes)


def _from_map(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _CONVERTER.unstructure(item) for key, item in mapping.items()}


def _from_message(message: Message) -> dict[str, Any]:
    """Write what was given: a field left out stays left out, and None stays None."""
    values = {field.name: getattr(message, field.name) for field in attrs.fields(Message)}
    return {name: _CONVERTER.unstructure(value) for name, value in values.items() if value is not UNSET}


def _to_message(document: Any, _: Any) -> Message:
    if not isinstance(document, dict):
        raise TypeError("A message is an object.")
    values = dict(document)
    for name, value in values.items():
        if name in _STRUCTURED and value is not None:
            values[name] = _CONVERTER.structure(value, _STRUCTURED[name])
    return Message(**values)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_unstructure_hook(bytes, _from_bytes)
    converter.register_structure_hook(bytes, _to_bytes)
    converter.register_unstructure_hook(datetime, lambda value: value.isoformat())
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_unstructure_hook(Secret, _refuse_secret)
    converter.register_unstructure_hook_func(lambda kind: kind == bytes | FileContent, _from_content)
    converter.register_structure_hook_func(lambda kind: kind == bytes | FileContent, _to_content)
    converter.register_unstructure_hook(FrozenMap, _from_map)
    converter.register_unstructure_hook(Headers, lambda headers: [list(pair) for pair in headers.pairs])
    converter.register_structure_hook(
        Headers, lambda pairs, _: Headers((name, value) for name, value in pairs)
    )
    converter.register_unstructure_hook_func(lambda kind: kind is Message, _from_message)
    converter.register_structure_hook_func(lambda kind: kind is Message, _to_message)
    return converter


_CONVERTER = _converter()
