"""Against a real server in a process of its own, over TLS, blocking and in an event loop."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
from collections.abc import Callable
from typing import Any

import pytest

from mailcore import (
    AsyncMailer,
    Attachment,
    AuthenticationFailed,
    ConfigurationError,
    MailcoreError,
    Mailer,
    MaybeSent,
    Message,
    NotAccepted,
    Outcome,
    PluginHost,
    RecipientRejected,
    Rejected,
    Scope,
    SendError,
    SendResult,
    ServiceUnavailable,
    TLSFailure,
    TooLarge,
    Unreachable,
)

pytestmark = pytest.mark.loopback

Send = Callable[..., SendResult]


@pytest.fixture(params=["blocking", "looped"])
def send(request: pytest.FixtureRequest, host: PluginHost) -> Send:
    """Return a function that sends through a server."""

    def blocking(server: Any, message: Message, **config: Any) -> SendResult:
        with Mailer.from_config({**server.config, **config}, environ={}, host=host) as mailer:
            return mailer.send(message)

    def looped(server: Any, message: Message, **config: Any) -> SendResult:
        async def work() -> SendResult:
            settings = {**server.config, **config}
            async with AsyncMailer.from_config(settings, environ={}, host=host) as mailer:
                return await mailer.send(message)

        return asyncio.run(work())

    return blocking if request.param == "blocking" else looped


def to(*names: str, **changes: Any) -> Message:
    """Return a message to addresses that tell the server what to do."""
    fields: dict[str, Any] = {"from_": "Ada <ada@example.com>", "subject": "Hi", "text": "Hello\n.\n"}
    return Message(**{**fields, "to": [f"{name}@example.com" for name in names], **changes})


class TestAccepted:
    """What arrives."""

    @pytest.mark.parametrize("server", ["starttls_server", "tls_server"])
    def test_all_of_it(self, server: str, send: Send, request: pytest.FixtureRequest) -> None:
        """The mail is there as it was meant, encrypted on its way, and those in bcc are not in it."""
        found = request.getfixturevalue(server)
        file = Attachment(content=bytes(range(256)) * 1000, filename="ünder.bin")
        message = to("bob", bcc="eve@example.com", attachments=file, html="<p>é</p>")
        result = send(found, message)
        mail = found.mails[-1]
        parsed: Any = email.message_from_string(mail["content"], policy=email.policy.default)

        assert (mail["mail_from"], mail["rcpt_to"]) == (
            "ada@example.com",
            ["bob@example.com", "eve@example.com"],
        )
        assert (mail["encrypted"], mail["client"]) == (True, "[127.0.0.1]")
        assert "eve" not in mail["content"]
        assert (parsed["Subject"], parsed["Message-ID"]) == ("Hi", f"<{result.message_id}>")
        assert parsed.get_body(["plain"]).get_content().splitlines() == ["Hello", "."]
        [attached] = parsed.iter_attachments()
        assert (attached.get_content(), attached.get_filename()) == (file.content, "ünder.bin")
        assert {row.status.value for row in result.recipients.values()} == {"queued"}

    def test_some_refused(self, starttls_server: Any, send: Send) -> None:
        """Each recipient has the server's word, and the others get the mail."""
        result = send(starttls_server, to("nobody", "bob", "strange", "later"))
        rows = result.recipients

        assert starttls_server.mails[-1]["rcpt_to"] == ["bob@example.com"]
        assert [row.status.value for row in rows.values()] == ["rejected", "queued", "invalid", "failed"]
        assert rows["nobody@example.com"].reason == "550 5.1.1 No such mailbox"
        assert (rows["later@example.com"].code, rows["later@example.com"].retriable) == ("450", True)
        assert result.scope == "recipient"

    def test_international(self, starttls_server: Any, send: Send) -> None:
        """An address beyond ASCII travels as it is; a domain does not have to."""
        send(starttls_server, to("böb"))
        assert "SMTPUTF8" in starttls_server.mails[-1]["options"]
        send(starttls_server, Message(from_="ada@example.com", to="bob@exämple.com", text="x"))
        mail = starttls_server.mails[-1]
        assert (mail["rcpt_to"], len(mail["options"])) == (["bob@xn--exmple-cua.com"], 1)


#: Who a mail is to → the error it ends in, and what that is about.
REFUSED: dict[str, tuple[type[SendError], Scope, bool]] = {
    "nobody": (RecipientRejected, Scope.MESSAGE, False),
    "later": (NotAccepted, Scope.MESSAGE, True),
    "closing": (ServiceUnavailable, Scope.PROVIDER, True),
    "cut": (NotAccepted, Scope.PROVIDER, True),
    "spam": (Rejected, Scope.MESSAGE, False),
    "large": (TooLarge, Scope.MESSAGE, False),
    "busy": (NotAccepted, Scope.MESSAGE, True),
    "riddle": (MaybeSent, Scope.PROVIDER, False),
    "lost": (MaybeSent, Scope.PROVIDER, False),
}


class TestRefused:
    """What does not arrive."""

    @pytest.mark.parametrize("name", REFUSED)
    def test_ends(self, name: str, starttls_server: Any, send: Send) -> None:
        """Each ends in one outcome; what is unknown is worth no repeat, since there is no key."""
        cls, scope, retriable = REFUSED[name]
        with pytest.raises(SendError) as caught:
            send(starttls_server, to(name))
        assert (type(caught.value), caught.value.scope, caught.value.retriable) == (cls, scope, retriable)

    def test_repeated(self, starttls_server: Any, send: Send) -> None:
        """What was not taken is tried again, what may have been is not."""
        for name, attempts in (("cut", 3), ("lost", 1)):
            with pytest.raises(SendError) as caught:
                send(starttls_server, to(name), max_attempts=3)
            assert len(caught.value.attempts) == attempts

    def test_too_large(self, starttls_server: Any, send: Send) -> None:
        """A server that knows SIZE refuses before it is given the mail."""
        with pytest.raises(TooLarge) as caught:
            send(starttls_server, to("bob", attachments=Attachment(content=b"x" * 1024 * 1024)))
        assert str(caught.value).startswith("SMTP MAIL: 552")

    def test_wrong_password(self, starttls_server: Any, send: Send, caplog: Any) -> None:
        """Which every mail of the account would end in; neither error nor log shows it."""
        caplog.set_level(logging.DEBUG)
        with pytest.raises(AuthenticationFailed) as caught:
            send(starttls_server, to("bob"), password="secret-but-wrong")
        assert caught.value.scope is Scope.ACCOUNT
        assert "secret-but-wrong" not in f"{caught.value!r} {caught.value.__dict__} {caplog.text}"

    def test_no_login(self, starttls_server: Any, send: Send, host: PluginHost) -> None:
        """A server that wants one says so."""
        config = {
            name: value
            for name, value in starttls_server.config.items()
            if name not in ("username", "password")
        }
        with Mailer.from_config(config, environ={}, host=host) as mailer, pytest.raises(AuthenticationFailed):
            mailer.send(to("bob"))

    def test_dsn(self, starttls_server: Any, send: Send) -> None:
        """What a server cannot promise is not left out in silence."""
        with pytest.raises(Rejected, match="does not offer DSN"):
            send(starttls_server, to("bob"), notify="failure")


class TestEncryption:
    """What is not given to everybody."""

    def test_strange_certificate(self, starttls_server: Any, send: Send) -> None:
        """A server nobody vouches for is told nothing."""
        before = len(starttls_server.mails)
        with pytest.raises(TLSFailure) as caught:
            send(starttls_server, to("bob"), ca_bundle=None)
        assert (caught.value.outcome, caught.value.retriable) == (Outcome.NOT_ACCEPTED, False)
        assert len(starttls_server.mails) == before

    def test_wrong_kind(self, starttls_server: Any, tls_server: Any, send: Send) -> None:
        """Each kind of encryption is what it is; none is tried instead of another."""
        with pytest.raises(TLSFailure):
            send(starttls_server, to("bob"), security="tls")
        with pytest.raises(Unreachable):
            send(tls_server, to("bob"), security="starttls", read_timeout=0.3)

    def test_plain(self, starttls_server: Any, send: Send) -> None:
        """Only where it is asked for; this server does not want it."""
        with pytest.raises(MailcoreError) as caught:
            send(starttls_server, to("bob"), security="plain")
        assert caught.value.outcome in (Outcome.REJECTED, Outcome.NOT_ACCEPTED)  # type: ignore[attr-defined]  # reason: it is a SendError

    def test_nobody_there(self, starttls_server: Any, send: Send) -> None:
        """No server is no acceptance."""
        with pytest.raises(Unreachable):
            send(starttls_server, to("bob"), port=1)

    def test_proxy(self, starttls_server: Any, send: Send) -> None:
        """A proxy that would be passed by is an error."""
        with pytest.raises(ConfigurationError, match="no proxy"):
            send(starttls_server, to("bob"), proxy="http://proxy.example:3128")
