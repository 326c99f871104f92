"""Messages → requests, by way of a mailer: what no sample of the kit shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mailcore import (
    Attachment,
    HttpRequest,
    HttpResponse,
    InProgress,
    JsonBody,
    Mailer,
    Message,
    Rejected,
    SendError,
    UnsupportedFeature,
)
from mailcore.testing import RecordingTransport

PLAIN: dict[str, Any] = {"from_": "ada@example.com", "to": "bob@example.com", "text": "Hello"}


def written(request: object) -> Any:
    """Return the JSON of a request."""
    assert isinstance(request, HttpRequest)
    assert isinstance(request.body, JsonBody)
    return json.loads(b"".join(request.body))


def named(request: HttpRequest) -> dict[str, str]:
    """Return the headers of a request that are no secret."""
    return {name: value for name, value in request.headers if isinstance(value, str)}


def accept(request: HttpRequest) -> HttpResponse:
    """Accept a mail or a batch; each has the id of its subject."""
    document = written(request)
    if isinstance(document, list):
        body: Any = {"data": [{"id": element["subject"]} for element in document]}
    else:
        body = {"id": document["subject"]}
    return HttpResponse(status=200, body=json.dumps(body).encode())


def test_key_is_sent(make_mailer: Callable[..., Mailer]) -> None:
    """Each send has a key; one that is given is that one."""
    transport = RecordingTransport(accept)
    mailer = make_mailer(transport)
    mailer.send(Message(**PLAIN, subject="1"))
    mailer.send(Message(**PLAIN, subject="2"), idempotency_key="welcome-user/1")
    first, second = (named(request)["Idempotency-Key"] for request in transport.requests)
    assert (len(first) > 20, second) == (True, "welcome-user/1")


def test_what_no_batch_holds_goes_alone(make_mailer: Callable[..., Mailer]) -> None:
    """Files have requests of their own, mail for later has not; the order of the outcomes is ours."""
    transport = RecordingTransport(accept)
    kinds: list[dict[str, Any]] = [
        {},
        {"attachments": [Attachment(content=b"a", filename="a.pdf")]},
        {"send_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {},
    ]
    messages = [Message(**PLAIN, subject=str(n), **kind) for n, kind in enumerate(kinds)]
    outcomes = make_mailer(transport).send_many(messages)
    assert [one.unwrap().message_id for one in outcomes] == ["0", "1", "2", "3"]
    paths = [request.url.removeprefix("https://api.resend.com") for request in transport.requests]
    assert sorted(paths) == ["/emails", "/emails/batch"]
    batch = transport.requests[paths.index("/emails/batch")]
    found = [(element["subject"], element.get("scheduled_at")) for element in written(batch)]
    assert found == [("0", None), ("2", "2030-01-01T00:00:00.000Z"), ("3", None)]
    assert named(batch)["x-batch-validation"] == "permissive"
    assert named(batch)["Idempotency-Key"]


def test_what_cannot_be_sent_costs_no_other_mail(make_mailer: Callable[..., Mailer]) -> None:
    """A mail without `to` is refused; the others of its batch are sent."""
    transport = RecordingTransport(accept)
    messages = [
        Message(**{**PLAIN, "to": to, "cc": "eve@example.com"}, subject="1") for to in (None, "b@c.example")
    ]
    refused, sent = make_mailer(transport).send_many(messages)
    assert isinstance(refused.error, UnsupportedFeature)
    assert sent.unwrap().message_id == "1"
    assert len(written(transport.requests[0])) == 1


@pytest.mark.parametrize(
    "name, cls", [("invalid_idempotent_request", Rejected), ("concurrent_idempotent_requests", InProgress)]
)
def test_conflicts(make_mailer: Callable[..., Mailer], name: str, cls: type[SendError]) -> None:
    """Two answers have one status, and are as different as no and not yet."""
    body = json.dumps({"statusCode": 409, "name": name, "message": "Same key"}).encode()
    with pytest.raises(cls) as caught:
        make_mailer(RecordingTransport(HttpResponse(status=409, body=body))).send(Message(**PLAIN))
    assert (type(caught.value), caught.value.code) == (cls, name)


def test_own_fields_win(make_mailer: Callable[..., Mailer]) -> None:
    """What mailcore has no word for goes as it is."""
    transport = RecordingTransport(accept)
    own = {"resend": {"topic_id": "t-1", "text": ""}, "mailpace": {"topic_id": "no"}}
    make_mailer(transport).send(Message(**PLAIN, subject="1", provider_options=own))
    found = written(transport.requests[0])
    assert (found["topic_id"], found["text"]) == ("t-1", "")
