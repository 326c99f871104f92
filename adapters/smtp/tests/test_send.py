"""What a message becomes: the envelope, the parameters, the mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailcore import ConfigurationError, Context, Message, SmtpRequest, UnsupportedFeature
from mailcore.transports._smtp_content import Content
from mailcore.transports._smtp_envelope import Envelope
from mailcore_smtp._adapter import SmtpAdapter
from mailcore_smtp._options import SmtpOptions

CONTEXT = Context(now=datetime(2030, 2, 1, tzinfo=UTC), created=datetime(2030, 1, 31, tzinfo=UTC), unique="u")


def built(options: dict[str, Any] | None = None, **fields: Any) -> SmtpRequest:
    """Return the transaction of a message."""
    usual = {"from_": "Ada <ada@example.com>", "to": "bob@example.com", "text": "Hello"}
    message = Message(**{**usual, **fields}).resolve()
    adapter = SmtpAdapter(SmtpOptions(**{"host": "mail.example.com", **(options or {})}))
    return adapter.build_send(message, CONTEXT)


def head(request: SmtpRequest) -> str:
    """Return the headers of a mail."""
    return b"".join(request.data).partition(b"\r\n\r\n")[0].decode()


class TestEnvelope:
    """From whom, to whom, through whom."""

    def test_bounces(self) -> None:
        """Go to the sender, or where the message says."""
        assert built().mail_from == "ada@example.com"
        request = built(envelope_sender="bounces@exämple.com")
        assert request.mail_from == "bounces@xn--exmple-cua.com"
        assert "bounces" not in head(request)

    def test_recipients(self) -> None:
        """Each once, in copy or not; those in bcc are in the envelope alone."""
        request = built(
            to=["bob@example.com", "Bob <bob@example.com>"], cc="c@example.com", bcc="d@example.com"
        )
        assert request.rcpt_to == ("bob@example.com", "c@example.com", "d@example.com")
        assert "d@example.com" not in head(request)

    @pytest.mark.parametrize(
        "options, server",
        [
            ({}, "mail.example.com:587"),
            ({"security": "tls"}, "mail.example.com:465"),
            ({"security": "plain"}, "mail.example.com:25"),
            ({"port": "2525"}, "mail.example.com:2525"),
            ({"host": "::1"}, "[::1]:587"),
        ],
    )
    def test_server(self, options: dict[str, Any], server: str) -> None:
        """The port is the usual one of how the connection is encrypted."""
        assert built(options).server == server

    def test_encrypted_unless_told_otherwise(self) -> None:
        """STARTTLS is what nobody has to ask for."""
        assert built().security == "starttls"


class TestParameters:
    """What the server is asked for."""

    def test_plain_mail(self) -> None:
        """Only the size is told, which asks for nothing."""
        request = built(subject="é", text="é", attachments=())
        assert request.options == (f"SIZE={len(request.data)}",)
        assert request.rcpt_options == ()

    @pytest.mark.parametrize("field", ["to", "cc", "bcc", "from_", "envelope_sender", "reply_to"])
    def test_international(self, field: str) -> None:
        """An address whose local part is beyond ASCII needs SMTPUTF8, wherever it is."""
        assert built(**{field: "böb@example.com"}).options[1:] == ("BODY=8BITMIME", "SMTPUTF8")

    def test_domain(self) -> None:
        """A domain never does."""
        assert "SMTPUTF8" not in built(to="bob@exämple.com").options

    def test_dsn(self) -> None:
        """The message's own word wins over what is set."""
        own = {"notify": ["success", "delay"], "envid": "a b+c=é"[:-1]}
        request = built({"notify": "failure", "ret": "hdrs"}, provider_options={"smtp": own})
        assert request.options[1:] == ("RET=HDRS", "ENVID=a+20b+2Bc+3D")
        assert request.rcpt_options == ("NOTIFY=SUCCESS,DELAY",)
        assert built({"notify": "never"}).rcpt_options == ("NOTIFY=NEVER",)

    def test_unknown(self) -> None:
        """What SMTP has no word for is refused."""
        with pytest.raises(UnsupportedFeature) as caught:
            built(provider_options={"smtp": {"color": "red"}})
        assert caught.value.field == "provider_options"


class TestRepeated:
    """What an attempt has in common with the one before."""

    def test_same_bytes(self) -> None:
        """Date and id are those of the first attempt."""
        request = built()
        assert "Date: Thu, 31 Jan 2030 00:00:00 +0000\r\n" in head(request)
        assert b"".join(request.data) == b"".join(built().data)


class TestOptions:
    """What cannot work together."""

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
    def test_plain_to_this_machine(self, host: str) -> None:
        """A password may stay unencrypted where it crosses no network."""
        built({"host": host, "security": "plain", "username": "ada", "password": "x"})

    @pytest.mark.parametrize(
        "options",
        [{"username": "ada"}, {"password": "x"}, {"username": "ada", "password": "x", "security": "plain"}],
        ids=str,
    )
    def test_refused(self, options: dict[str, Any]) -> None:
        """Half a login, and a password for everybody to read."""
        with pytest.raises(ConfigurationError):
            built(options)


class TestLimits:
    """What every server must be able to take (RFC 5321, 4.5.3.1)."""

    LONGEST = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.{'c' * 3}"

    def test_commands(self) -> None:
        """No command is longer than 512 octets, whatever address there is and with all that may be asked."""
        options = {"notify": "success,failure,delay"}
        request = built(options, to=self.LONGEST, envelope_sender=self.LONGEST)
        envelope = Envelope(request)
        commands = [envelope.sender({"SIZE": ""}), *(command for _, command in envelope.recipients)]
        assert len(self.LONGEST) == 254
        assert [len(command) <= 512 for command in commands] == [True, True]

    @pytest.mark.parametrize("field", ["text", "html", "subject"])
    def test_lines(self, field: str) -> None:
        """No line is longer than 1,000 octets with its end, and all are of seven bits."""
        request = built(**{field: "ünd " * 2000}, headers={"X-Long": "word " * 400})
        lines = b"".join(Content(request.data)).split(b"\r\n")
        assert max(map(len, lines)) <= 998
        assert all(line.isascii() for line in lines)
