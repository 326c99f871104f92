"""What an adapter asks of a transport, and what it gets back.

Rule: a request is a complete description. Whatever carries it out adds nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

from mailcore._secret import Secret

if TYPE_CHECKING:
    from mailcore._message import Message

__all__ = [
    "Body",
    "Headers",
    "HttpRequest",
    "HttpResponse",
    "LocalRequest",
    "LocalResponse",
    "Request",
    "Response",
    "SmtpRequest",
    "SmtpResponse",
    "as_headers",
]

MAX_RESPONSE = 1024 * 1024


@runtime_checkable
class Body(Protocol):
    """
    Bytes with a known length that can be read again.

    Each iteration starts afresh, and several threads may iterate at once.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


class Headers(Mapping[str, str]):
    """
    Look headers up by name in any letter case; repeats are kept in `pairs`.

    `headers[name]` is the first value. Use `get_all` where a repeat matters: a signature header
    that is there twice, for instance.
    """

    __slots__ = ("_found", "pairs")

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        items: Iterable[tuple[str, str]]
        if isinstance(pairs, Headers):
            items = pairs.pairs
        elif isinstance(pairs, list | tuple) or not isinstance(pairs, Mapping):
            items = pairs
        else:
            items = pairs.items()
        self.pairs: tuple[tuple[str, str], ...] = tuple([(str(name), str(value)) for name, value in items])
        self._found: dict[str, list[str]] | None = None

    @property
    def _index(self) -> dict[str, list[str]]:
        """Lower-case name → values; made when something is looked up first: few answers are."""
        if self._found is None:
            found: dict[str, list[str]] = {}
            for name, value in self.pairs:
                found.setdefault(name.lower(), []).append(value)
            self._found = found
        return self._found

    def __getitem__(self, name: str) -> str:
        return self._index[name.lower()][0]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return every value of that name, in order."""
        return tuple(self._index.get(name.lower(), ()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._index == other._index

    __hash__ = None  # type: ignore[assignment]  # reason: values compare, they need not hash

    def __repr__(self) -> str:
        # Values may be credentials (Authorization, Cookie, signatures): only names are shown.
        return f"Headers({', '.join(self._index)})"


def as_headers(pairs: Headers | Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
    """Return headers as `Headers`; those that are stay as they are, since nobody changes them."""
    return pairs if isinstance(pairs, Headers) else Headers(pairs)


def _pairs(items: Iterable[tuple[str, str | Secret]]) -> tuple[tuple[str, str | Secret], ...]:
    pairs = tuple(items)
    for name, value in pairs:
        if not isinstance(value, (str, Secret)):
            raise TypeError(f"The header {name} holds {type(value).__name__}; leave an absent one out.")
    return pairs


def _texts(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(items)


@attrs.frozen(kw_only=True, slots=False)  # no slots: a dictionary is filled in half the time
class HttpRequest:
    """
    One HTTP request.

    Attributes:
        headers: Pairs, in order; a value may be a `Secret`, revealed by the transport alone.
        body: Bytes, or a `Body` that is streamed with its length as `Content-Length`.
        commits: True where this request can make mail leave; False for any other step.
        max_response: Most bytes of (decoded) response body that are read.

    Raises:
        TypeError: The value of a header is neither text nor a `Secret`.
    """

    method: str
    url: str = attrs.field(repr=lambda url: repr(url.partition("?")[0]))
    headers: tuple[tuple[str, str | Secret], ...] = attrs.field(
        default=(), converter=_pairs, repr=lambda pairs: repr([name for name, _ in pairs])
    )
    body: bytes | Body = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    commits: bool = True
    max_response: int = MAX_RESPONSE


@attrs.frozen(kw_only=True)
class HttpResponse:
    """One HTTP response, read whole; its body never shows in a repr."""

    status: int
    headers: Headers = attrs.field(factory=Headers, converter=as_headers)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")


@attrs.frozen(kw_only=True)
class SmtpRequest:
    """
    One SMTP transaction, on a connection of its own.

    Each ESMTP parameter has to be offered by the server, or nothing is sent; only `SIZE`, which asks for
    nothing, is left out where the server does not know it.

    Attributes:
        server: `host:port`; an IPv6 address stands in brackets.
        security: `starttls` or `tls` (from the first byte on); `plain` is not encrypted. A server that
            offers less is sent nothing.
        username: Whom `password` belongs to.
        password: Logs in (AUTH PLAIN or LOGIN); None: nobody does.
        client_name: What the client calls itself; empty: the address that it connects from.
        mail_from: Where bounces go; empty for nowhere.
        data: The message. A lone CR or LF in it is sent as CRLF.
        options: ESMTP parameters of MAIL FROM, such as `SMTPUTF8`.
        rcpt_options: ESMTP parameters of each RCPT TO, such as `NOTIFY=FAILURE`.
    """

    server: str
    security: Literal["starttls", "tls", "plain"] = "starttls"
    username: str = ""
    password: Secret | None = None
    client_name: str = ""
    mail_from: str
    rcpt_to: tuple[str, ...] = attrs.field(converter=_texts)
    data: bytes | Body = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    options: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    rcpt_options: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    commits: bool = True


@attrs.frozen(kw_only=True)
class SmtpResponse:
    """
    The server's last word on a transaction.

    Attributes:
        code: Its number; the first digit says whether it is a yes (2), a not now (4) or a no (5).
        text: What follows the number; several lines stay several.
        command: What was answered: `CONNECT`, `EHLO`, `STARTTLS`, `AUTH`, `MAIL`, `RCPT` or `DATA`, none of
            which sends anything; or `.`, the end of the mail.
        lacks: The extension that is needed and not offered, of which the `EHLO` that was answered speaks.
        refused: Recipient → (code, text) for those the server refused.
    """

    code: int
    text: str = ""
    command: str = "."
    lacks: str = ""
    refused: Mapping[str, tuple[int, str]] = attrs.field(factory=dict)

    @property
    def status(self) -> int:
        """The code, by the name that it has in HTTP."""
        return self.code


@attrs.frozen(kw_only=True)
class LocalRequest:
    """
    Hand messages to something in this process.

    Attributes:
        messages: Message id → message.
        destination: `memory` or `console`; `eml` or `maildir`, which are in a folder.
        folder: The folder; empty for the others.
        mails: Message id → the mail as it stands in a folder; empty for the others.
    """

    messages: Mapping[str, Message] = attrs.field(repr=lambda messages: f"<{len(messages)} messages>")
    destination: str
    folder: str = ""
    mails: Mapping[str, Body] = attrs.field(factory=dict, repr=lambda mails: f"<{len(mails)} mails>")
    idempotency_key: str | None = None
    commits: bool = True


@attrs.frozen(kw_only=True)
class LocalResponse:
    """The messages were taken, now or earlier under the same key, under these ids."""

    message_ids: tuple[str, ...]


#: `HttpRequest`, `SmtpRequest` or `LocalRequest`.
Request: TypeAlias = HttpRequest | SmtpRequest | LocalRequest
#: The counterpart of the request: `HttpResponse`, `SmtpResponse` or `LocalResponse`.
Response: TypeAlias = Any
