"""Incoming mail is fetched: with the key from Resend, and without it from anywhere else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailcore import (
    Attachment,
    Covers,
    EndpointKind,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Message,
    ServiceUnavailable,
    Verification,
    VerifiedWebhook,
    WebhookReceiver,
    WebhookRequest,
)
from mailcore.testing import RecordingTransport
from mailcore_resend._adapter import ResendAdapter
from mailcore_resend._download import MAX_MAIL
from mailcore_resend._inbound import MAX_FILES
from mailcore_resend.emulator import ResendEmulator

TOKEN = "canary-b7f3-TOKEN-91d2"
SECRET = "whsec_" + b64encode(b"resend-tests-signing-secret").decode()
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
SOURCE = "https://inbound-cdn.resend.com/m-1?Signature=abc"


def webhook(mail_id: str) -> VerifiedWebhook:
    """Return a delivery that points to a mail."""
    body = json.dumps({"type": "email.received", "data": {"email_id": mail_id}}).encode()
    request = WebhookRequest(method="POST", headers={"svix-id": "msg_1"}, body=body)
    return VerifiedWebhook(request=request, verification=Verification(scheme="x", covers=Covers.BODY))


def run(
    adapter: ResendAdapter,
    ctx: Any,
    answer: Callable[[HttpRequest], HttpResponse],
    mail_id: str = "m-1",
) -> tuple[list[HttpRequest], InboundMessage]:
    """Return what is asked for, and the mail."""
    flow = adapter.inbound_flow(webhook(mail_id), ctx)
    asked: list[HttpRequest] = []
    try:
        request = next(flow)
        while True:
            assert isinstance(request, HttpRequest)
            asked.append(request)
            request = flow.send(answer(request))
    except StopIteration as stop:
        [mail] = stop.value
        return asked, mail


def answering(url: Any) -> Callable[[HttpRequest], HttpResponse]:
    """Return what answers with a mail whose source is at `url`."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "/emails/receiving/" in request.url:
            return HttpResponse(
                status=200, body=json.dumps({"text": "parsed", "raw": {"download_url": url}}).encode()
            )
        return HttpResponse(status=200, body=b"Subject: raw\r\n\r\nHello")

    return answer


def test_key_stays_with_resend(adapter: ResendAdapter, ctx: Any) -> None:
    """The API is asked with the key; the source is downloaded without it; neither sends mail."""
    asked, mail = run(adapter, ctx, answering(SOURCE))
    assert [request.url for request in asked] == [
        "https://api.resend.com/emails/receiving/m-1?html_format=cid",
        SOURCE,
    ]
    assert [any(name == "Authorization" for name, _ in request.headers) for request in asked] == [True, False]
    assert [request.commits for request in asked] == [False, False]
    assert (mail.subject, mail.event_id) == ("raw", "msg_1")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/m-1",
        "https://inbound-cdn.resend.com@evil.example/m-1",
        "https://inbound-cdn.resend.com.evil.example/m-1",
        "https://evilresend.com/m-1",
        "https://a.b.resend.com/m-1",
        "https://.resend.com/m-1",
        "https://inbound-cdn.resend.com:8443/m-1",
        "https://u:p@inbound-cdn.resend.com/m-1",
        "https://inbound-cdn.resend.com\\@evil.example/m-1",
        "http://inbound-cdn.resend.com/m-1",
        "HTTPS://INBOUND-CDN.RESEND.COM/m-1",
        "//inbound-cdn.resend.com/m-1",
        "file:///etc/passwd",
        "https://[inbound-cdn.resend.com/m-1",
        " https://inbound-cdn.resend.com/m-1",
        "https://inbound-cdn.resend.com\n/m-1",
        "",
        7,
    ],
)
def test_other_places_are_not_asked(adapter: ResendAdapter, ctx: Any, url: Any) -> None:
    """An address that is not Resend's, or not written plainly, costs the source and nothing more."""
    asked, mail = run(adapter, ctx, answering(url))
    assert len(asked) == 1
    assert (mail.text, mail.raw) == ("parsed", None)
    assert [defect.where for defect in mail.provider_defects] == ["raw"]


FILES = [
    {"filename": "a.txt", "content_type": "text/plain", "download_url": "https://inbound-cdn.resend.com/a"},
    {"filename": "b.txt", "content_type": "text/plain", "download_url": "https://inbound-cdn.resend.com/b"},
]


def told(
    mail: dict[str, Any], *, listed: Any = FILES, sizes: tuple[int, int] = (3, 3), status: int = 200
) -> Callable[[HttpRequest], HttpResponse]:
    """Return what answers with a mail, a list of files, and files of these sizes."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/attachments"):
            return HttpResponse(status=status, body=json.dumps({"data": listed}).encode())
        if "/emails/receiving/" in request.url:
            return HttpResponse(status=200, body=json.dumps(mail).encode())
        content = b"x" * sizes[request.url[-1] == "b"]
        return HttpResponse(status=200, body=content[: request.max_response])  # as a transport cuts it off

    return answer


def test_files_without_a_source(adapter: ResendAdapter, ctx: Any) -> None:
    """Where there is no source, the files are fetched one by one, the list with the key and they without."""
    asked, mail = run(adapter, ctx, told({"raw": None, "attachments": FILES}))
    assert [request.url.rpartition("/")[2] for request in asked] == [
        "m-1?html_format=cid",
        "attachments",
        "a",
        "b",
    ]
    keys = [any(name == "Authorization" for name, _ in request.headers) for request in asked]
    assert (keys, {request.commits for request in asked}) == ([True, True, False, False], {False})
    assert [(file.filename, file.content) for file in mail.attachments] == [
        ("a.txt", b"xxx"),
        ("b.txt", b"xxx"),
    ]
    assert mail.provider_defects == ()


@pytest.mark.parametrize(
    "change, names",
    [
        ({"sizes": (MAX_MAIL + 1, 3)}, ["b.txt"]),
        ({"sizes": (MAX_MAIL, 1)}, ["a.txt"]),
        ({"listed": [FILES[0], None]}, ["a.txt"]),
        ({"listed": FILES[:1] * (MAX_FILES + 1)}, ["a.txt"] * MAX_FILES),
        ({"listed": "x"}, []),
        ({"status": 404}, []),
    ],
)
def test_files_that_cannot_be_had(
    adapter: ResendAdapter, ctx: Any, change: dict[str, Any], names: list[str]
) -> None:
    """What is too large, too many or not there is noted; the rest is there."""
    _, mail = run(adapter, ctx, told({"attachments": FILES}, **change))
    assert [file.filename for file in mail.attachments] == names
    assert [defect.where for defect in mail.provider_defects] == ["attachments"]


def test_source_that_is_cut_off(adapter: ResendAdapter, ctx: Any) -> None:
    """Half a mail is not taken for a whole one."""
    source = {"download_url": "https://inbound-cdn.resend.com/a"}
    _, mail = run(adapter, ctx, told({"text": "parsed", "raw": source}, sizes=(MAX_MAIL + 9, 0)))
    assert (mail.raw, mail.text) == (None, "parsed")
    assert [defect.where for defect in mail.provider_defects] == ["raw"]


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("place", ["receiving/m-1?", "/attachments", "cdn.resend.com/a"])
def test_not_now(adapter: ResendAdapter, ctx: Any, status: int, place: str) -> None:
    """Whatever fails for now, the delivery is asked for again rather than half a mail taken."""
    whole = told({"attachments": FILES})

    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=status) if place in request.url else whole(request)

    with pytest.raises(ServiceUnavailable) as caught:
        run(adapter, ctx, answer)
    assert caught.value.retriable


def test_it_is_asked_for_again(make_receiver: Callable[..., WebhookReceiver]) -> None:
    """Resend hears 503 and delivers again; then the mail is there."""
    emulator = ResendEmulator(signing_secret=SECRET, api_key=TOKEN)
    emulator.subscribe(EndpointKind.INBOUND, "https://hooks.example.com/")
    emulator.receive(b"Subject: Hi\r\n\r\nHello", NOW)
    answers = iter([HttpResponse(status=503)])
    settings = emulator.settings("https://api.resend.com")
    transport = RecordingTransport(lambda request: next(answers, None) or emulator.handle(request, NOW))
    mails: list[InboundMessage] = []
    receiver = make_receiver(on_inbound=mails.append, transport=transport)
    statuses = []
    for moment in (NOW, NOW + timedelta(seconds=5)):
        [made] = emulator.due(moment)
        headers = [(name, str(value)) for name, value in made.request.headers]
        hook = WebhookRequest(headers=headers, body=bytes(made.request.body), received_at=NOW)
        statuses.append(receiver.receive(hook, kind=made.kind).status)
        emulator.answered(made.delivery_id, statuses[-1], moment)
    assert (settings["api_key"], statuses, [mail.subject for mail in mails]) == (TOKEN, [503, 200], ["Hi"])


def test_name_of_the_sender(adapter: ResendAdapter, ctx: Any) -> None:
    """The field has the address alone, the header the name as well."""
    fields = {"from": "ada@example.com", "headers": {"from": "Ada <ada@example.com>"}}
    _, mail = run(adapter, ctx, told(fields))
    assert mail.from_[0].display_name == "Ada"
    _, mail = run(adapter, ctx, told({"from": "ada@example.com", "headers": {"x": "y"}}))
    assert mail.from_[0].addr_spec == "ada@example.com"


@pytest.mark.parametrize("offers_source", [True, False])
def test_emulator_with_and_without_the_source(adapter: ResendAdapter, ctx: Any, offers_source: bool) -> None:
    """Both ways lead to the same mail."""
    emulator = ResendEmulator(api_key=TOKEN, offers_source=offers_source)
    emulator.settings("https://api.resend.com")
    message = Message(
        from_="Ëve <eve@example.net>", to="desk@example.com", subject="Grüße", text="Hällo",
        attachments=Attachment(content=bytes(range(256)), filename="naïve.bin"),
    )  # fmt: skip
    emulator.receive(message.to_email().as_bytes(), NOW)
    [mail_id] = emulator._received
    _, mail = run(adapter, ctx, lambda request: emulator.handle(request, NOW), mail_id=mail_id)
    assert (mail.subject, mail.from_[0].display_name, (mail.text or "").strip()) == ("Grüße", "Ëve", "Hällo")
    [file] = mail.attachments
    assert (file.original_filename, file.content) == ("naïve.bin", bytes(range(256)))
    assert (mail.raw is not None, mail.provider_defects) == (offers_source, ())
