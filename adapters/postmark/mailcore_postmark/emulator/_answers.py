"""What Postmark answers.

Rule: a code stands for one meaning (https://postmarkapp.com/developer/api/overview#error-codes). Sentences
marked [?] are made up, because no source shows Postmark's own.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from mailcore import HttpResponse

__all__ = ["AccountProblem", "No", "Refused", "accepted", "edge_error", "not_found", "reply", "too_large"]


@attrs.frozen
class No:
    """Why one mail, or a whole request, is refused."""

    code: int
    text: str

    def document(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"ErrorCode": self.code, "Message": self.text}


# https://github.com/ActiveCampaign/postmark-rails/issues/60
NO_TOKEN = No(
    10,
    "No Account or Server API tokens were supplied in the HTTP headers. Please add a header for either "
    "X-Postmark-Server-Token or X-Postmark-Account-Token.",
)
# https://github.com/PipedreamHQ/pipedream/issues/10254
BAD_TOKEN = No(10, "Request does not contain a valid Server token.")
BAD_JSON = No(402, "The request body is not valid JSON.")  # [?]
OTHER_JSON = No(403, "The JSON of the request is not of the documented form.")  # [?]
JSON_REQUIRED = No(409, "Accept and Content-Type must be application/json.")  # [?]
TOO_MANY = No(410, "A batch holds at most 500 messages.")  # [?]
TOO_FAST = No(429, "The rate limit was exceeded.")  # [?]
SERVER_ERROR = No(500, "The request could not be processed.")  # [?]
MAINTENANCE = No(100, "The API is offline for maintenance.")  # [?]
NO_TEMPLATE = No(1101, "The template is not valid or was not found.")  # [?]
NO_BODY = No(300, "Provide either email TextBody or HtmlBody or both.")  # the words of article 1180
NO_RECIPIENT = No(300, "Zero recipients specified.")  # [?]
TOO_MANY_RECIPIENTS = No(300, "Maximum of 50 recipients allowed per email message.")  # article 1180
BAD_METADATA = No(300, "Invalid metadata content.")  # django-anymail knows it to begin so
BAD_TAG = No(300, "The tag is longer than 1000 characters.")  # [?]
BAD_ATTACHMENT = No(300, "An attachment has no name, no type or no base64 content.")  # [?]


def bad_address(field: str, text: str) -> No:
    """Return the refusal of an address, as django-anymail knows it."""
    return No(300, f"Invalid '{field}' address: '{text}'.")


def bad_field(field: str) -> No:
    """Return the refusal of a field of another type."""
    return No(403, f"The field '{field}' is not of the documented form.")  # [?]


def foreign_sender(address: str) -> No:
    """Return the refusal of https://github.com/feedadoc/feedadoc/pull/110."""
    return No(
        400,
        f"The 'From' address you supplied ({address}) is not a Sender Signature on your account. Please add "
        "and confirm this address in order to be able to use it in the 'From' field of your messages.",
    )


_REASON = (
    "Inactive recipients are ones that have generated a hard bounce, a spam complaint, "
    "or a manual suppression."
)


def all_inactive(addresses: Sequence[str]) -> No:
    """Return the refusal of https://github.com/ActiveCampaign/postmark-gem/issues/128."""
    return No(
        406,
        "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: "
        f"{', '.join(addresses)}. {_REASON}",
    )


class AccountProblem(enum.Enum):
    """Why the account may not send; each is answered with its code."""

    #: There are no credits left.
    NO_CREDITS = No(405, "The account ran out of credits.")  # [?]
    #: Postmark has not approved the account yet.
    PENDING = No(412, "The account is pending approval.")  # [?]
    #: Postmark stopped the account.
    MAY_NOT_SEND = No(413, "The account may not send.")  # [?]


class Refused(Exception):
    """End the request with an answer that is not an acceptance."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


def reply(document: Any, status: int = 200) -> HttpResponse:
    """Answer with JSON."""
    headers = (("Content-Type", "application/json; charset=utf-8"),)
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


def refused(why: No, status: int = 422) -> Refused:
    """Refuse a whole request."""
    return Refused(reply(why.document(), status))


def accepted(to: str, message_id: str, inactive: Sequence[str], now: datetime) -> dict[str, Any]:
    """Return the verdict on a mail that was taken; what of it will not be delivered is in the text alone."""
    text = "OK"
    if inactive:
        names = ", ".join(inactive)
        text = f"Message OK, but will not deliver to these inactive addresses: {names}. {_REASON}"
    said = {"SubmittedAt": timestamp(now), "MessageID": message_id, "ErrorCode": 0, "Message": text}
    return {"To": to, **said} if to else said


def timestamp(moment: datetime) -> str:
    """Return a time with the seven digits that Postmark writes."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def not_found() -> Refused:
    """Answer for a path that Postmark does not have."""
    return Refused(HttpResponse(status=404))


def too_large() -> Refused:
    """Answer 413; the documentation names the status and no body."""
    return Refused(HttpResponse(status=413))


def edge_error(status: int) -> HttpResponse:
    """Answer as a proxy in front of Postmark would: with HTML."""
    body = b"<html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
    return HttpResponse(status=status, headers=(("Content-Type", "text/html"),), body=body)
