"""One webhook delivery over HTTP.

Rule: the body is read from the stream, as it came, up to the endpoint's own limit: Django's is smaller
than an incoming mail may be.
"""

from __future__ import annotations

import logging
from io import BytesIO

from django.contrib.auth.decorators import login_not_required
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from mailcore import WebhookReceiver, WebhookRequest, WebhookResponse
from mailcore._delivery import length
from mailcore.frameworks._endpoint import CUT_OFF, NOT_FOUND, Endpoint
from mailcore.frameworks.django._registry import registry
from mailcore.frameworks.wsgi import received

__all__ = ["webhook"]

#: Bytes that one `read` asks for.
PIECE = 64 * 1024
#: The answer for a provider whose settings cannot work: it is to try again.
UNAVAILABLE = WebhookResponse(
    status=503, headers=NOT_FOUND.headers, body=b"This endpoint is not configured.\n"
)

_log = logging.getLogger("mailcore.webhooks")


@csrf_exempt
@login_not_required
def webhook(request: HttpRequest, provider: str, kind: str) -> HttpResponse:
    """Answer one delivery."""
    response = _answer(request, provider, kind)
    body = b"" if request.method == "HEAD" else response.body
    answer = HttpResponse(body, status=response.status)
    del answer.headers["Content-Type"]  # which Django would make up
    for name, value in response.headers:
        answer.headers[name] = value
    answer.headers["Content-Length"] = str(len(response.body))
    return answer


def _answer(request: HttpRequest, provider: str, kind: str) -> WebhookResponse:
    webhooks = registry.webhooks()
    endpoint = webhooks.find(provider, kind)
    if endpoint is None:
        error = webhooks.broken.get(provider.replace("_", "-"))
        if error is None:
            return NOT_FOUND
        _log.error("A delivery from %s cannot be received: %s", provider, error)
        return UNAVAILABLE
    if isinstance(request, WSGIRequest) and not _is_read(request):
        # Django would give an empty body where there is no length, though the server knows its end.
        return received(request.environ, endpoint)
    body = _body(request, endpoint)
    if body is None:
        return CUT_OFF
    delivery = WebhookRequest(
        method=request.method or "",
        url=request.build_absolute_uri(),
        headers=tuple(request.headers.items()),
        body=body,
    )
    return endpoint.receiver.receive(delivery, kind=endpoint.kind)


def _is_read(request: HttpRequest) -> bool:
    """Tell whether a middleware has read the body: Django keeps it then, or says that it is consumed."""
    return bool(request._read_started)  # type: ignore[attr-defined]  # noqa: SLF001  # reason: nothing public tells


def _body(request: HttpRequest, endpoint: Endpoint[WebhookReceiver]) -> bytes | None:
    """Return the body; None where it is cut off."""
    announced = length(request.headers.get("Content-Length"))
    left = endpoint.wanted(request.method or "", announced)
    stream = BytesIO(request.body) if _is_read(request) else request
    pieces = []
    try:
        while left > 0 and (piece := stream.read(min(left, PIECE))):
            pieces.append(piece)
            left -= len(piece)
    except UnreadablePostError:
        return None
    return None if left and announced is not None else b"".join(pieces)
