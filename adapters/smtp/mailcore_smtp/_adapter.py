"""SMTP (RFC 5321): the contract's methods, each a call into the file that knows."""

from __future__ import annotations

from mailcore import Adapter, Context, Message, SendResult, SmtpRequest, SmtpResponse
from mailcore_smtp import _replies, _send
from mailcore_smtp._options import SmtpOptions

__all__ = ["SmtpAdapter"]


class SmtpAdapter(Adapter):
    """
    Translate between a mail server and the common values.

    Raises:
        ConfigurationError: The settings do not go together.
    """

    options: SmtpOptions

    def __init__(self, options: SmtpOptions) -> None:
        super().__init__(options)
        options.check()

    def build_send(self, message: Message, ctx: Context) -> SmtpRequest:
        """Return the transaction that hands the message to the server."""
        return _send.request(message, ctx, self.options)

    def parse_send(self, message: Message, ctx: Context, response: SmtpResponse) -> SendResult:
        """Return what the server's last word means."""
        return _replies.result(message, ctx, response)
