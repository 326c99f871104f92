"""What Mailgun answers, word for word.

Rule: every answer the documentation shows is made here, with the text it shows.
"""

from __future__ import annotations

import json

from mailcore import HttpResponse

__all__ = [
    "Refused",
    "accepted",
    "front_page",
    "missing",
    "not_an_address",
    "plain",
    "refused",
    "server_error",
    "too_fast",
]

FORBIDDEN = (401, "Forbidden")
NO_PAGE = (404, "404 page not found")  # [?] documented is that it is no JSON
NO_METHOD = (405, "405 method not allowed")  # [?]
NO_BODY = "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"
TWO_BODIES = "Only one parameters 'html' or 'template' is allowed"
LONG_OPTIONS = "Send options (parameters starting with o:, h:, or v:) are limited to 16KB total"
BAD_TIME = "o:deliverytime parameter is not a valid date"  # [?]
BAD_VARIABLES = "recipient-variables parameter is not a valid JSON dictionary"  # [?]
TOO_MANY = "too many recipients: at most 1000 with recipient-variables"  # [?]
TOO_LARGE = "message is larger than 25MB"  # [?]


class Refused(Exception):
    """End the request with an answer that is not an acceptance."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


def _json(status: int, document: object) -> HttpResponse:
    body = (json.dumps(document) + "\n").encode()
    return HttpResponse(status=status, headers=(("Content-Type", "application/json"),), body=body)


def accepted(message_id: str) -> HttpResponse:
    """Answer that the mail was queued."""
    return _json(200, {"id": message_id, "message": "Queued. Thank you."})


def refused(text: str, status: int = 400) -> Refused:
    """Answer with one sentence, as Mailgun answers nearly everything."""
    return Refused(_json(status, {"message": text}))


def missing(field: str) -> Refused:
    """Answer that a field is not there."""
    return refused(f"{field} parameter is missing")


def not_an_address(field: str) -> Refused:
    """Answer that a field holds something that is no address."""
    return refused(f"{field} parameter is not a valid address. please check documentation")


def plain(answer: tuple[int, str]) -> HttpResponse:
    """Answer in plain text."""
    status, text = answer
    return HttpResponse(status=status, headers=(("Content-Type", "text/plain"),), body=text.encode())


def front_page() -> HttpResponse:
    """Answer as the root of the API does."""
    return plain((200, "Mailgun Magnificent API"))


def too_fast(domain: str, seconds: int) -> HttpResponse:
    """Answer that there were too many requests."""
    text = (
        f"Domain {domain} is not allowed to send: account-requests-per-sec limit exceeded, "
        f"try again after {seconds} seconds"
    )
    return _json(429, {"message": text})


def server_error() -> HttpResponse:
    """Answer as a broken Mailgun does."""
    return _json(500, {"message": "Internal Server Error"})
