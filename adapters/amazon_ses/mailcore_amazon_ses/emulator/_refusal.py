"""What AWS says no with.

SES docs (API reference, Common Errors, and each action): a status, a name in `x-amzn-ErrorType`, a message.
"""

from __future__ import annotations

import json

from mailcore import HttpResponse

__all__ = ["Refusal", "answer"]


class Refusal(Exception):
    """One error of AWS; `name` and `status` are documented together."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message

    def response(self) -> HttpResponse:
        """Return the error as SES answers it."""
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": self.name}
        body = json.dumps({"message": self.message}).encode()
        return HttpResponse(status=self.status, headers=headers, body=body)


def answer(document: object) -> HttpResponse:
    """Return a success."""
    headers = {"Content-Type": "application/json"}
    return HttpResponse(status=200, headers=headers, body=json.dumps(document).encode())
