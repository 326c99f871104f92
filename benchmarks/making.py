"""From what the caller means to the bytes of a request; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks import mails
from benchmarks.clients import Postmark
from benchmarks.contest import Contest
from benchmarks.mails import Kind
from benchmarks.meters import Cpu, each
from benchmarks.names import ANYMAIL, DUMPS, MAILCORE
from mailcore import HttpRequest

__all__ = ["CONTESTS", "makers"]


def makers(kind: Kind) -> dict[str, Callable[[], bytes]]:
    """Return what makes a mail and the body of its request, by its name; the floor is first."""
    postmark = Postmark("http://127.0.0.1:9")
    mailer, backend = postmark.mailer(), postmark.backend()

    def by_mailcore() -> bytes:
        request = mailer.preview(kind.message())
        assert isinstance(request, HttpRequest)  # noqa: S101  # reason: nothing else is made for Postmark
        return request.body if isinstance(request.body, bytes) else b"".join(request.body)

    def by_anymail() -> bytes:
        payload = backend.build_message_payload(kind.django(), backend.send_defaults)
        return payload.get_request_params(backend.api_url)["data"].encode()

    return {DUMPS: lambda: json.dumps(kind.document()).encode(), MAILCORE: by_mailcore, ANYMAIL: by_anymail}


@contextmanager
def _making(title: str, kind: Kind) -> Iterator[Contest]:
    contenders = {name: Cpu(each(make)) for name, make in makers(kind).items()}
    yield Contest(title=f"{title} and the body of its request, made", contenders=contenders)


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {
    "making-typical": partial(_making, "A typical mail", mails.typical),
    "making-minimal": partial(_making, "A minimal mail", mails.minimal),
}
