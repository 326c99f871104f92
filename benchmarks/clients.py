"""What sends a mail to a provider: by hand with one library or another, and not by hand.

Rule: each keeps its connection, as its documentation advises, but for the one that is named for not doing so.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import attrs
import httpx
import requests
import urllib3

from benchmarks.mails import Kind
from benchmarks.names import ANYMAIL, HTTPX, MAILCORE, SESSION, SOCKET, UNPOOLED, URLLIB3
from mailcore import Mailer

__all__ = ["Postmark", "Resend"]


@attrs.frozen
class Postmark:
    """
    The clients of Postmark's API.

    Args:
        url: Where the stand-in is.
    """

    url: str

    #: Where a mail is posted, and with which headers.
    path = "/email"
    headers = {  # noqa: RUF012  # reason: nobody changes it
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Postmark-Server-Token": "token",
    }

    @property
    def address(self) -> str:
        """Where a mail is posted."""
        return self.url + self.path

    def senders(self, kind: Kind) -> dict[str, Callable[[], object]]:
        """Return what makes a mail and sends it, by its name; the floor is first."""
        post, session, client = self.raw_socket(), requests.Session(), httpx.Client()
        pool = urllib3.PoolManager(maxsize=64)
        at, headers, document = self.address, self.headers, kind.document

        def by_urllib3() -> object:
            body = json.dumps(document()).encode()
            return json.loads(pool.request("POST", at, body=body, headers=headers).data)

        mailer, backend = self.mailer(), self.backend()
        return {
            SOCKET: lambda: post(json.dumps(document()).encode()),
            URLLIB3: by_urllib3,
            SESSION: lambda: session.post(at, json=document(), headers=headers, timeout=30).json(),
            UNPOOLED: lambda: requests.post(at, json=document(), headers=headers, timeout=30).json(),
            HTTPX: lambda: client.post(at, json=document(), headers=headers).json(),
            MAILCORE: lambda: mailer.send(kind.message()),
            ANYMAIL: lambda: backend.send_messages([kind.django()]),
        }

    def mailer(self) -> Mailer:
        """Return a mailer."""
        return Mailer.from_config(self.settings(), environ={})

    def settings(self) -> dict[str, Any]:
        """Return what a mailer is made of."""
        return {"provider": "postmark", "server_token": "token", "api_url": self.url}

    def backend(self) -> Any:
        """Return django-anymail's, with its session open."""
        from anymail.backends.postmark import EmailBackend

        backend = EmailBackend(api_url=f"{self.url}/")
        backend.open()
        return backend

    def raw_socket(self) -> Callable[[bytes], object]:
        """Return what posts a body with as little as that takes."""
        parts = urlsplit(self.address)
        sock = socket.create_connection((parts.hostname, parts.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        head = "\r\n".join([*lines, "Content-Length: "]).encode()

        def post(body: bytes) -> object:
            sock.sendall(b"%s%d\r\n\r\n%s" % (head, len(body), body))
            return json.loads(sock.recv(65536).partition(b"\r\n\r\n")[2])

        return post


class Resend(Postmark):
    """The clients of Resend's API; a document of Postmark's form is as good as its own to a stand-in."""

    path = "/emails"
    headers = {  # noqa: RUF012  # reason: nobody changes it
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": "Bearer key",
    }

    def settings(self) -> dict[str, Any]:
        """Return what a mailer is made of."""
        return {"provider": "resend", "api_key": "key", "api_url": self.url}

    def backend(self) -> Any:
        """Return django-anymail's, with its session open."""
        from anymail.backends.resend import EmailBackend

        backend = EmailBackend(api_url=f"{self.url}/")
        backend.open()
        return backend
