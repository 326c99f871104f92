"""Resend (https://resend.com/docs): the contract's methods, each a call into one file."""

from __future__ import annotations

from collections.abc import Sequence

from mailcore import Adapter, Advice, Context, HttpRequest, HttpResponse, Message, SendResult
from mailcore_resend import _advice, _responses, _send
from mailcore_resend._options import ResendOptions

__all__ = ["ResendAdapter"]


class ResendAdapter(Adapter):
    """Translate between Resend and the common values."""

    options: ResendOptions

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        """Return the request for `POST /emails`."""
        return _send.request(message, ctx, self.options)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Return what Resend's answer means."""
        return _responses.result(message, response, now=ctx.now)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Return Resend's documented policies this message may break."""
        return _advice.advice(message)
