"""The same calls through Django's SMTP backend and through ours: what arrives, is returned and raised."""

from __future__ import annotations

import email
import email.policy
from asyncio import AbstractServer
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.headerregistry import Address as StdlibAddress
from email.message import EmailMessage as StdlibMessage
from email.mime.image import MIMEImage
from types import SimpleNamespace
from typing import Any

import attrs
import django
import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test.utils import override_settings

from mailcore import Address, MailcoreError, Message
from mailcore.frameworks.django.testing import outbox
from mailcore.sandbox import LocalProvider
from mailcore_mailpace.emulator import SentMail

pytestmark = pytest.mark.loopback

SIX_ONE = django.VERSION >= (6, 1)
OURS = "mailcore.frameworks.django.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
PIXEL = b"\x89PNG\r\n\x1a\n\x00\x01\x02"


@attrs.frozen(kw_only=True, order=True)
class File:
    """An attachment as it arrives."""

    name: str | None
    kind: str
    content: bytes
    content_id: str | None = None


@attrs.frozen(kw_only=True)
class Arrived:
    """A mail as it arrives, whichever way it went."""

    sender: tuple[str, str]
    recipients: tuple[str, ...]
    to: tuple[tuple[str, str], ...] = ()
    cc: tuple[tuple[str, str], ...] = ()
    reply_to: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    files: tuple[File, ...] = ()


# What each way brings ---------------------------------------------------------------------------


class Inbox:
    """Keep what an SMTP server is given."""

    def __init__(self) -> None:
        self.taken: list[Arrived] = []
        self.refuse: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802  # reason: aiosmtpd's name
        """Refuse some recipients."""
        if address in self.refuse:
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # reason: aiosmtpd's name
        """Take a mail."""
        self.taken.append(from_smtp(envelope.content, envelope.rcpt_tos))
        return "250 OK"


def from_smtp(content: bytes, recipients: Sequence[str]) -> Arrived:
    """Read a mail as the standard library does."""
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, StdlibMessage)
    text, html = found.get_body(("plain",)), found.get_body(("html",))
    # Parts in an alternative are bodies, whatever is attached beside them.
    bodies = [part for part in (text, html) if part is not None and not part.is_attachment()]
    parts = [part for part in found.walk() if not part.is_multipart() and part not in bodies]
    return Arrived(
        sender=pairs(found["From"])[0],
        recipients=tuple(sorted(recipients)),
        to=pairs(found["To"]),
        cc=pairs(found["Cc"]),
        reply_to=pairs(found["Reply-To"]),
        subject=str(found["Subject"] or ""),
        text=body(text.get_content() if text in bodies and text is not None else ""),
        html=body(html.get_content() if html in bodies and html is not None else ""),
        files=tuple(sorted(map(from_part, parts))),
    )


def pairs(header: Any) -> tuple[tuple[str, str], ...]:
    """Return the addresses of a header."""
    found: Sequence[StdlibAddress] = header.addresses if header else ()
    return tuple((one.display_name, one.addr_spec) for one in found)


def body(text: str) -> str:
    """Return a text as it is read: one line end, and none that only closes the mail."""
    return text.replace("\r\n", "\n").removesuffix("\n")


def from_part(part: Any) -> File:
    """Return a file that is a part of a mail."""
    content_id = part["Content-ID"]
    content = part.get_payload(decode=True)
    if part.get_content_maintype() == "text":
        content = body(part.get_content()).encode()  # SMTP ends each line its own way
    return File(
        name=part.get_filename(),
        kind=part.get_content_type(),
        content=content,
        content_id=bare(str(content_id)) if content_id else None,
    )


def from_message(found: Message) -> Arrived:
    """Return what the provider `memory` was given."""

    def both(addresses: Sequence[Address]) -> tuple[tuple[str, str], ...]:
        return tuple((one.display_name, one.ascii_spec) for one in addresses)

    return Arrived(
        sender=both(found.from_)[0],
        recipients=tuple(sorted(one.ascii_spec for one in found.recipients)),
        to=both(found.to),
        cc=both(found.cc),
        reply_to=both(found.reply_to),
        subject=found.subject or "",
        text=body(found.text or ""),
        html=body(found.html or ""),
        files=tuple(
            sorted(
                File(
                    name=one.filename,
                    kind=one.content_type,
                    content=b"".join(one.pieces()),
                    content_id=one.content_id,
                )
                for one in found.attachments
            )
        ),
    )


def bare(content_id: str | None) -> str | None:
    """Return a content id without what it is wrapped in."""
    return content_id.removeprefix("cid:").strip("<>") if content_id else None


def from_mailpace(found: SentMail) -> Arrived:
    """Return what the emulator of MailPace was given over HTTP."""
    reply_to = found.payload.get("replyto")
    parsed = [Address.parse(reply_to)] if reply_to else []
    return Arrived(
        sender=(found.from_.name, found.from_.address),
        recipients=tuple(sorted(one.address for one in (*found.to, *found.cc, *found.bcc))),
        to=tuple((one.name, one.address) for one in found.to),
        cc=tuple((one.name, one.address) for one in found.cc),
        reply_to=tuple((one.display_name, one.addr_spec) for one in parsed),
        subject=found.payload.get("subject", ""),
        text=body(found.payload.get("textbody", "")),
        html=body(found.payload.get("htmlbody", "")),
        files=tuple(
            sorted(
                File(
                    name=one.name,
                    kind=one.content_type.partition(";")[0],
                    content=one.content,
                    content_id=bare(one.cid),
                )
                for one in found.attachments
            )
        ),
    )


# The ways ---------------------------------------------------------------------------------------


@attrs.frozen
class Way:
    """
    One way for mail to go.

    Attributes:
        use: Returns what makes it Django's own, silent or not.
        arrived: Returns what came so far.
        refuse: Lets a recipient be refused.
    """

    use: Callable[[bool], Any]
    arrived: Callable[[], list[Arrived]]
    refuse: Callable[[str], None]


def used(backend: str, *, silent: bool, options: dict[str, Any], **settings: Any) -> Any:
    """Return a context in which a backend is Django's own."""
    if SIX_ONE:
        entry = {"BACKEND": backend, "OPTIONS": {**options, "fail_silently": silent}}
        return override_settings(MAILERS={"default": entry}, **settings)
    smtp = {f"EMAIL_{name.upper()}": value for name, value in options.items()}
    return override_settings(EMAIL_BACKEND=backend, **smtp, **settings)


class AnyPort(Controller):
    """Take any port that is free."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, AbstractServer)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def served() -> Iterator[tuple[Inbox, int]]:
    """Serve SMTP on this machine, and give what it keeps and its port."""
    inbox = Inbox()
    server = AnyPort(inbox, hostname="127.0.0.1", port=0)
    server.start()
    yield inbox, server.port
    server.stop()


@pytest.fixture
def smtp() -> Iterator[Way]:
    """Give the way through Django's SMTP backend to a server on this machine."""
    with served() as (inbox, port):
        options = {"host": "127.0.0.1", "port": port, "timeout": 10}
        yield Way(
            lambda silent: used(SMTP, silent=silent, options=options), lambda: inbox.taken, inbox.refuse.add
        )


@pytest.fixture
def adapter() -> Iterator[Way]:
    """Give the way through our backend and the SMTP adapter to another such server."""
    with served() as (inbox, port):
        settings = {
            "provider": "smtp", "host": "127.0.0.1", "port": port, "security": "plain", "max_attempts": 1
        }  # fmt: skip
        yield Way(
            lambda silent: used(OURS, silent=silent, options={}, MAILCORE=settings),
            lambda: inbox.taken,
            inbox.refuse.add,
        )


@pytest.fixture
def mailpace() -> Iterator[Way]:
    """Give the way through the MailPace adapter to its emulator, over HTTP."""
    with LocalProvider("mailpace") as local:
        emulator: Any = local.emulator
        settings = {**local.settings, "max_attempts": 1}
        yield Way(
            lambda silent: used(OURS, silent=silent, options={}, MAILCORE=settings),
            lambda: [from_mailpace(sent) for sent in emulator.sent],
            emulator.block,
        )


@pytest.fixture
def memory(configure: Callable[..., None]) -> Way:
    """Give the way to the provider `memory`, which carries everything."""
    configure(MAILCORE={"provider": "memory"})
    return Way(
        lambda silent: used(OURS, silent=silent, options={}),
        lambda: [from_message(sent) for sent in outbox()],
        lambda address: None,
    )


# The calls --------------------------------------------------------------------------------------


def inline_image() -> Any:
    """Return an image within the text, as this version of Django wants it."""
    if django.VERSION >= (6, 0):
        part = email.message.MIMEPart()
        part.set_content(PIXEL, "image", "png", disposition="inline", cid="<logo@inline>", filename="a.png")
        return part
    image = MIMEImage(PIXEL, "png")
    image.add_header("Content-Disposition", "inline", filename="a.png")
    image.add_header("Content-ID", "<logo@inline>")
    return image


def send(message: EmailMessage, *files: Any) -> Any:
    """Attach files and send."""
    for file in files:
        message.attach(*file) if isinstance(file, tuple) else message.attach(file)
    return message.send()


def message(**given: Any) -> EmailMultiAlternatives:
    """Return a message with a text and a recipient."""
    return EmailMultiAlternatives(**{"subject": "Hi", "body": "Hello", "to": ["bob@example.net"], **given})


def connection(*, silent: bool = False) -> Any:
    """Return Django's own connection."""
    if SIX_ONE:
        return mail.mailers.default
    return mail.get_connection(fail_silently=silent)


def twice() -> list[int]:
    """Send twice over one connection that is opened and closed by hand."""
    with connection() as opened:
        return [opened.send_messages([message()]), opened.send_messages([message(), message()])]


ADMINS = ["a@example.net", "b@example.net"] if SIX_ONE else [("A", "a@example.net"), ("B", "b@example.net")]

CALLS: dict[str, Callable[[], Any]] = {
    "send_mail": lambda: mail.send_mail("Hi", "Hello\nBob", None, ["bob@example.net", "carol@example.net"]),
    "send_mail with html": lambda: mail.send_mail(
        "Grüße, Bob", "Hällo", "Ada <ada@example.com>", ["Bob <bob@example.net>"], html_message="<p>Hällo</p>"
    ),
    "send_mass_mail": lambda: mail.send_mass_mail(
        [("1", "a", None, ["bob@example.net"]), ("2", "b", None, ["carol@example.net"])]
    ),
    "mail_admins": lambda: mail.mail_admins("Broken", "It is.", html_message="<p>It is.</p>"),
    "mail_managers": lambda: mail.mail_managers("Broken", "It is."),
    "everybody": lambda: send(
        message(
            to=['"Widgets, Inc." <w@example.net>'],
            cc=["Müller <m@example.net>"],
            bcc=["eve@example.net"],
            reply_to=["office@example.com"],
        )
    ),
    "blind copies alone": lambda: send(message(to=[], cc=["c@example.net"], bcc=["eve@example.net"])),
    "international domain": lambda: send(message(to=["bob@bücher.example"])),
    "reply-to header": lambda: send(message(headers={"Reply-To": "office@example.com"})),
    "html body": lambda: html_body().send(),
    "html alone": lambda: send(message(body="", alternatives=[("<p>Hello</p>", "text/html")])),
    "long lines": lambda: send(message(body="é" * 3000, alternatives=[("<p>" + "x" * 3000, "text/html")])),
    "lines that look special": lambda: send(message(body="From here\n.\n..\n\n-- \nAda")),
    "files": lambda: send(
        message(),
        ("a.txt", "Grüße", "text/plain"),
        ("b.csv", b"a,b\n1,2", "text/csv"),
        ("größe.pdf", b"%PDF\0\xff", "application/pdf"),
        ("d.png", PIXEL, None),
    ),
    "bytes that are no text": lambda: send(message(), ("a.zip", b"\xff\xfe", "text/plain")),
    "inline image": lambda: send(
        message(alternatives=[('<img src="cid:logo@inline">', "text/html")]), inline_image()
    ),
    "nobody": lambda: send(message(to=[])),
    "a connection used twice": twice,
    "no messages": lambda: connection().send_messages([]),
    "one without recipients among others": lambda: connection().send_messages(
        [message(), message(to=[]), message(to=["carol@example.net"])]
    ),
}


def html_body() -> EmailMessage:
    """Return a message whose body is html."""
    found = message(body="<p>Hello</p>")
    found.content_subtype = "html"
    return found


#: What MailPace cannot carry, or keeps to itself: attachments get a type from their names there.
NOT_MAILPACE = {"blind copies alone", "bytes that are no text"}


def outcome(call: Callable[[], Any], way: Way, *, silent: bool = False) -> Any:
    """Return what a call returns or raises, and what arrived."""
    with (
        way.use(silent),
        override_settings(ADMINS=ADMINS, MANAGERS=ADMINS, SERVER_EMAIL="server@example.com"),
    ):
        try:
            said: Any = call()
        except Exception as error:  # noqa: BLE001  # reason: which one is the question
            said = error
        return SimpleNamespace(said=said, arrived=way.arrived())


class TestAlike:
    """What goes well goes the same way."""

    @pytest.mark.parametrize("name", CALLS)
    def test_memory(self, name: str, smtp: Way, memory: Way) -> None:
        """The provider that carries everything is given what an SMTP server is given."""
        theirs, ours = outcome(CALLS[name], smtp), outcome(CALLS[name], memory)
        assert ours.arrived == theirs.arrived
        assert ours.said == theirs.said

    @pytest.mark.parametrize("name", CALLS)
    def test_smtp(self, name: str, smtp: Way, adapter: Way) -> None:
        """So is a server of the same kind, by the SMTP adapter."""
        theirs, ours = outcome(CALLS[name], smtp), outcome(CALLS[name], adapter)
        assert ours.arrived == theirs.arrived
        assert ours.said == theirs.said

    @pytest.mark.parametrize("name", [name for name in CALLS if name not in NOT_MAILPACE])
    def test_mailpace(self, name: str, smtp: Way, mailpace: Way) -> None:
        """So is MailPace, over HTTP."""
        theirs, ours = outcome(CALLS[name], smtp), outcome(CALLS[name], mailpace)
        assert ours.arrived == theirs.arrived
        assert ours.said == theirs.said


MISTAKES: dict[str, Callable[[], Any]] = {
    "line break in the subject": lambda: send(message(subject="a\nb")),
    "line break in a header": lambda: send(message(headers={"X-A": "a\nb"})),
    "line break in an address": lambda: send(message(to=["a\n@example.net"])),
    "line break in a sender": lambda: send(message(from_email="Ada\n <ada@example.com>")),
    "two addresses in one": lambda: send(message(to=["a@example.net, b@example.net"])),
    "no address": lambda: send(message(to=["@example.net"])),
    "comma in a bare name": lambda: send(message(to=["Bob, Inc. <bob@example.net>"])),
    "attachment without content": lambda: send(message(), ("a.txt", None)),
}


class TestMistakes:
    """What is wrong with a message."""

    @pytest.mark.parametrize("silent", [False, True])
    @pytest.mark.parametrize("name", MISTAKES)
    def test_raised(self, name: str, silent: bool, smtp: Way, memory: Way) -> None:
        """Raised, silent or not, as an error of the same family, before anything is sent."""
        theirs = outcome(MISTAKES[name], smtp, silent=silent)
        ours = outcome(MISTAKES[name], memory, silent=silent)
        assert isinstance(theirs.said, ValueError)
        assert isinstance(ours.said, ValueError)
        assert type(theirs.said) in (ValueError, *type(ours.said).__mro__)
        assert ours.arrived == theirs.arrived == []


#: Calls that hide failures by an argument; the recipient is refused.
SILENT: dict[str, Callable[[], Any]] = {
    "send_mail": lambda: mail.send_mail("Hi", "Hello", None, ["refused@example.net"], fail_silently=True),
    "send_mass_mail": lambda: mail.send_mass_mail(
        [("1", "a", None, ["refused@example.net"]), ("2", "b", None, ["bob@example.net"])], fail_silently=True
    ),
    "send": lambda: message(to=["refused@example.net"]).send(fail_silently=True),
    "mail_admins": lambda: mail.mail_admins("Broken", "It is.", fail_silently=True),
    "get_connection": lambda: mail.get_connection(fail_silently=True).send_messages(
        [message(to=["refused@example.net"]), message()]
    ),
    "message's connection": lambda: message(
        to=["refused@example.net"], connection=mail.get_connection(fail_silently=True)
    ).send(),
}


class TestRefused:
    """What the other side refuses."""

    @staticmethod
    def call(*, silent: bool) -> int:
        """Send three, the second of which is refused."""
        rows = [message(to=[f"{name}@example.net"]) for name in ("a", "refused", "c")]
        found: int = connection(silent=silent).send_messages(rows)
        return found

    @pytest.fixture(params=["mailpace", "adapter"])
    def way(self, request: pytest.FixtureRequest) -> Way:
        """Return a way through our backend."""
        found: Way = request.getfixturevalue(request.param)
        return found

    def test_raised(self, smtp: Way, way: Way) -> None:
        """The first one is sent, the second one raises, the third one is not tried."""
        theirs, ours = self.both(smtp, way, lambda: self.call(silent=False))
        assert isinstance(theirs.said, OSError)
        assert isinstance(ours.said, MailcoreError)
        assert ours.arrived == theirs.arrived
        assert [one.recipients for one in ours.arrived] == [("a@example.net",)]

    def test_silent(self, smtp: Way, way: Way) -> None:
        """Where failures are hidden, the other two are sent, and two is what is returned."""
        theirs, ours = self.both(smtp, way, lambda: self.call(silent=True), silent=True)
        assert theirs.said == ours.said == 2
        assert ours.arrived == theirs.arrived
        assert len(ours.arrived) == 2

    @pytest.mark.parametrize("name", SILENT)
    @pytest.mark.filterwarnings("ignore:.*(fail_silently|get_connection)")
    def test_silent_for_one_call(self, name: str, smtp: Way, way: Way) -> None:
        """`fail_silently` as an argument hides the same failures; Django 6.1 warns of it, alike."""
        for refuse in (smtp.refuse, way.refuse):  # those who are in ADMINS
            refuse("a@example.net")
            refuse("b@example.net")
        theirs, ours = self.both(smtp, way, SILENT[name])
        assert theirs.said in (0, 1, None)
        assert ours.said == theirs.said
        assert ours.arrived == theirs.arrived

    @staticmethod
    def both(smtp: Way, way: Way, call: Callable[[], Any], *, silent: bool = False) -> tuple[Any, Any]:
        """Return the outcome of a call through Django's SMTP backend, and through ours."""
        for one in (smtp, way):
            one.refuse("refused@example.net")
        return outcome(call, smtp, silent=silent), outcome(call, way, silent=silent)

    @pytest.mark.parametrize("silent", [False, True])
    def test_nobody_there(self, silent: bool, smtp: Way, mailpace: Way) -> None:
        """Where nobody answers it is raised, or none was sent."""
        down = {"provider": "mailpace", "api_key": "x", "api_url": "http://127.0.0.1:9/", "max_attempts": 1}
        options = {"host": "127.0.0.1", "port": 9, "timeout": 2}
        theirs = Way(lambda quiet: used(SMTP, silent=quiet, options=options), list, print)
        ours = Way(lambda quiet: used(OURS, silent=quiet, options={}, MAILCORE=down), list, print)
        found = [outcome(lambda: self.call(silent=silent), way, silent=silent).said for way in (theirs, ours)]
        if silent:
            assert found == [0, 0]
        else:
            assert isinstance(found[0], OSError)
            assert isinstance(found[1], MailcoreError)
