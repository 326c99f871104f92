"""Answers, as https://resend.com/docs/api-reference/errors lists them."""

from __future__ import annotations

import json
from typing import Any

from mailcore import HttpResponse

__all__ = ["Refused", "answer"]


def answer(document: Any, status: int = 200, *more: tuple[str, str]) -> HttpResponse:
    """Return a JSON answer."""
    headers = [("Content-Type", "application/json; charset=utf-8"), *more]
    return HttpResponse(status=status, headers=headers, body=json.dumps(document).encode())


class Refused(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, name: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(message)
        self.response = answer({"statusCode": status, "name": name, "message": message}, status, *more)
