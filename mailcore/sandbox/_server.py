"""A small HTTP server on loopback whose every request is answered by one function."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mailcore._closing import Closing
from mailcore._http import Headers, HttpResponse
from mailcore.exceptions import MailcoreError

__all__ = ["Answer", "LoopbackServer"]

MAX_BODY = 128 * 1024 * 1024

#: Method, path, headers and body → response; None: the connection is closed without one.
Answer = Callable[[str, str, Headers, bytes], HttpResponse | None]


class LoopbackServer(Closing):
    """
    Serve on 127.0.0.1 until closed; also a context manager.

    Args:
        answer: Called in a thread of the server; several may call it at once.
        port: 0: any free one.

    Attributes:
        url: `http://127.0.0.1:port`, without a slash at the end.
    """

    def __init__(self, answer: Answer, *, port: int = 0) -> None:
        try:
            self._server = _Server(port, answer)
        except OSError as error:
            raise MailcoreError(
                f"Port {port} cannot be used: {error.strerror}. Choose another one."
            ) from None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong here; a client that went away did nothing wrong."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):  # the client went away: half a request is none
            self.close_connection = True
            return
        response = self.server.answer(self.command, self.path, Headers(self.headers.items()), body)
        if response is None:
            self.close_connection = True
        else:
            self._reply(response)

    def _reply(self, response: HttpResponse) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.pairs:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815  # reason: the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # reason: the library's name
        """Stay silent: request lines would mix with the output of what is being tried."""
