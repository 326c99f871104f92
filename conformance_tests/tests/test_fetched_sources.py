"""Mail whose source is fetched in two steps: what is asked first is not the source."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from gallery import host_of
from reference.mime_api import MimeAdapter
from reference.mime_kit import KIT, SPEC

from mailcore import (
    Context,
    Flow,
    HttpRequest,
    HttpResponse,
    InboundMessage,
    Request,
    Response,
    VerifiedWebhook,
)
from mailcore_conformance import Status, run

WHERE = b'{"where": "there"}'


class TwoSteps(MimeAdapter):
    """Asks where the mail is before it fetches it."""

    def inbound_flow(self, webhook: VerifiedWebhook, ctx: Context) -> Flow[Sequence[InboundMessage]]:
        """Fetch the one mail that a delivery points to."""
        url = f"{self.options.api_url}/where"
        response = yield HttpRequest(method="GET", url=url, headers=self.credentials(), commits=False)
        if response.body != WHERE:
            raise ValueError("That is not where the mail is.")
        return (yield from super().inbound_flow(webhook, ctx))


def answer(request: Request) -> Response:
    """Say where the mail is, and answer all else as ever."""
    if isinstance(request, HttpRequest) and request.url.endswith("/where"):
        return HttpResponse(status=200, body=WHERE)
    assert KIT.answer is not None
    return KIT.answer(request)


@pytest.mark.parametrize("check", ["W21.attachment", "W29.attached"])
def test_two_steps(check: str) -> None:
    """Only the answer that is the source becomes another source."""
    spec = attrs.evolve(SPEC, factory=f"{__name__}:TwoSteps")
    report = run(spec, attrs.evolve(KIT, answer=answer), host=host_of(spec), only=[check])
    assert {one.check.id: one.status for one in report.results}[check] is Status.PASS
