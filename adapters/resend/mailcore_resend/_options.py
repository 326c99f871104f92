"""What can be set for Resend."""

from __future__ import annotations

from typing import Any

import attrs

from mailcore import Secret, about, check_service_url

__all__ = ["ResendOptions"]

API_URL = "https://api.resend.com"


def _api_url(value: Any) -> str:
    return check_service_url(str(value)).rstrip("/")


@attrs.frozen(kw_only=True)
class ResendOptions:
    """Settings of the Resend adapter."""

    api_key: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("API key (Resend: API Keys).", needed_to="send"),
    )
    api_url: str = attrs.field(
        default=API_URL,
        converter=_api_url,
        metadata=about("Where the API is; change it for a stand-in only."),
    )
