"""An adapter that fetches before it believes a webhook is tried with its emulator as well."""

from __future__ import annotations

import sys
from datetime import datetime

import attrs
from gallery import host_of
from reference.json_api import KIT, SPEC, JsonAdapter
from reference.json_emulator import JsonEmulator

from mailcore import (
    Context,
    Flow,
    HttpRequest,
    HttpResponse,
    Verification,
    WebhookRejected,
    WebhookRequest,
    WebhookResponse,
)
from mailcore_conformance import Status, run


class FetchingAdapter(JsonAdapter):
    """Asks the provider for a certificate, and refuses a delivery without one."""

    def verify_flow(self, request: WebhookRequest, ctx: Context) -> Flow[Verification | WebhookResponse]:
        """Fetch, then verify as before."""
        url = f"{self.options.api_url}/certificate"
        response = yield HttpRequest(method="GET", url=url, commits=False)
        if response.body != b"certificate":
            raise WebhookRejected("There is no certificate.")
        return self.verify_webhook(request, ctx)


class CertifyingEmulator(JsonEmulator):
    """Has a certificate."""

    def handle(self, request: HttpRequest, now: datetime) -> HttpResponse:
        """Answer as before, but for the certificate."""
        if request.method == "GET" and request.url.endswith("/v1/certificate"):
            return HttpResponse(status=200, body=b"certificate")
        return super().handle(request, now)


def test_fetches_from_the_emulator() -> None:
    """What the adapter fetches for an emulator's webhook is answered by the emulator, over no socket."""
    module = sys.modules[__name__]
    pointers = {
        field: f"{module.__name__}:{cls.__name__}"
        for field, cls in {"factory": FetchingAdapter, "emulator": CertifyingEmulator}.items()
    }
    spec = attrs.evolve(SPEC, **pointers)
    kit = attrs.evolve(KIT, answer=lambda _: HttpResponse(status=200, body=b"certificate"))
    report = run(spec, kit, host=host_of(spec), only=("E06.signed", "E06.events", "E07"))

    wanted = [one for one in report.results if one.check.id in ("E06.signed", "E06.events", "E07")]
    assert [(one.status, one.reason) for one in wanted] == [(Status.PASS, "")] * 3
