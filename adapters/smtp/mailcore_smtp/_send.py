"""Message → transaction: the envelope, and the mail as MIME.

Rule: an extension is asked for only where this mail needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mailcore import ConfigurationError, Context, Message, MimeBody, SmtpRequest, UnsupportedFeature
from mailcore_smtp import _dsn
from mailcore_smtp._options import SmtpOptions

__all__ = ["message_id", "request"]

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>\r\n]+)>", re.IGNORECASE | re.MULTILINE)


def request(message: Message, ctx: Context, options: SmtpOptions) -> SmtpRequest:
    """
    Return the transaction that hands `message` to the server.

    Raises:
        UnsupportedFeature: `provider_options` hold something that SMTP has no word for.
    """
    body = _body(message, ctx)
    sender = (message.envelope_sender or message.from_[0]).ascii_spec
    recipients = dict.fromkeys(address.ascii_spec for address in message.recipients)
    asked = _asked(message, options)
    international = body.needs_smtputf8 or not "".join([sender, *recipients]).isascii()
    return SmtpRequest(
        server=options.server,
        security=options.security,  # type: ignore[arg-type]  # reason: checked when it was set
        username=options.username or "",
        password=options.password,
        client_name=options.client_name or "",
        mail_from=sender,
        rcpt_to=recipients,
        data=body,
        options=list(_parameters(body, asked, international=international)),
        rcpt_options=[f"NOTIFY={','.join(asked['notify']).upper()}"] if "notify" in asked else [],
    )


def message_id(message: Message, ctx: Context) -> str | None:
    """Return the id that the mail has, without its brackets."""
    head = next(iter(_body(message, ctx)))
    found = _MESSAGE_ID.search(head)
    return found[1].decode() if found else None


def _body(message: Message, ctx: Context) -> MimeBody:
    return MimeBody(message, created=ctx.created, unique=ctx.unique)


def _asked(message: Message, options: SmtpOptions) -> dict[str, Any]:
    """Return what is asked to be told: the message's own word, else what is set."""
    settings = {"notify": options.notify, "ret": options.ret}
    asked = {name: value for name, value in settings.items() if value is not None}
    own: Mapping[str, Any] = message.provider_options.get("smtp", {})
    for name, value in own.items():
        if name not in _dsn.DSN:
            raise _unsupported(f"SMTP has no option {name!r}. Options: {', '.join(_dsn.DSN)}.")
        try:
            asked[name] = _dsn.DSN[name](value)
        except ConfigurationError as error:
            raise _unsupported(str(error)) from None
    return asked


def _unsupported(text: str) -> UnsupportedFeature:
    return UnsupportedFeature(text, field="provider_options", provider="smtp")


def _parameters(body: MimeBody, asked: Mapping[str, Any], *, international: bool) -> Iterator[str]:
    yield f"SIZE={len(body)}"
    if international:  # such an address stands in a header as it is: eight bits (RFC 6531, 3.4)
        yield "BODY=8BITMIME"
        yield "SMTPUTF8"
    if "ret" in asked:
        yield f"RET={asked['ret'].upper()}"
    if "envid" in asked:
        yield f"ENVID={_xtext(asked['envid'])}"


def _xtext(text: str) -> str:
    """Return a text as a parameter may hold it (RFC 3461, 4)."""
    return "".join(one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" for one in text)
