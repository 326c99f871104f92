"""Genuine samples, one JSON file each: answers to sends, deliveries, messages with their limits, settings.

Rule: a sample says which page of the provider it is made from, when that was read, and how it differs.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import attrs

from mailcore import (
    Attachment,
    EndpointKind,
    HttpRequest,
    HttpResponse,
    Message,
    Response,
    Secret,
    SmtpRequest,
    SmtpResponse,
    WebhookRequest,
)
from mailcore_conformance._sample_form import check_form

__all__ = [
    "Delivery",
    "Exchange",
    "KitError",
    "MessageSample",
    "SettingsSample",
    "deliveries",
    "exchanges",
    "messages",
    "settings",
]

T = TypeVar("T")

_SEE = "docs/how-to/prove-an-adapter.md shows the fields."
#: How the content of a file is given.
_CONTENTS = ("content_base64", "content_repeat")


class KitError(Exception):
    """The kit cannot be used; the text says what is missing and where it goes."""


@attrs.frozen(kw_only=True)
class Exchange:
    """
    One answer of the provider to a send.

    Attributes:
        name: The file's name without `.json`.
        messages: What was sent; several for a batch, none where the sample does not say.
        request: What goes over the wire, with `TOKEN` for the token; None where it does not say.
        response: An `HttpResponse`, or an `SmtpResponse`.
        expected: What the answer means: `message_id` and `status` (and `recipients`), or `error`,
            `outcome`, `scope`, `retriable`, `text` and `fields`. Several for a batch.
    """

    name: str
    source_url: str
    messages: tuple[Message, ...]
    request: HttpRequest | SmtpRequest | None
    response: Response
    expected: tuple[Mapping[str, Any], ...]

    @property
    def accepted(self) -> bool:
        """Whether every message was taken."""
        return all("error" not in one for one in self.expected)

    @property
    def is_batch(self) -> bool:
        """Whether the sample is of several messages in one request."""
        return len(self.expected) != 1


@attrs.frozen(kw_only=True)
class Delivery:
    """
    One webhook of the provider.

    Attributes:
        kind: The endpoint it is for; None for a shape nobody documented.
        expected: What it means: `events`, or `messages`, or `response` (the answer of a handshake);
            or `error`, the class that reading it ends in, and perhaps its `text`; or `refused`, what
            the adapter says where the delivery is not genuine.
    """

    name: str
    source_url: str
    request: WebhookRequest
    kind: EndpointKind | None
    expected: Mapping[str, Any]

    @property
    def readable(self) -> bool:
        """Whether it holds events or mail."""
        return "events" in self.expected or "messages" in self.expected

    @property
    def refused(self) -> str | None:
        """What the adapter says of a delivery that is not genuine; None for one that is."""
        said: str | None = self.expected.get("refused")
        return said


@attrs.frozen(kw_only=True)
class MessageSample:
    """
    A message of which the provider documents a limit.

    Attributes:
        advice: `code`, `field`, `text` and `url` of each thing the adapter says of it.
        unsupported: `field` and `text` of the error that refuses it; None for a message that can
            be said.
    """

    name: str
    source_url: str
    message: Message
    advice: tuple[Mapping[str, Any], ...]
    unsupported: Mapping[str, Any] | None


@attrs.frozen(kw_only=True)
class SettingsSample:
    """
    Settings, and whether they can work.

    Attributes:
        options: As a configuration holds them, with `TOKEN` for the token.
        to: "send" or "receive".
        error: Class of the error that refuses them; None where they are taken.
        text: What that error says.
        deliveries: What becomes of samples of webhooks under these settings: `key` (and `scheme`)
            of the proof; or `error` and `text`, or `refused`, as in the sample of a webhook.
    """

    name: str
    source_url: str
    options: Mapping[str, Any]
    to: str
    error: str | None
    text: str
    deliveries: Mapping[str, Mapping[str, Any]]


def exchanges(folder: Path) -> tuple[Exchange, ...]:
    """Read the samples of sends; raises `KitError` for a file that cannot be used."""
    return _read(folder, _exchange)


def deliveries(folder: Path) -> tuple[Delivery, ...]:
    """Read the samples of webhooks; raises `KitError` for a file that cannot be used."""
    return _read(folder, _delivery)


def messages(folder: Path) -> tuple[MessageSample, ...]:
    """Read the samples of messages; raises `KitError` for a file that cannot be used."""
    return _read(folder, _message_sample)


def settings(folder: Path) -> tuple[SettingsSample, ...]:
    """Read the samples of settings; raises `KitError` for a file that cannot be used."""
    return _read(folder, _settings_sample)


def _read(folder: Path, make: Callable[[str, dict[str, Any]], T]) -> tuple[T, ...]:
    made = []
    for path in sorted(folder.glob("*.json")):
        try:
            _require_regular(path)
            document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_object)
        except (OSError, ValueError, RecursionError) as error:
            raise KitError(f"{path} cannot be read as JSON: {error}.") from None
        try:
            check_form(folder.name, document)
            made.append(make(path.stem, document))
        except KeyError as error:
            raise KitError(f"{path} is no sample: it lacks {error}. {_SEE}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise KitError(f"{path} is no sample. {error} {_SEE}") from None
    return tuple(made)


def _require_regular(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise OSError("it is no regular file")  # a pipe would be waited for


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that is there twice would hide what the first of them says."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return made


def _exchange(name: str, document: Mapping[str, Any]) -> Exchange:
    expected = document["expected"]
    given = document.get("messages") or ([document["message"]] if "message" in document else [])
    request = document.get("request")
    return Exchange(
        name=name,
        source_url=document["source_url"],
        messages=tuple(_message(fields) for fields in given),
        request=None if request is None else _request(request),
        response=_response(document["response"]),
        expected=tuple(expected) if isinstance(expected, list) else (expected,),
    )


def _request(request: Mapping[str, Any]) -> HttpRequest | SmtpRequest:
    if "server" not in request:
        return HttpRequest(
            method=request["method"], url=request["url"], headers=_pairs(request), body=_body(request)
        )
    values = {**request, "data": request["data"].encode()}
    if "password" in values:
        values["password"] = Secret(values["password"])
    return SmtpRequest(**values)


def _response(answer: Mapping[str, Any]) -> HttpResponse | SmtpResponse:
    if "code" not in answer:
        return HttpResponse(status=answer["status"], headers=_pairs(answer), body=_body(answer))
    refused = {address: (code, text) for address, (code, text) in answer.get("refused", {}).items()}
    return SmtpResponse(**{**answer, "refused": refused})


def _delivery(name: str, document: Mapping[str, Any]) -> Delivery:
    request, expected = document["request"], document["expected"]
    made = WebhookRequest(
        method=request.get("method", "POST"),
        url=request.get("url", ""),
        headers=_pairs(request),
        body=_body(request),
    )
    if "received_at" in request:
        made = attrs.evolve(made, received_at=datetime.fromisoformat(request["received_at"]))
    return Delivery(
        name=name,
        source_url=document["source_url"],
        request=made,
        kind=None if expected["kind"] is None else EndpointKind(expected["kind"]),
        expected=expected,
    )


def _message_sample(name: str, document: Mapping[str, Any]) -> MessageSample:
    expected = document["expected"]
    _require_some(expected, "advice", "unsupported")
    return MessageSample(
        name=name,
        source_url=document["source_url"],
        message=_message(document["message"]),
        advice=tuple(expected.get("advice", ())),
        unsupported=expected.get("unsupported"),
    )


def _settings_sample(name: str, document: Mapping[str, Any]) -> SettingsSample:
    expected, to = document["expected"], document["for"]
    if to not in ("send", "receive"):
        raise ValueError(f'"for" is {to!r}, and neither "send" nor "receive"')
    if expected:
        _require_some(expected, "error", "deliveries")
    return SettingsSample(
        name=name,
        source_url=document["source_url"],
        options=dict(document["options"]),
        to=to,
        error=expected.get("error"),
        text=expected["text"] if "error" in expected else "",
        deliveries=dict(expected.get("deliveries", {})),
    )


def _require_some(expected: Mapping[str, Any], *names: str) -> None:
    if not any(name in expected for name in names):
        raise ValueError(f'"expected" holds neither {" nor ".join(names)}')


def _pairs(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in document.get("headers", ())]


def _body(document: Mapping[str, Any]) -> bytes:
    """Return the body: text that is UTF-8, or any bytes in base64."""
    if "body_base64" in document:
        return b64decode(document["body_base64"], validate=True)
    text: str = document.get("body", "")
    return text.encode()


def _message(fields: Mapping[str, Any]) -> Message:
    values = dict(fields)
    if "attachments" in values:
        values["attachments"] = [_attachment(file) for file in values["attachments"]]
    if "send_at" in values:
        values["send_at"] = datetime.fromisoformat(values["send_at"])
    return Message(**values)


def _attachment(fields: Mapping[str, Any]) -> Attachment:
    labels = {name: value for name, value in fields.items() if name not in _CONTENTS}
    return Attachment(content=_content(fields), **labels)


def _content(fields: Mapping[str, Any]) -> bytes:
    """Return what a file holds: any bytes in base64, or one text many times, so that a sample stays small."""
    if "content_repeat" in fields:
        text, number = fields["content_repeat"]
        return bytes(text.encode() * number)
    return b64decode(fields["content_base64"])
