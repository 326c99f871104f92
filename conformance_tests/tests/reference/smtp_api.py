"""A correct adapter of an invented mail server, which answers for each recipient and for the whole mail."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from mailcore import (
    Adapter,
    AdapterSpec,
    AuthenticationFailed,
    Capability,
    Context,
    MaybeSent,
    Message,
    MimeBody,
    NotAccepted,
    RecipientRejected,
    RecipientResult,
    Rejected,
    Secret,
    SendError,
    SendResult,
    SendStatus,
    SmtpRequest,
    SmtpResponse,
    Support,
    about,
)
from mailcore_conformance import Kit

__all__ = ["KIT", "SPEC", "SmtpAdapter", "SmtpOptions"]

NAME = "reference-smtp"
DOCS = "https://docs.smtp-api.example"
SERVER = "mail.smtp-api.example:587"
LOGIN = (530, 534, 535)


@attrs.frozen(kw_only=True)
class SmtpOptions:
    """Settings of the adapter."""

    password: Secret | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(Secret),
        metadata=about("Password of the account.", needed_to="send"),
    )


class SmtpAdapter(Adapter):
    """Hand a mail to the server, and say what it said."""

    def build_send(self, message: Message, ctx: Context) -> SmtpRequest:
        """Return the transaction; `provider_options` are parameters of MAIL FROM."""
        body = MimeBody(message, created=ctx.created, unique=ctx.unique)
        sender = message.from_[0].ascii_spec
        recipients = dict.fromkeys(one.ascii_spec for one in message.recipients)
        utf8 = body.needs_smtputf8 or not "".join([sender, *recipients]).isascii()
        own = message.provider_options.get(NAME, {})
        return SmtpRequest(
            server=SERVER,
            username="account",
            password=self.options.password,
            mail_from=sender,
            rcpt_to=recipients,
            data=body,
            options=[*(["SMTPUTF8"] if utf8 else []), *(f"{name}={value}" for name, value in own.items())],
        )

    def parse_send(self, message: Message, ctx: Context, response: SmtpResponse) -> SendResult:
        """Return the result of an accepted message; a yes to its end is the only acceptance."""
        if response.command != "." or response.code // 100 != 2:
            raise self.error(response)
        rows = {one.addr_spec: self.row(response, one.ascii_spec) for one in message.recipients}
        return SendResult(message_id=None, recipients=rows, scope="recipient", raw=response)

    def row(self, response: SmtpResponse, address: str) -> RecipientResult:
        """Return what was said of one recipient."""
        if address not in response.refused:
            return RecipientResult(status=SendStatus.QUEUED)
        code, text = response.refused[address]
        return RecipientResult(
            status=SendStatus.REJECTED, reason=words(text), code=str(code), retriable=code < 500
        )

    def error(self, response: SmtpResponse) -> SendError:
        """Return the error for a last word that is no acceptance."""
        if response.lacks:
            return Rejected(f"The server lacks {response.lacks}.", response=response)
        return self.meaning(response)(f"{response.code}: {words(response.text)}", response=response)

    def meaning(self, response: SmtpResponse) -> type[SendError]:
        """Return the class of that error."""
        if response.code in LOGIN:
            return AuthenticationFailed
        if response.code // 100 == 4:
            return NotAccepted
        if response.command == "." and response.code < 400:
            return MaybeSent
        return RecipientRejected if response.command == "RCPT" else Rejected


def words(text: str) -> str:
    """Return what a server says on one line."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)[:200]


SPEC = AdapterSpec(
    name=NAME,
    title="Reference (SMTP)",
    factory="reference.smtp_api:SmtpAdapter",
    options="reference.smtp_api:SmtpOptions",
    capabilities={
        capability: Support(url=DOCS)
        for capability in (
            Capability.HTML,
            Capability.AMP_HTML,
            Capability.CC,
            Capability.BCC,
            Capability.MULTIPLE_FROM,
            Capability.REPLY_TO,
            Capability.MULTIPLE_REPLY_TO,
            Capability.HEADERS,
            Capability.IN_REPLY_TO,
            Capability.REFERENCES,
            Capability.LIST_UNSUBSCRIBE,
            Capability.ATTACHMENTS,
            Capability.INLINE_IMAGES,
            Capability.RECIPIENT_STATUS,
        )
    },
    conformance_kit="reference.smtp_api:KIT",
    docs_url=DOCS,
)

KIT = Kit(
    provider=NAME,
    folder=Path(__file__).parent / "kits" / "smtp",
    options=lambda secret: {"password": secret},
)
