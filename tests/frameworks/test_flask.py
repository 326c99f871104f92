"""Mailcore in Flask: its configuration, its mailers, its blueprint."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import flask
import pytest
from flask import Flask, current_app, g, request

from mailcore import (
    ConfigurationError,
    InboundMessage,
    Mailer,
    MailerGroup,
    MemoryReplayStore,
    Message,
    MissingOption,
    Quarantined,
    TrackingEvent,
)
from mailcore.frameworks.flask import Mailcore
from mailcore.testing import outbox
from reliability.delivery import Answer, Delivery, through_wsgi
from reliability.webhook_cases import EVENT, EVENTS, KEY, MAIL, MAILS, delivery

CONFIG = {"provider": "mailpace", "webhook_key": KEY}
MEMORY = {"provider": "memory"}
NOTE = Message(from_="ada@example.com", to="bob@example.com", text="Hello")


def application(config: Any = CONFIG, **settings: Any) -> Flask:
    """Return an application with such a configuration."""
    app = Flask("shop")
    app.config.update(MAILCORE=config, **settings)
    return app


def mounted(app: Flask, mail: Mailcore) -> Flask:
    """Mount the endpoints."""
    mail.init_app(app)
    app.register_blueprint(mail.webhooks, url_prefix="/mail")
    return app


def post(app: Flask, given: Delivery | None = None) -> Answer:
    """Let an application have a delivery."""
    return through_wsgi(app, given or delivery(), mounted=False)


class TestMailers:
    """What an application sends through."""

    def test_flat_settings(self) -> None:
        """MAILCORE may be one mailer's settings; a view has it in hand."""
        app = application(MEMORY)
        with Mailcore(app) as mail, app.app_context():
            assert isinstance(mail.mailer(), Mailer)
            mail.mailer().send(NOTE)
            assert [message.text for message in outbox(mail.mailer())] == [NOTE.text]  # type: ignore[arg-type]  # reason: no group

    def test_named(self) -> None:
        """Or several mailers under their names, and one of them is meant where none is named."""
        tables = {"main": MEMORY, "spare": MEMORY, "both": {"group": ["main", "spare"]}}
        with Mailcore(application({"default": "spare", "mailers": tables})) as mail:
            assert mail.mailer() is mail.mailer("spare") is not mail.mailer("main")
            assert isinstance(mail.mailer("both"), MailerGroup)
            with pytest.raises(ConfigurationError, match="no mailer 'bulk'"):
                mail.mailer("bulk")

    def test_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without MAILCORE the environment says it."""
        monkeypatch.setenv("MAILCORE_URL", "memory:")
        app = Flask("shop")
        with Mailcore(app) as mail:
            assert mail.mailer().send(NOTE).provider == "memory"

    def test_nothing(self) -> None:
        """Without either, the application does not start."""
        with pytest.raises(ConfigurationError, match="MAILCORE_URL"):
            Mailcore(Flask("shop"))

    def test_several_applications(self) -> None:
        """Each application has mailers of its own; outside of them, nobody knows which is meant."""
        one, two = application(MEMORY), application(MEMORY)
        mail = Mailcore()
        mail.init_app(one)
        assert mail.mailer() is mail.mailer()
        mail.init_app(two)
        with one.app_context():
            first = mail.mailer()
        with two.app_context():
            assert mail.mailer() is not first
        with pytest.raises(ConfigurationError, match="init_app"):
            mail.mailer()

    def test_not_there(self) -> None:
        """An application that was never told of mailcore says so."""
        mail = Mailcore(application(MEMORY))
        with Flask("other").app_context(), pytest.raises(ConfigurationError, match="init_app"):
            mail.mailer()

    def test_close(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Closing closes the mailers and the receivers of every application."""
        closed: list[str] = []
        monkeypatch.setattr("mailcore.Mailers.close", lambda self: closed.append("mailers"))
        monkeypatch.setattr("mailcore.WebhookReceiver.close", lambda self: closed.append("receiver"))
        with Mailcore() as mail:
            mounted(application(), mail)
            mounted(application(MEMORY), mail)
        assert sorted(closed) == ["mailers", "mailers", "receiver"]


class TestHandlers:
    """The functions that are called."""

    def test_by_argument(self) -> None:
        """A handler may be given."""
        events: list[TrackingEvent] = []
        app = mounted(application(), Mailcore(on_event=events.append))
        assert post(app).status == 200
        assert events[0].message_id == "1"

    def test_by_decorator(self) -> None:
        """Or added, before the endpoints are mounted or after; it has the application's context."""
        mail, seen = Mailcore(), []

        @mail.on_event
        def store(event: TrackingEvent) -> None:
            seen.append((current_app.name, event.message_id))

        app = mounted(application(), mail)

        @mail.on_inbound
        def read(message: InboundMessage) -> None:
            seen.append((request.path, message.subject))

        assert [post(app).status, post(app, delivery(MAIL, path=MAILS)).status] == [200, 200]
        assert seen == [("shop", "1"), ("/mail/mailpace/inbound/", "Grüße")]
        assert store.__name__ == "store"

    def test_twice(self) -> None:
        """A second handler would silently take the place of the first."""
        mail = Mailcore(on_event=print)
        with pytest.raises(ConfigurationError, match="on_event has a function already"):
            mail.on_event(print)

    def test_async(self) -> None:
        """An async handler is run as Flask runs async views; it is not forgotten."""
        seen: list[TrackingEvent] = []

        async def store(event: TrackingEvent) -> None:
            seen.append(event)

        try:
            app = mounted(application(), Mailcore(on_event=store))
        except RuntimeError as error:
            assert "async" in str(error)  # noqa: PT017  # reason: what Flask says without asgiref
        else:
            assert (post(app).status, len(seen)) == (200, 1)

    def test_other_options(self) -> None:
        """Quarantine and replay store are the receivers' own."""
        kept: list[Quarantined] = []
        events: list[TrackingEvent] = []
        mail = Mailcore(on_event=events.append, on_quarantine=kept.append, replay_store=MemoryReplayStore())
        app = mounted(application(), mail)
        assert [post(app).status, post(app).status, post(app, delivery(b"[]")).status] == [200, 200, 200]
        assert (len(events), len(kept)) == (1, 1)

    def test_drained(self, tmp_path: Path) -> None:
        """What waits in the spool is handed over in the application's context, in a thread."""
        done = threading.Event()
        seen: list[Any] = []

        def store(event: TrackingEvent) -> None:
            seen.append((current_app.name, flask.has_request_context(), event.message_id))
            g.stored = True  # lives as long as the context of this one event
            done.set()

        app = mounted(
            application({**CONFIG, "defer": True, "spool": str(tmp_path / "spool")}),
            mail := Mailcore(on_event=store),
        )
        assert post(app).status == 200
        assert seen == []
        with mail.draining(every=0.01):
            assert done.wait(10)
        assert seen == [("shop", False, "1")]
        assert list((tmp_path / "spool").iterdir()) == []


class TestEndpoints:
    """Which there are."""

    def test_without_proof(self) -> None:
        """An application whose deliveries nothing would prove does not start."""
        app = application({"provider": "mailpace", "api_key": "k"})
        mail = Mailcore(app, on_event=print)
        with pytest.raises(MissingOption, match="MAILPACE_WEBHOOK_KEY"):
            app.register_blueprint(mail.webhooks)
        assert isinstance(mail.mailer(), Mailer)  # it may still send

    def test_no_provider_with_webhooks(self) -> None:
        """In tests, a provider without webhooks has no endpoint, and everything else works."""
        app = mounted(application(MEMORY), Mailcore(on_event=print))
        assert post(app).status == 404

    def test_first_of_a_provider(self) -> None:
        """Of two mailers with one provider, the first with a proof says how webhooks are received."""
        tables = {
            "both": {"group": ["sends", "main"]},
            "sends": {"provider": "mailpace", "api_key": "k"},
            "main": CONFIG,
            "other": {**CONFIG, "max_event_bytes": 1},
        }
        config = {"default": "both", "mailers": tables}
        assert post(mounted(application(config), Mailcore(on_event=print))).status == 200
        assert post(mounted(application(config), Mailcore(on_event=print, receive=["other"]))).status == 413

    def test_no_redirect(self) -> None:
        """Slashes of every number get an answer and no redirect, which would lose the delivery."""
        app = mounted(application(), Mailcore(on_event=print))
        for path, status in ((EVENTS, 200), (EVENTS[:-1], 200), (EVENTS + "/", 404), ("/" + EVENTS, 404)):
            assert post(app, delivery(path=path)).status == status

    def test_what_flask_answers(self) -> None:
        """A path of another form, and a method that no standard knows, are Flask's own to refuse."""
        app = mounted(application(), Mailcore(on_event=print))
        for given, status in ((delivery(path=f"{EVENTS}more/"), 404), (delivery(method="BREW"), 405)):
            answer = post(app, given)
            assert answer.status == status
            assert b"<!doctype html>" in answer.body


class TestBody:
    """The raw body, whatever the application does with it."""

    def test_limits_of_the_application(self) -> None:
        """A mail may be larger than the application allows forms to be."""
        limits = {"MAX_CONTENT_LENGTH": 10, "MAX_FORM_MEMORY_SIZE": 10}
        app = mounted(application(CONFIG, **limits), Mailcore(on_event=print))
        assert post(app).status == 200

    @pytest.mark.parametrize("length", ["", None])
    @pytest.mark.parametrize(
        "read",
        ["get_data", "get_json", "data", "form"],
    )
    def test_read_by_a_hook(self, read: str, length: str | None) -> None:
        """What a hook has read, and Flask keeps, is verified as it came."""
        events: list[TrackingEvent] = []
        app = mounted(application(), Mailcore(on_event=events.append))

        @app.before_request
        def hook() -> None:
            found = getattr(request, read)
            if callable(found):
                found()

        assert post(app, delivery(length=length)).status == 200
        assert len(events) == 1

    @pytest.mark.parametrize("how", ["data", "stream", "a part"])
    def test_consumed_by_a_hook(self, how: str) -> None:
        """What a hook has thrown away is an error of the application's, said in words, and no forgery."""
        app = mounted(application(CONFIG, PROPAGATE_EXCEPTIONS=True), Mailcore(on_event=print))

        @app.before_request
        def hook() -> None:
            if how == "data":
                request.get_data(cache=False)
            else:
                request.stream.read(1 if how == "a part" else -1)

        with pytest.raises(RuntimeError, match="before_request"):
            post(app)

    def test_form_parsed_by_a_hook(self) -> None:
        """So is a form that a hook had parsed: nothing keeps its bytes."""
        form = (("Content-Type", "application/x-www-form-urlencoded"),)
        app = mounted(application(CONFIG, PROPAGATE_EXCEPTIONS=True), Mailcore(on_event=print))

        @app.before_request
        def hook() -> None:
            assert request.form

        with pytest.raises(RuntimeError, match="before_request"):
            post(app, Delivery(method="POST", path=EVENTS, headers=form, body=EVENT, length=str(len(EVENT))))
