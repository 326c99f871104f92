"""Message → request.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages

Rule 1: one entry a field; a field that is absent is an absent key, never empty.
Rule 2: a mail goes as MIME where the form would lose something, and only there. The form names an inline
        file by its content id alone, says nothing of the parameters of a file's type, and needs a `to`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from email.utils import format_datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from mailcore import (
    Address,
    Attachment,
    Context,
    FormBody,
    HttpRequest,
    Message,
    MimeBody,
    MultipartBody,
    Secret,
    UnsupportedFeature,
)
from mailcore_mailgun._batch import form_text, recipient_fields
from mailcore_mailgun._options import MailgunOptions

__all__ = ["request"]

Fields: TypeAlias = "list[tuple[str, str]]"


def request(message: Message, ctx: Context, options: MailgunOptions) -> HttpRequest:
    """
    Return the request that sends `message`.

    Raises:
        UnsupportedFeature: Something that neither the form nor MIME can say.
    """
    sender = message.from_[0]
    if not sender.ascii_spec.isascii():
        raise unsupported("from_", "Mailgun writes a sender beyond ASCII wrongly, and the mail is lost.")
    as_mime = _needs_mime(message)
    fields = [*(_mime_fields(message) if as_mime else _form_fields(message)), *_written(message, _OPTIONS)]
    own: Mapping[str, Any] = message.provider_options.get("mailgun", {})
    fields = [pair for pair in fields if pair[0] not in own]
    fields += [(name, text) for name, value in own.items() for text in _own(value)]
    body = _body(message, ctx, fields, as_mime=as_mime)
    headers: list[tuple[str, str | Secret]] = [("Content-Type", body.content_type)]
    if options.api_key is not None:
        headers.append(("Authorization", options.api_key.as_basic("api")))
    domain = options.domain or sender.ascii_spec.rpartition("@")[2]
    endpoint = "messages.mime" if as_mime else "messages"
    url = f"{options.api_url}/v3/{quote(domain, safe='')}/{endpoint}"
    return HttpRequest(method="POST", url=url, headers=headers, body=body)


def unsupported(field: str, text: str) -> UnsupportedFeature:
    """Return the error for what Mailgun cannot be told."""
    return UnsupportedFeature(text, field=field, provider="mailgun")


def _needs_mime(message: Message) -> bool:
    if message.to and not any(map(_form_loses, message.attachments)):
        return False
    if message.is_batch or message.template_id:
        # In MIME each of them would see all others in `To`, and the template would have no place.
        field, what = ("attachments", "a file") if message.to else ("to", "no address in 'to'")
        raise unsupported(
            field,
            f"Mailgun sends {what} like this as MIME only, and no batch or template so. Give the file the "
            "name of its content id and a plain type, and an address in 'to'.",
        )
    return True


def _form_loses(file: Attachment) -> bool:
    return bool(file.parameters) or (
        file.inline and file.content_id != (file.filename or file.content_id or "")
    )


def _body(message: Message, ctx: Context, fields: Fields, *, as_mime: bool) -> FormBody | MultipartBody:
    boundary = f"mailgun-{ctx.unique}"
    if as_mime:
        mime = MimeBody(message, created=ctx.created, unique=ctx.unique)
        return MultipartBody([*fields, ("message", mime)], boundary=boundary)
    if not message.attachments:
        return FormBody(fields)
    files = [(_file_field(file), _named(file)) for file in message.attachments]
    return MultipartBody([*fields, *files], boundary=boundary)


def _file_field(file: Attachment) -> str:
    return "inline" if file.inline else "attachment"


def _named(file: Attachment) -> Attachment:
    """Return a file under its content id: Mailgun makes the id of the name."""
    if not file.inline:
        return file
    return Attachment(
        content=file.content, filename=file.content_id, content_type=file.content_type, charset=file.charset
    )


# Fields ---------------------------------------------------------------------------------------------


def _mime_fields(message: Message) -> Fields:
    # `to` is the envelope here; who is shown as what stands in the mail itself, and bcc nowhere.
    envelope = [("to", address.to_text()) for address in message.recipients]
    return [*envelope, *recipient_fields(message, {})]


def _form_fields(message: Message) -> Fields:
    return [*_written(message, _FORM), *recipient_fields(message, _headers(message))]


def _headers(message: Message) -> dict[str, str]:
    own = dict(_written(message, _HEADERS))
    return {**own, **{f"h:{name}": value for name, value in message.headers.items()}}


def _written(message: Message, table: Iterable[tuple[str, str, Callable[[Any], Sequence[str]]]]) -> Fields:
    values = ((name, write, getattr(message, ours)) for ours, name, write in table)
    return [(name, text) for name, write, value in values if value not in (None, ()) for text in write(value)]


def _each(addresses: Iterable[Address]) -> list[str]:
    return [address.to_text() for address in addresses]


def _one(value: Any) -> list[str]:
    return [value]


def _flag(value: Any) -> list[str]:
    return ["yes" if value else "no"]


def _own(value: Any) -> list[str]:
    """Return a provider option as Mailgun writes such values; a list is the field several times."""
    if isinstance(value, list | tuple):
        return [text for item in value for text in _own(item)]
    if isinstance(value, bool):
        return _flag(value)
    return [form_text(value)]


#: Our field, Mailgun's, and how it is written.
_FORM = (
    ("from_", "from", lambda authors: _each(authors[:1])),  # of more than one nothing is documented
    ("to", "to", _each),
    ("cc", "cc", _each),
    ("bcc", "bcc", _each),
    ("subject", "subject", _one),
    ("text", "text", _one),
    ("html", "html", _one),
    ("amp_html", "amp-html", _one),
    ("template_id", "template", _one),
)
_HEADERS = (
    ("reply_to", "h:Reply-To", lambda addresses: [", ".join(_each(addresses))]),
    ("in_reply_to", "h:In-Reply-To", _one),
    ("references", "h:References", lambda ids: [" ".join(ids)]),
    ("list_unsubscribe", "h:List-Unsubscribe", lambda uris: [", ".join(f"<{uri}>" for uri in uris)]),
)
_OPTIONS = (
    ("tags", "o:tag", list),
    ("send_at", "o:deliverytime", lambda moment: [format_datetime(moment)]),
    ("track_opens", "o:tracking-opens", _flag),
    ("track_clicks", "o:tracking-clicks", _flag),
)
