"""The envelope of a mail as SMTP writes it, and what a server must know for it (RFC 5321, 4.1.1)."""

from __future__ import annotations

from collections.abc import Mapping

from mailcore._http import SmtpRequest
from mailcore.exceptions import ConfigurationError, ProtocolBug

__all__ = ["Envelope", "line", "server"]

#: ESMTP parameter → the extension that brings it, where their names differ.
_EXTENSIONS = {"BODY": "8BITMIME", "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN", "ORCPT": "DSN"}
#: What only informs, and is left out where the server does not know it.
_OPTIONAL = "SIZE"


class Envelope:
    """
    The commands that say from whom, and to whom.

    Attributes:
        extensions: What the server has to offer.
        recipients: Each address, and the command that names it.

    Raises:
        ProtocolBug: It holds something that no server can be told.
    """

    def __init__(self, request: SmtpRequest) -> None:
        options = (*request.options, *request.rcpt_options)
        self.extensions = [name for name in map(_extension, options) if name != _OPTIONAL]
        self._request = request
        for address in (request.mail_from, *request.rcpt_to):
            if not address.isascii() and "SMTPUTF8" not in request.options:
                raise ProtocolBug("An address needs SMTPUTF8, and the request does not ask for it.")
        self.recipients = [
            (address, line(f"RCPT TO:<{address}>", *request.rcpt_options)) for address in request.rcpt_to
        ]
        self.sender({})  # so that a bug is found before anything is sent

    def sender(self, offered: Mapping[str, str]) -> bytes:
        """Return the command that names the sender, with what this server understands."""
        options = [
            option
            for option in self._request.options
            if _extension(option) != _OPTIONAL or _OPTIONAL in offered
        ]
        return line(f"MAIL FROM:<{self._request.mail_from}>", *options)


def _extension(option: str) -> str:
    name = option.partition("=")[0].upper()
    return _EXTENSIONS.get(name, name)


def line(command: str, *options: str) -> bytes:
    """
    Return a command with its parameters as it is sent.

    Raises:
        ProtocolBug: A character in it would end it, or begin another one.
    """
    text = " ".join([command, *options])
    if any(one < " " or one == "\x7f" for one in text) or any(" " in option for option in options):
        raise ProtocolBug(
            f"A parameter of {command.partition(' ')[0]} holds a character that cannot be sent."
        )
    return f"{text}\r\n".encode()


def server(text: str) -> tuple[str, int]:
    """
    Return host and port.

    Raises:
        ConfigurationError: It is not of the form `host:port`.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not port.isascii() or not 0 < int(port) < 65536:
        raise ConfigurationError("The SMTP server is not of the form host:port.")
    return host, int(port)
