"""Adapters in which a hostile value becomes syntax, or loses what looks like it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import attrs
from reference.form_api import FormAdapter
from reference.json_api import JsonAdapter

from gallery import broken
from gallery._changed import Changed, Document, changing
from mailcore import Capability, Context, HttpRequest, Message


@broken("B41.subject", "A subject of quotes, brackets and the like does not come back whole")
class EscapesSubject(Changed):
    """Escapes the subject for HTML, which it is not."""

    def change(self, document: Document, message: Message) -> None:
        if "subject" in document:
            document["subject"] = html.escape(document["subject"])


@broken("B41.subject", "A subject of quotes, brackets and the like does not come back whole")
class QuotesOddSubjects(Changed):
    """Writes a subject with an ampersand as JSON, quotation marks and all."""

    def change(self, document: Document, message: Message) -> None:
        if "&" in document.get("subject", ""):
            document["subject"] = json.dumps(document["subject"])


@broken("B41.subject", "A subject of quotes, brackets and the like does not come back whole", of="form")
class SubjectByHand(FormAdapter):
    """Writes a form by hand, and leaves a percent sign in the subject as it is."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        request = super().build_send(message, ctx)
        body = b"".join(request.body)
        percents = quote(message.subject or "", safe="%").count("%4") and body.replace(b"%2541", b"%41")
        return attrs.evolve(request, body=percents or body)


@broken("B41.subject", "A hostile subject changes the request: body.bcc is there more or less often")
class SubjectWithFields(Changed):
    """Takes what follows `"bcc":` in a subject for a field."""

    def change(self, document: Document, message: Message) -> None:
        if '"bcc":' in document.get("subject", ""):
            document["bcc"] = document["subject"].partition('"bcc":')[2]


@broken("B41.text", "A text of boundaries, headers and quotes does not come back whole")
class CutsAtBoundaries(Changed):
    """Ends the text where a line looks like a boundary."""

    def change(self, document: Document, message: Message) -> None:
        if "text" in document:
            document["text"] = document["text"].partition("\n--")[0]


@broken("B41.text", "A hostile text changes the request: body.bcc")
class TextWithFields(Changed):
    """Takes a line of the text that looks like a form for fields."""

    def change(self, document: Document, message: Message) -> None:
        last = document.get("text", "").rpartition("\n")[2]
        document.update({name: value for name, value in parse_qsl(last) if name == "bcc"})


@broken("B41.html", "A html of boundaries, headers and quotes does not come back whole")
class UnescapesHtml(Changed):
    """Undoes what HTML escapes."""

    def change(self, document: Document, message: Message) -> None:
        if "html" in document:
            document["html"] = html.unescape(document["html"])


def _without_quotes(field: str) -> Callable[[Document, Message], None]:
    def change(document: Document, message: Message) -> None:
        for one in document.get(field, ()):
            one.update({"name": one["name"].replace('"', "")} if "name" in one else {})

    return change


for _field in ("from", "cc", "reply_to"):
    changing(
        "B41.name",
        "does not come back whole",
        f"StripsQuotesIn{_field.title().replace('_', '')}",
        f"Takes quotes in names of `{_field}` for syntax.",
        _without_quotes(_field),
    )


@broken("B41.name", "A hostile name in from_ adds an address")
class AddressesInSendersName(Changed):
    """Takes an address in the sender's name for one more sender."""

    def change(self, document: Document, message: Message) -> None:
        for spec in re.findall("<([^>]+)>", document["from"][0].get("name", "")):
            document["from"].append({"email": spec})


@broken("B41.address", "An address in to with & = % / in its local part does not come back whole")
class DecodesAddresses(Changed):
    """Decodes an address that was never encoded."""

    def change(self, document: Document, message: Message) -> None:
        for one in document["to"]:
            one["email"] = unquote(one["email"])


@broken("B41.tags", "tags: one tag with ',' makes the same request as two values")
class SplitsTags(Changed):
    """Makes two tags of one with a comma and no space."""

    def change(self, document: Document, message: Message) -> None:
        if message.tags == ("one,two",):
            document["tags"] = ["one", "two"]


@broken("B41.tags", "tags: a value of quotes, brackets and the like does not come back whole")
class SlugsForTags(Changed):
    """Makes tags of letters, digits, spaces and hyphens."""

    def change(self, document: Document, message: Message) -> None:
        if "tags" in document:
            document["tags"] = [re.sub(r"[^\w -]", "", tag) for tag in document["tags"]]


@broken("B41.metadata", "metadata: a value of quotes, brackets and the like does not come back whole")
class DotsInKeys(Changed):
    """Replaces dots in keys of metadata."""

    def change(self, document: Document, message: Message) -> None:
        if "metadata" in document:
            document["metadata"] = {
                key.replace(".", "_"): value for key, value in document["metadata"].items()
            }


@broken("B41.metadata", "metadata: one value with ';' and '=' makes the same request as two values")
class SplitsMetadata(Changed):
    """Reads pairs out of a value."""

    def change(self, document: Document, message: Message) -> None:
        if document.get("metadata") == {"a": "1;b=2"}:
            document["metadata"] = {"a": "1", "b": "2"}


@broken("B41.headers", "headers: a value of quotes, brackets and the like does not come back whole")
class FirstPartOfHeaders(Changed):
    """Takes a header up to its first semicolon."""

    def change(self, document: Document, message: Message) -> None:
        for name, value in document.get("headers", {}).items():
            document["headers"] = {**document["headers"], name: value.partition(";")[0]}


@broken("B41.list_unsubscribe", "a value of quotes, brackets and the like does not come back whole")
class DecodesUris(Changed):
    """Decodes URIs for unsubscribing."""

    def change(self, document: Document, message: Message) -> None:
        if "list_unsubscribe" in document:
            document["list_unsubscribe"] = [unquote(uri) for uri in document["list_unsubscribe"]]


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return html.escape(value) if isinstance(value, str) else value


def _escaping(name: str) -> Callable[[Document, Message], None]:
    def change(document: Document, message: Message) -> None:
        if name in document:
            document[name] = _escaped(document[name])

    return change


for _capability in (
    Capability.MERGE_DATA,
    Capability.MERGE_METADATA,
    Capability.MERGE_HEADERS,
    Capability.MERGE_GLOBAL_DATA,
):
    _name = _capability.value.partition(".")[2]
    changing(
        f"B41.{_name}",
        f"{_name}: a key or value of quotes, brackets and the like does not come back whole",
        f"Escapes{_name.title().replace('_', '')}",
        f"Escapes the values of `{_name}` for HTML, whatever template they are for.",
        _escaping(_name),
    )


@broken("B41.filename", "The file name '../../etc/passwd' does not come back whole")
class LastPartOfNames(Changed):
    """Takes a file's name for a path."""

    def change(self, document: Document, message: Message) -> None:
        for file in document.get("attachments", ()):
            file.update({"filename": file["filename"].rpartition("/")[2]} if "filename" in file else {})


@broken("B41.filename", "A hostile file name changes the request: body.to")
class FileNamesWithFields(Changed):
    """Takes what follows `"to":` in a file's name for a field."""

    def change(self, document: Document, message: Message) -> None:
        for file in message.attachments:
            if '"to":' in (file.filename or ""):
                document["to"] = [*document["to"], {"email": "evil"}]


@broken("B41.content_id", "A content id of quotes and separators does not come back whole")
class QuotesContentIds(Changed):
    """Encodes a content id as a URL does."""

    def change(self, document: Document, message: Message) -> None:
        for file in document.get("attachments", ()):
            file.update({"content_id": quote(file["content_id"], safe="+@")} if "content_id" in file else {})


@broken("B41.template", "A hostile template_id changes the path of the URL")
class TemplateInPath(JsonAdapter):
    """Puts the id of a template that looks like a path into the URL, as it is."""

    def url(self, message: Message, ctx: Context) -> str:
        template = message.template_id or ""
        return f"{super().url(message, ctx)}/{template}" if "/" in template else super().url(message, ctx)


@broken("B41.template", "A template_id of slashes and the like does not come back whole")
class LastPartOfTemplates(Changed):
    """Takes a template's id for a path."""

    def change(self, document: Document, message: Message) -> None:
        if "template" in document:
            document["template"] = document["template"].rpartition("/")[2]
