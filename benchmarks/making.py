"""From what the caller means to the bytes of a request; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial

from benchmarks import mails
from benchmarks.clients import Postmark
from benchmarks.contest import Contest
from benchmarks.mails import Kind
from benchmarks.meters import Cpu, each
from benchmarks.names import ANYMAIL, DUMPS, MAILCORE, MAPPED
from mailcore import Context, HttpRequest
from mailcore_postmark._adapter import PostmarkAdapter
from mailcore_postmark._options import PostmarkOptions

__all__ = ["CONTESTS", "makers"]


def makers(kind: Kind) -> dict[str, Callable[[], bytes]]:
    """
    Return what makes a mail and the body of its request, by its name; the floor is first.

    The adapter alone does what the floor and django-anymail do. A mailer checks as well what the provider can
    carry and would refuse, asks the plugins, and makes a key.
    """
    postmark = Postmark("http://127.0.0.1:9")
    mailer, backend = postmark.mailer(), postmark.backend()
    adapter = PostmarkAdapter(PostmarkOptions(server_token="token"))  # noqa: S106  # reason: no password
    now = datetime.now(UTC)
    context = Context(now=now, created=now, unique="unique")

    def by_adapter() -> bytes:
        return _body(adapter.build_send(kind.message().resolve(), context))

    def by_mailcore() -> bytes:
        request = mailer.preview(kind.message())
        assert isinstance(request, HttpRequest)  # noqa: S101  # reason: nothing else is made for Postmark
        return _body(request)

    def by_anymail() -> bytes:
        payload = backend.build_message_payload(kind.django(), backend.send_defaults)
        return payload.get_request_params(backend.api_url)["data"].encode()

    return {
        DUMPS: lambda: json.dumps(kind.document()).encode(),
        MAPPED: by_adapter,
        MAILCORE: by_mailcore,
        ANYMAIL: by_anymail,
    }


def _body(request: HttpRequest) -> bytes:
    return request.body if isinstance(request.body, bytes) else b"".join(request.body)


@contextmanager
def _making(title: str, kind: Kind) -> Iterator[Contest]:
    contenders = {name: Cpu(each(make)) for name, make in makers(kind).items()}
    yield Contest(title=f"{title} and the body of its request, made", contenders=contenders)


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {
    "making-typical": partial(_making, "A typical mail", mails.typical),
    "making-minimal": partial(_making, "A minimal mail", mails.minimal),
}
