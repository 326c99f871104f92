"""Django's mail functions, sent through a mailer."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from anymail.message import AnymailRecipientStatus as TheirRecipient
from anymail.message import AnymailStatus as TheirStatus
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives, mail_admins, send_mail
from django.test.utils import override_settings, setup_test_environment, teardown_test_environment
from django.utils.log import AdminEmailHandler

from mailcore import (
    InvalidMessage,
    MailerGroup,
    MaybeSent,
    NotAccepted,
    RecipientResult,
    Rejected,
    Scope,
    SendCancelled,
    SendResult,
    SendStatus,
    UnsupportedFeature,
)
from mailcore.frameworks.django import EmailBackend, get_mailer, post_send, pre_send
from mailcore.frameworks.django._anymail import AnymailStatus
from mailcore.frameworks.django.testing import outbox
from mailcore.providers.local import MemoryAdapter

SIX_ONE = django.VERSION >= (6, 1)
BACKEND = "mailcore.frameworks.django.EmailBackend"


def backend_settings(**options: Any) -> dict[str, Any]:
    """Return the settings that make the backend Django's own, as this version of Django wants them."""
    entry = {"BACKEND": BACKEND, "OPTIONS": options}
    return {"MAILERS": {"default": entry}} if SIX_ONE else {"EMAIL_BACKEND": BACKEND}


def message(to: str = "bob@example.com", **given: Any) -> EmailMultiAlternatives:
    """Return a message of Django's."""
    return EmailMultiAlternatives("Hi", "Hello", to=[to], **given)


def backend(**options: Any) -> EmailBackend:
    """Return a backend as the project's code gets one."""
    if SIX_ONE:
        with override_settings(**backend_settings(**options)):
            return mail.mailers.default
    return mail.get_connection(BACKEND, **options)


@pytest.fixture
def memory(through: Callable[..., None]) -> None:
    """Send through the provider `memory`."""
    through(provider="memory")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, memory: None) -> dict[str, Exception]:
    """Return a table: address → the error that a mail to it ends in."""
    errors: dict[str, Exception] = {}
    build = MemoryAdapter.parse_send

    def parse(self: MemoryAdapter, message: Any, ctx: Any, response: Any) -> SendResult:
        error = errors.get(message.to[0].addr_spec)
        if error is not None:
            raise error
        return build(self, message, ctx, response)

    monkeypatch.setattr(MemoryAdapter, "parse_send", parse)
    return errors


@pytest.fixture
def signals() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Listen before and after each send, and give what was heard."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def before(sender: Any, **told: Any) -> None:
        heard.append(("pre_send", {"sender": sender, **told}))

    def after(sender: Any, **told: Any) -> None:
        heard.append(("post_send", {"sender": sender, **told}))

    pre_send.connect(before)
    post_send.connect(after)
    yield heard
    pre_send.disconnect(before)
    post_send.disconnect(after)


@pytest.mark.usefixtures("memory")
class TestFunctions:
    """What Django's documentation shows."""

    def test_send_mail(self) -> None:
        """One mail is taken, and counted."""
        assert send_mail("Hi", "Hello", None, ["bob@example.com"], html_message="<p>") == 1
        (found,) = outbox()
        assert (found.subject, found.text, found.html) == ("Hi", "Hello", "<p>")
        assert found.from_[0].addr_spec == "ada@example.com"

    def test_send_mass_mail(self) -> None:
        """All are taken, in their order."""
        rows = [(f"Number {number}", "Hello", None, ["bob@example.com"]) for number in range(3)]
        assert mail.send_mass_mail(rows) == 3
        assert [found.subject for found in outbox()] == ["Number 0", "Number 1", "Number 2"]

    def test_mail_admins(self) -> None:
        """Admins are written to."""
        admins = ["admin@example.com"] if SIX_ONE else [("Admin", "admin@example.com")]
        with override_settings(ADMINS=admins, SERVER_EMAIL="server@example.com"):
            mail_admins("Broken", "It is.")
        (found,) = outbox()
        assert (found.subject, found.to[0].addr_spec) == ("[Django] Broken", "admin@example.com")

    def test_result(self) -> None:
        """The message knows what became of it, in our words and in anymail's."""
        given = message(bcc=["carol@example.com"])
        assert given.send() == 1
        assert given.mailcore_error is None
        assert given.mailcore_result.provider == "memory"
        status = given.anymail_status
        assert (status.status, status.message_id) == ({"sent"}, given.mailcore_result.message_id)
        assert set(status.recipients) == {"bob@example.com", "carol@example.com"}
        assert status.recipients["bob@example.com"].status == "sent"
        assert status.recipients["bob@example.com"].message_id == status.message_id

    def test_shape_of_anymails_status(self) -> None:
        """It says the same as anymail's own would: of one id, of several, and of none."""
        rows = {"a@example.com": ("1", SendStatus.SENT), "b@example.com": ("2", SendStatus.QUEUED)}
        for count in (0, 1, 2):
            given = list(rows.items())[:count]
            theirs = TheirStatus()
            if given:
                theirs.set_recipient_status(
                    {name: TheirRecipient(number, status.value) for name, (number, status) in given}
                )
            found = {
                name: RecipientResult(status=status, message_id=number) for name, (number, status) in given
            }
            ours = AnymailStatus(SendResult(message_id=None, recipients=found) if given else None)
            assert (ours.message_id, ours.status) == (theirs.message_id, theirs.status)
            assert vars(ours).keys() == vars(theirs).keys()
            assert [(name, row.message_id, row.status) for name, row in ours.recipients.items()] == [
                (name, row.message_id, row.status) for name, row in theirs.recipients.items()
            ]

    def test_error_reports(self) -> None:
        """What is logged as an error is mailed to the admins, as Django does it."""
        admins = ["admin@example.com"] if SIX_ONE else [("Admin", "admin@example.com")]
        record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "It is broken.", None, None)
        with override_settings(ADMINS=admins, SERVER_EMAIL="server@example.com"):
            AdminEmailHandler(include_html=True).emit(record)
        (found,) = outbox()
        assert found.subject == "[Django] ERROR: It is broken."
        assert found.html is not None

    def test_nobody(self) -> None:
        """A message without recipients is not sent and not counted."""
        assert backend().send_messages([EmailMessage("Hi", "Hello"), message()]) == 1
        assert backend().send_messages([]) == 0
        assert len(outbox()) == 1

    def test_open_and_close(self) -> None:
        """A backend may be opened, used again and closed; the mailer's connections are not its own."""
        with backend() as connection:
            assert connection.open() is False
            assert connection.send_messages([message()]) == 1
        assert connection.send_messages([message()]) == 1
        assert connection.mailer is get_mailer()


class TestFailure:
    """What is raised, and what `fail_silently` hides."""

    def test_raised(self, failing: dict[str, Exception]) -> None:
        """The first failure ends it; the message has the error."""
        failing["b@example.com"] = Rejected("No.")
        given = [message("a@example.com"), message("b@example.com"), message("c@example.com")]
        with pytest.raises(Rejected, match="No") as caught:
            backend().send_messages(given)
        assert given[0].mailcore_result is not None
        assert given[1].mailcore_error is caught.value
        assert given[1].anymail_status.status is None
        assert not hasattr(given[2], "mailcore_error")

    def test_silent(self, failing: dict[str, Exception]) -> None:
        """Where it hides them, the others are sent and counted."""
        failing["b@example.com"] = Rejected("No.")
        given = [message("a@example.com"), message("b@example.com"), message("c@example.com")]
        assert backend(fail_silently=True).send_messages(given) == 2
        assert isinstance(given[1].mailcore_error, Rejected)

    def test_silent_where_all_would_fail(self, failing: dict[str, Exception]) -> None:
        """An account or provider that fails is not asked again and again; each message knows."""
        failing["a@example.com"] = NotAccepted("Down.", scope=Scope.PROVIDER, retriable=False)
        given = [message("a@example.com"), message("b@example.com")]
        assert backend(fail_silently=True).send_messages(given) == 0
        assert given[1].mailcore_error is given[0].mailcore_error

    def test_silent_doubt(self, failing: dict[str, Exception]) -> None:
        """A mail that may have been sent says nothing about the next one."""
        failing["a@example.com"] = MaybeSent("Who knows?", retriable=False)
        assert backend(fail_silently=True).send_messages([message("a@example.com"), message()]) == 1

    @pytest.mark.parametrize(
        "given, error",
        [
            (message("no address"), ValueError),
            (message(alternatives=[("x", "text/calendar")]), UnsupportedFeature),
            (message("a@example.com", headers={"X-A": "a\nb"}), ValueError),
        ],
    )
    @pytest.mark.usefixtures("memory")
    def test_mistakes_are_never_hidden(self, given: EmailMessage, error: type[Exception]) -> None:
        """What is wrong with the message is raised all the same, as Django's SMTP backend does."""
        with pytest.raises(error):
            backend(fail_silently=True).send_messages([given])

    @pytest.mark.usefixtures("memory")
    def test_login(self) -> None:
        """A login for an SMTP server means nothing here, and whoever gives one is told."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert send_mail("Hi", "Hello", None, ["bob@example.com"], auth_user="u", auth_password="p") == 1
        assert "auth_user and auth_password mean nothing" in str([str(one.message) for one in caught])


class TestChoice:
    """Which mailer sends."""

    MAILERS = {  # noqa: RUF012  # reason: read only
        "default": "main",
        "mailers": {
            "main": {"provider": "memory"},
            "other": {"provider": "memory"},
            "both": {"group": ["main", "other"]},
        },
    }

    def test_by_name(self, through: Callable[..., None]) -> None:
        """A backend may name one of several."""
        through(**self.MAILERS)
        assert backend(mailer="other").send_messages([message()]) == 1
        assert (len(outbox()), len(outbox("other"))) == (0, 1)

    def test_group(self, through: Callable[..., None]) -> None:
        """A group sends as a mailer does."""
        through(**self.MAILERS)
        assert backend(mailer="both").send_messages([message()]) == 1
        assert isinstance(get_mailer("both"), MailerGroup)
        with pytest.raises(TypeError, match="group"):
            outbox("both")

    def test_options_of_its_own(self, through: Callable[..., None]) -> None:
        """Options stand in place of the mailer's, for this backend alone."""
        through(provider="memory")
        own = backend(defaults={"subject": "Other", "tags": "own"})
        given = EmailMessage("Hi", "Hello", to=["bob@example.com"])
        assert own.send_messages([given]) == 1
        assert get_mailer().settings.defaults is None
        assert own.mailer.settings.defaults.tags == ("own",)

    def test_provider_of_its_own(self, configure: Callable[..., None]) -> None:
        """With a provider among them they are all there is."""
        configure(**backend_settings())
        assert backend(provider="memory").send_messages([message()]) == 1

    @pytest.mark.parametrize(
        "options, text",
        [
            ({"nope": 1}, "no option 'nope'"),
            ({"mailer": "nobody"}, "no mailer 'nobody'"),
            ({"provider": "nowhere"}, "nowhere"),
            ({"provider": "mailpace"}, "MAILCORE_MAILPACE_API_KEY"),
        ],
    )
    def test_wrong_settings(self, through: Callable[..., None], options: Any, text: str) -> None:
        """What cannot work is said when the backend is made, as Django says it."""
        through(provider="memory")
        error = mail.InvalidMailer if SIX_ONE else ImproperlyConfigured
        with pytest.raises(error, match=text) as caught:
            backend(**options)
        assert not SIX_ONE or "MAILERS['default']" in str(caught.value)

    def test_no_settings(self, configure: Callable[..., None]) -> None:
        """A project without the setting is told what to write."""
        configure(**backend_settings())
        with pytest.raises(ImproperlyConfigured, match=r'MAILCORE = \{"PROVIDER"'):
            backend()

    @pytest.mark.skipif(not SIX_ONE, reason="Django before 6.1 has one mailer")
    def test_several_of_django(self, configure: Callable[..., None]) -> None:
        """Each entry of MAILERS may have options of its own; one mailer is kept for each."""
        entries = {
            "default": {"BACKEND": BACKEND},
            "tagged": {"BACKEND": BACKEND, "OPTIONS": {"DEFAULTS": {"tags": "own"}}},
        }
        configure(MAILERS=entries, MAILCORE={"PROVIDER": "memory"})
        assert send_mail("Hi", "Hello", None, ["bob@example.com"], using="tagged") == 1
        assert mail.mailers["tagged"].mailer is mail.mailers["tagged"].mailer
        assert mail.mailers["tagged"].mailer is not mail.mailers.default.mailer

    @pytest.mark.skipif(not SIX_ONE, reason="Django before 6.1 knows no other way")
    def test_deprecated_ways(self) -> None:
        """What Django 6.1 warns of still works: EMAIL_BACKEND, get_connection and fail_silently."""
        with (
            warnings.catch_warnings(action="ignore"),
            override_settings(MAILCORE={"PROVIDER": "memory"}, EMAIL_BACKEND=BACKEND),
        ):
            assert mail.get_connection(fail_silently=True).fail_silently is True
            assert mail.get_connection(BACKEND, defaults={"tags": "a"}).send_messages([message()]) == 1
            assert send_mail("Hi", "Hello", None, ["bob@example.com"], fail_silently=True) == 1
            with pytest.raises(ImproperlyConfigured):
                mail.get_connection(nope=1)

    @pytest.mark.skipif(not SIX_ONE, reason="Django before 6.1 has no MAILERS")
    def test_deprecated_arguments_beside_mailers(self, memory: None) -> None:
        """An argument that Django hands on to the default mailer is no unknown option."""
        with warnings.catch_warnings(action="ignore"):
            assert mail.get_connection(fail_silently=True).fail_silently is True
            assert send_mail("Hi", "Hello", None, ["bob@example.com"], auth_user="u") == 1

    def test_own_mailer_is_closed(self, through: Callable[..., None]) -> None:
        """A backend that was made with options, and is no entry of MAILERS, closes what it opened."""
        through(provider="memory")
        with warnings.catch_warnings(action="ignore"):
            connection = EmailBackend(defaults={"tags": "a"})
            assert connection.open() is True
            assert connection.open() is False
            mine = connection.mailer
            connection.close()
            assert connection.mailer is not mine
            connection.close()


@pytest.mark.usefixtures("memory")
class TestSignals:
    """Before and after."""

    def test_told(self, signals: list[Any]) -> None:
        """Both are told the message, the mailer and the provider; the second one the outcome."""
        given = message()
        given.send()
        (first, before), (second, after) = signals
        assert (first, second) == ("pre_send", "post_send")
        assert before["sender"] is after["sender"] is EmailBackend
        assert before["message"] is after["message"] is given
        for told in (before, after):
            assert (told["mailer"], told["provider"], told["esp_name"]) == ("default", "memory", "memory")
        assert after["result"] is given.mailcore_result
        assert (after["error"], after["status"]) == (None, given.anymail_status)

    def test_told_of_a_failure(self, signals: list[Any], failing: dict[str, Exception]) -> None:
        """A failure is an outcome too."""
        failing["bob@example.com"] = Rejected("No.")
        with pytest.raises(Rejected):
            message().send()
        assert isinstance(signals[1][1]["error"], Rejected)
        assert signals[1][1]["result"] is None

    @pytest.fixture
    def before(self) -> Iterator[Callable[[Any], None]]:
        """Return a function that connects a receiver to pre_send for this test."""
        connected = []

        def connect(receiver: Any) -> None:
            connected.append(receiver)
            pre_send.connect(receiver)

        yield connect
        for receiver in connected:
            pre_send.disconnect(receiver)

    def test_change(self, before: Any) -> None:
        """A receiver may change the message."""

        def tag(sender: Any, message: Any, **_: Any) -> None:
            message.tags = ["tagged"]

        before(tag)
        message().send()
        assert outbox()[0].tags == ("tagged",)

    def test_cancel(self, before: Any) -> None:
        """A receiver may cancel it: no mail, and no error, but the message knows."""

        def cancel(sender: Any, **_: Any) -> None:
            raise SendCancelled("Not on Sundays.")

        before(cancel)
        given = message()
        assert given.send() == 0
        assert isinstance(given.mailcore_error, SendCancelled)
        assert outbox() == []

    def test_before_that_raises(self, before: Any) -> None:
        """Any other error stops the message and reaches the caller."""

        def fail(sender: Any, **_: Any) -> None:
            raise OSError("Broken.")

        before(fail)
        with pytest.raises(OSError, match="Broken"):
            message().send()
        assert outbox() == []

    def test_after_that_raises(self, caplog: Any) -> None:
        """The mail is on its way: whoever raises after it is logged, and does not make it be sent again."""

        def fail(sender: Any, **_: Any) -> None:
            raise OSError("Broken.")

        post_send.connect(fail)
        try:
            assert message().send() == 1
        finally:
            post_send.disconnect(fail)
        assert "Broken." in caplog.text


class TestOutboxes:
    """What the tests of a project look at."""

    def test_djangos(self, memory: None) -> None:
        """Within Django's test environment mail goes to its own outbox, and no mailer is asked."""
        setup_test_environment()
        try:
            given = message()
            given.tags = ["kept"]
            assert given.send() == 1
            assert mail.outbox[0].tags == ["kept"]
            assert outbox() == []
        finally:
            teardown_test_environment()

    def test_ours_is_fresh(self, through: Callable[..., None]) -> None:
        """Each change of the settings begins with an empty one."""
        through(provider="memory")
        message().send()
        with override_settings(MAILCORE={"provider": "memory"}):
            assert outbox() == []
            message().send()
            assert len(outbox()) == 1

    def test_none(self, through: Callable[..., None]) -> None:
        """A provider that keeps nothing has none."""
        through(provider="console")
        with pytest.raises(TypeError, match="outbox"):
            outbox()


def test_invalid_message_is_a_value_error() -> None:
    """Code that catches what Django raises for a bad address keeps working."""
    assert issubclass(InvalidMessage, ValueError)
