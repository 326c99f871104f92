"""What MailPace answers, word for word.

Rule: every answer the documentation shows is made here, with the text it shows.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence

from mailcore import HttpResponse

__all__ = ["AccountProblem", "Refused", "accepted", "edge_error", "empty_error", "failed", "invalid"]

NOT_FOUND = (404, "Not Found")  # [?] what Rails, which MailPace runs on, says
MISSING_TOKEN = (401, "Missing API Token")
BAD_TOKEN = (400, "Invalid API Token")  # 400, not 401
UNREADABLE_SENDER = (400, "Email from address not parseable")
FOREIGN_SENDER = (403, "Verified domain does not match domain in From address of email")
BAD_FORMAT = (406, "Invalid request format or content type")
TOO_FAST = (429, "You are sending emails too quickly")  # no Retry-After is documented
LONG_KEY = (400, "Idempotency-Key is longer than 255 characters")  # [?]
CONFLICT = (409, "A request with this Idempotency-Key is being processed")  # [?]
TOO_LARGE = (413, "Payload Too Large")  # [?]

UNDEFINED = "undefined field"
INVALID = "is invalid"
BLOCKED_ADDRESS = "contains a blocked address"
TOO_MANY = "number of email addresses exceeds maximum volume"
BLOCKED_EXTENSION = "Extension file type blocked, see Docs for full list of allowed file types"


class AccountProblem(enum.Enum):
    """Why the account may not send; the value is MailPace's text. Each is answered with 403."""

    #: The DNS record of the domain was not found.
    DKIM_UNVERIFIED = "Domain DKIM DNS not verified, please complete DKIM Verification"
    #: Nobody pays for the organization.
    NO_ACTIVE_PLAN = "The organization that owns this domain does not have an active plan"
    #: MailPace stopped the organization.
    DISABLED = "This organization is unable to send emails. Please contact support"


class Refused(Exception):
    """End the request with an answer that is not an acceptance."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


def _json(status: int, document: object) -> HttpResponse:
    headers = (("Content-Type", "application/json; charset=utf-8"),)
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


def accepted(mail_id: int) -> HttpResponse:
    """Answer that the mail was queued. MailPace docs: the status is always `pending`."""
    return _json(200, {"id": mail_id, "status": "pending"})


def failed(answer: tuple[int, str]) -> Refused:
    """Answer with one sentence about the request as a whole."""
    status, text = answer
    return Refused(_json(status, {"error": text}))


def invalid(errors: Mapping[str, Sequence[str]]) -> Refused:
    """Answer with messages by field; one bad recipient refuses the whole mail."""
    return Refused(_json(400, {"errors": {field: list(texts) for field, texts in errors.items()}}))


def empty_error() -> HttpResponse:
    """Answer as a broken MailPace does. MailPace docs: 500, no content."""
    return HttpResponse(status=500)


def edge_error(status: int) -> HttpResponse:
    """Answer as the proxy in front of MailPace does when it gets no answer itself: with HTML."""
    body = b"<html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
    return HttpResponse(status=status, headers=(("Content-Type", "text/html"),), body=body)
