"""What an author supplies: how to configure the adapter, how to sign, and genuine samples as files.

Rule: evidence that is missing is a failure, never a skip. A suite that quietly tests less is worth less
than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import attrs

from mailcore import Request, Response, WebhookRequest
from mailcore_conformance._sample import (
    Delivery,
    Exchange,
    KitError,
    MessageSample,
    SettingsSample,
    deliveries,
    exchanges,
    messages,
    settings,
)

__all__ = ["Kit", "KitError", "Sign"]


class Sign(Protocol):
    """Sign a delivery as the provider would."""

    def __call__(self, request: WebhookRequest, *, key: int, at: datetime) -> WebhookRequest:
        """
        Return the delivery with a new signature in place of any old one.

        Args:
            key: Number of the key, from 0; the samples are signed with key 0.
            at: When it is signed, where the scheme says so.
        """
        ...


def _texts(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(items)


@attrs.frozen(kw_only=True, slots=False, eq=False)
class Kit:
    """
    Everything the suite needs to know of one adapter.

    Attributes:
        provider: The adapter's name.
        folder: Holds `exchanges/*.json` and `webhooks/*.json`; where the adapter advises or refuses,
            `messages/*.json`; where it reads settings its own way, `settings/*.json`.
        options: Made-up token → options that can send with it.
        webhook_options: Numbers of keys → options that trust them. Needed where there are signed
            webhooks.
        sign: Signs a delivery. Needed where there are signed webhooks.
        signed_fields: Names of the body's fields under the signature, where it covers fields.
        answer: Answers what a flow fetches before or after the one request that sends: a
            certificate, a stored mail. Needed where there is such a flow.
    """

    provider: str
    folder: Path = attrs.field(converter=Path)
    options: Callable[[str], Mapping[str, Any]]
    webhook_options: Callable[[Sequence[int]], Mapping[str, Any]] | None = None
    sign: Sign | None = None
    signed_fields: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    answer: Callable[[Request], Response] | None = None

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """
        The samples of sends.

        Raises:
            KitError: A file cannot be used.
        """
        return exchanges(self.folder / "exchanges")

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """
        The samples of webhooks.

        Raises:
            KitError: A file cannot be used.
        """
        return deliveries(self.folder / "webhooks")

    @cached_property
    def messages(self) -> tuple[MessageSample, ...]:
        """
        The samples of messages that the adapter advises for or refuses.

        Raises:
            KitError: A file cannot be used.
        """
        return messages(self.folder / "messages")

    @cached_property
    def settings(self) -> tuple[SettingsSample, ...]:
        """
        The samples of settings.

        Raises:
            KitError: A file cannot be used.
        """
        return settings(self.folder / "settings")
