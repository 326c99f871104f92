"""What can be set for Postmark."""

from __future__ import annotations

from typing import Any

import attrs

from mailcore import ConfigurationError, Secret, about, check_service_url

__all__ = ["PostmarkOptions"]

API_URL = "https://api.postmarkapp.com"


def _api_url(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


def _stream(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(
            "message_stream is the ID of a message stream, such as outbound or broadcast."
        )
    return value


@attrs.frozen(kw_only=True)
class PostmarkOptions:
    """Settings of the Postmark adapter."""

    server_token: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Server API token (Postmark: your server, API Tokens).", needed_to="send"),
    )
    message_stream: str | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_stream),
        metadata=about("ID of the message stream to send through; Postmark's own choice is outbound."),
    )
    api_url: str = attrs.field(
        default=API_URL,
        converter=_api_url,
        metadata=about("Where the API is; change it for a stand-in only."),
    )
