"""Incoming mail is fetched: with the key from Resend, and without it from anywhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mailcore import HttpRequest, HttpResponse, InboundMessage, VerifiedWebhook, WebhookRequest
from mailcore._delivery import Covers, Verification
from mailcore_resend._adapter import ResendAdapter

SOURCE = "https://inbound-cdn.resend.com/m-1?Signature=abc"


def webhook() -> VerifiedWebhook:
    """Return a delivery that points to a mail."""
    body = json.dumps({"type": "email.received", "data": {"email_id": "m-1"}}).encode()
    request = WebhookRequest(method="POST", headers={"svix-id": "msg_1"}, body=body)
    return VerifiedWebhook(request=request, verification=Verification(scheme="x", covers=Covers.BODY))


def run(
    adapter: ResendAdapter, ctx: Any, answer: Callable[[HttpRequest], HttpResponse]
) -> tuple[list[HttpRequest], InboundMessage]:
    """Return what is asked for, and the mail."""
    flow = adapter.inbound_flow(webhook(), ctx)
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
