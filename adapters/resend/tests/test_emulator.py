"""The emulator, rule by rule: what Resend's documentation says, and what it leaves open."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailcore import (
    EndpointKind,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Mailer,
    Message,
    TrackingEvent,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport
from mailcore_resend.emulator import ResendEmulator

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
MAIL: dict[str, Any] = {"from": "a@example.com", "to": ["b@example.com"], "subject": "Hi", "text": "Hello"}


def post(
    emulator: ResendEmulator, document: Any, path: str = "/emails", now: datetime = NOW, **headers: str
) -> HttpResponse:
    """Post a document, with the key unless another is given."""
    given = {
        "Authorization": f"Bearer {emulator.api_key}",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return emulator.handle(
        HttpRequest(
            method="POST", url=f"https://api.resend.com{path}", headers=list(given.items()), body=body
        ),
        now,
    )


def refusal(response: HttpResponse) -> tuple[int, str]:
    """Return status and name of an error."""
    document = json.loads(response.body)
    assert document["statusCode"] == response.status
    return response.status, document["name"]


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"from": None}, (422, "missing_required_field")),
        ({"to": []}, (422, "missing_required_field")),
        ({"subject": None}, (422, "missing_required_field")),
        ({"text": None}, (422, "validation_error")),
        ({"to": ["nobody"]}, (422, "validation_error")),
        ({"to": [f"{n}@example.com" for n in range(51)]}, (422, "validation_error")),
        ({"cc": "x"}, (422, "validation_error")),
        ({"from": "a@elsewhere.example"}, (403, "validation_error")),
        ({"tags": [{"name": "a b", "value": "c"}]}, (422, "validation_error")),
        ({"tags": [{"name": f"n{n}", "value": "v"} for n in range(76)]}, (422, "validation_error")),
        ({"tags": "x"}, (422, "validation_error")),
        ({"headers": {"X": 1}}, (422, "validation_error")),
        ({"attachments": [{}]}, (422, "invalid_attachment")),
        ({"attachments": [{"content": "?"}]}, (422, "invalid_attachment")),
        ({"scheduled_at": "soon"}, (422, "validation_error")),
    ],
)
def test_refusals(change: dict[str, Any], expected: tuple[int, str]) -> None:
    """What Resend refuses is refused, and nothing is kept."""
    emulator = ResendEmulator()
    assert refusal(post(emulator, {**MAIL, **change})) == expected
    assert emulator.sent == []


def test_keys_and_paths() -> None:
    """No key, a wrong one, another path, another method."""
    emulator = ResendEmulator()
    assert refusal(post(emulator, MAIL, Authorization="")) == (401, "missing_api_key")
    assert refusal(post(emulator, MAIL, Authorization="Bearer no")) == (401, "validation_error")
    assert refusal(post(emulator, MAIL, path="/nothing")) == (404, "not_found")
    assert refusal(post(emulator, MAIL, path="/emails/receiving/x")) == (405, "method_not_allowed")
    assert refusal(post(emulator, b"{")) == (400, "validation_error")


def test_idempotency() -> None:
    """A key is kept for a day, for one content; what was refused is tried anew."""
    emulator = ResendEmulator()
    assert post(emulator, {**MAIL, "to": ["no"]}, Idempotency_Key="k").status == 422
    first = post(emulator, MAIL, Idempotency_Key="k")
    assert post(emulator, MAIL, Idempotency_Key="k").body == first.body
    assert refusal(post(emulator, {**MAIL, "text": "x"}, Idempotency_Key="k")) == (
        409,
        "invalid_idempotent_request",
    )
    assert post(emulator, MAIL, now=NOW + timedelta(hours=24), Idempotency_Key="k").body != first.body
    assert refusal(post(emulator, MAIL, Idempotency_Key="k" * 257)) == (400, "invalid_idempotency_key")
    assert len(emulator.sent) == 2
    batches = [post(emulator, [MAIL], path="/emails/batch", Idempotency_Key="k") for _ in range(2)]
    assert (batches[0].status, batches[0].body == batches[1].body) == (200, True)  # a key is of one endpoint


def test_batches() -> None:
    """All or nothing, unless told otherwise; at most a hundred; no files."""
    emulator = ResendEmulator()
    bad = {**MAIL, "attachments": [{"filename": "a.txt", "content": "aGk="}]}
    assert refusal(post(emulator, [MAIL, bad], path="/emails/batch")) == (422, "validation_error")
    assert refusal(post(emulator, [MAIL] * 101, path="/emails/batch")) == (422, "validation_error")
    assert emulator.sent == []
    found = json.loads(
        post(emulator, [MAIL, bad], path="/emails/batch", x_batch_validation="permissive").body
    )
    assert ([one["id"] for one in found["data"]], [one["index"] for one in found["errors"]]) == (
        [emulator.sent[0].id],
        [1],
    )
    later = {**MAIL, "scheduled_at": "2030-01-01T00:00:00Z"}
    assert post(emulator, [MAIL, later], path="/emails/batch").status == 200
    assert emulator.sent[-1].deliver_at.year == 2030


def test_rate() -> None:
    """A second that is full is told how long to wait."""
    emulator = ResendEmulator(rate_limit=2)
    assert [post(emulator, MAIL).status for _ in range(3)] == [200, 200, 429]
    assert post(emulator, MAIL).headers["retry-after"] == "1"
    assert post(emulator, MAIL, now=NOW + timedelta(seconds=1)).status == 200


def test_later() -> None:
    """Mail for later is scheduled, and sent when it is due."""
    emulator = ResendEmulator()
    emulator.subscribe(EndpointKind.TRACKING, "https://hooks.example.com/")
    post(emulator, {**MAIL, "scheduled_at": "2026-11-28T13:00:00.000Z"})
    kinds = [
        [json.loads(one.request.body)["type"] for one in emulator.due(NOW + timedelta(hours=hours))]
        for hours in (0, 1)
    ]
    assert kinds == [["email.scheduled"], ["email.sent"]]


def test_tries() -> None:
    """A webhook is tried eight times, under one id, and then given up."""
    emulator = ResendEmulator()
    emulator.subscribe(EndpointKind.TRACKING, "https://hooks.example.com/")
    post(emulator, MAIL)
    ids, now = [], NOW
    for _ in range(12):
        for one in emulator.due(now):
            ids.append(one.delivery_id)
            emulator.answered(one.delivery_id, 500, now)
        now += timedelta(hours=10)
    assert ids == ["msg_000000000000000000000000001"] * 8
    assert len(emulator.lost_webhooks) == 1


def test_adopted() -> None:
    """Whoever is adopted is the owner: key, path and domain are good."""
    emulator = ResendEmulator()
    request = HttpRequest(
        method="POST",
        url="https://proxy.example/resend/emails",
        headers=[("Authorization", "Bearer mine")],
        body=json.dumps({**MAIL, "from": "Ada <ada@mine.example>"}).encode(),
    )
    assert emulator.handle(request, NOW).status == 404
    emulator.adopt(request)
    assert emulator.handle(request, NOW).status == 200


@pytest.mark.parametrize("arguments", [("none", "email.sent"), ("", "email.sold")])
def test_what_cannot_happen(arguments: tuple[str, str]) -> None:
    """A mail that is not there, and an event that there is not."""
    emulator = ResendEmulator()
    post(emulator, MAIL)
    with pytest.raises(ValueError, match=r"No mail|no event"):
        emulator.act(arguments[0] or emulator.sent[0].id, arguments[1], NOW)


def test_round_trip(make_mailer: Callable[..., Mailer], host: Any) -> None:
    """A mail is sent, followed and answered, with the emulator in Resend's place."""
    emulator = ResendEmulator()
    settings = emulator.settings("http://127.0.0.1:8025")
    transport = RecordingTransport(lambda request: emulator.handle(request, NOW))
    events: list[TrackingEvent] = []
    mails: list[InboundMessage] = []
    receiver = WebhookReceiver.from_config(
        {"provider": "resend", **settings},
        environ={},
        host=host,
        transport=transport,
        clock=lambda: NOW,
        on_event=events.append,
        on_inbound=mails.append,
    )
    for kind in EndpointKind:
        emulator.subscribe(kind, "https://hooks.example.com/")
    result = make_mailer(transport, **settings).send(
        Message(from_="a@example.com", to="b@example.com", subject="Hi", text="Hi", metadata={"order": "7"})
    )
    emulator.act(result.message_id or "", "email.bounced", NOW)
    emulator.receive(b"Subject: Re: Hi\r\n\r\nHello", NOW)
    for one in emulator.due(NOW):
        hook = WebhookRequest(
            method="POST",
            url=one.request.url,
            headers=[(name, str(value)) for name, value in one.request.headers],
            body=one.request.body if isinstance(one.request.body, bytes) else b"",
            received_at=NOW,
        )
        assert receiver.receive(hook, kind=one.kind).status == 200
    assert [(one.event_type.value, one.message_id, one.metadata["order"]) for one in events] == [
        ("queued", result.message_id, "7"),
        ("bounced", result.message_id, "7"),
    ]
    assert [(mail.subject, mail.raw) for mail in mails] == [("Re: Hi", b"Subject: Re: Hi\r\n\r\nHello")]
