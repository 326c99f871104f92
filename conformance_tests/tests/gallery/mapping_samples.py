"""Adapters whose requests are not those that the samples show, or whose samples do not show them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
from reference.json_api import JsonAdapter

from gallery import broken
from gallery._changed import Changed, Document, samples_with
from mailcore import Context, HttpRequest, Message


@broken("B08", "minimal: header x-client is not in the sample")
class ExtraHeader(JsonAdapter):
    """Sends a header that nobody documented."""

    def headers(self, message: Message, ctx: Context) -> list[Any]:
        return [*super().headers(message, ctx), ("X-Client", "mailcore")]


@broken("B08", "header accept is missing")
class AcceptsAnything(JsonAdapter):
    """Leaves a documented header out."""

    def headers(self, message: Message, ctx: Context) -> list[Any]:
        return [pair for pair in super().headers(message, ctx) if pair[0] != "Accept"]


@broken("B08", "everything: body.amp is not in the sample")
class MisnamesAmp(Changed):
    """Gives a field a name of its own."""

    def change(self, document: Document, message: Message) -> None:
        if "amp_html" in document:
            document["amp"] = document.pop("amp_html")


@broken("B08", "body.metadata.order is '17', and should be 17")
class TextForNumbers(Changed):
    """Makes text of the numbers in metadata."""

    def change(self, document: Document, message: Message) -> None:
        for key, value in document.get("metadata", {}).items():
            document["metadata"][key] = str(value) if isinstance(value, int) else value


@broken("B08", "the method is PUT, and should be POST")
class Puts(JsonAdapter):
    """Sends templates by another method than documented."""

    def build_send(self, message: Message, ctx: Context) -> HttpRequest:
        request = super().build_send(message, ctx)
        return (
            attrs.evolve(request, method="PUT")
            if message.merge_global_data and message.merge_data
            else request
        )


@broken("B08", "the URL's path is '/v1/messages/bulk', and should be '/v1/messages/batch'")
class OtherBatchPath(JsonAdapter):
    """Sends batches to a place of another name."""

    def build_batch(self, messages: Any, ctx: Context) -> HttpRequest:
        request = super().build_batch(messages, ctx)
        return attrs.evolve(request, url=request.url.replace("/batch", "/bulk"))


def _without(name: str) -> Callable[[Document], None]:
    def change(sample: Document) -> None:
        if name in sample.get("message", {}) and "request" in sample:
            del sample["message"][name]
            body = json.loads(sample["request"]["body"])
            del body[name]
            sample["request"]["body"] = json.dumps(body)

    return change


@broken(
    "B09",
    "send.amp_html is declared, and no accepted sample with a request uses amp_html",
    kit={"folder": samples_with(_without("amp_html"))},
)
class NoSampleOfAmp(JsonAdapter):
    """Declares a field that no sample shows."""


@broken(
    "B09",
    "send.envelope_sender is declared, and no accepted sample with a request uses envelope_sender",
    kit={"folder": samples_with(_without("envelope_sender"))},
)
class NoSampleOfEnvelopeSender(JsonAdapter):
    """Declares another field that no sample shows."""
