"""The running sandbox: providers answered, mail kept, events told, and nobody let in who should not be."""

from __future__ import annotations

import json
import smtplib
import socket
import threading
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests

from mailcore import Attachment, EventType, Mailer, Message, Rejected
from mailcore.sandbox import Chaos
from mailcore.sandbox.web import _actions

pytestmark = [pytest.mark.loopback]

RAW = b"From: Zoe <zoe@example.org>\nTo: app@corp.example\nSubject: Question\n\nWhere?\n"


class TestSending:
    """A mail that a real adapter sends is there to be looked at."""

    def test_appears(self, server: Any, browser: Any, send: Any, settings_of: Any, provider: str) -> None:
        """It is listed, and can be read with what was asked and answered, but without any secret."""
        message_id = send(server, provider, html="<b>Hi</b>", cc=["c@x.example"], bcc=["d@x.example"])
        (line,) = browser.json("/api/mails")["mails"]
        assert (line["provider"], line["subject"], line["sender"]) == (provider, "Hällo", "me@corp.example")
        assert line["message_id"].strip("<>") == message_id.strip("<>")
        assert line["recipients"] == ["you@x.example", "c@x.example", "d@x.example"]
        mail = browser.json(f"/api/mails/{line['id']}")
        assert (mail["text"].strip(), mail["html"].strip()) == ("Hi", "<b>Hi</b>")
        assert mail["exchange"]["request"]["method"] == "POST"
        assert mail["exchange"]["response"]["status"] == 200
        given, shown = settings_of(server, provider), json.dumps(mail["exchange"])
        for name in ("api_key", "server_token", "secret_access_key"):
            assert given.get(name, "no secret") not in shown

    def test_files(self, server: Any, browser: Any, send: Any) -> None:
        """Attachments and inline images are in the mail, and in the file that it is exported as."""
        png = {"filename": "a.png", "content_type": "image/png", "content_id": "logo"}
        image = Attachment(content=b"\x89PNG\r\n", **png)
        send(server, html='<img src="cid:logo">', attachments=[image])
        (line,) = browser.json("/api/mails")["mails"]
        assert browser.json(f"/api/mails/{line['id']}")["attachments"] == [{**png, "size": 6}]
        source = browser("GET", f"/api/mails/{line['id']}/source")
        assert source.headers["Content-Disposition"] == f'attachment; filename="mail-{line["id"]}.eml"'
        assert b"Content-ID: <logo>" in source.content

    def test_any_key_and_sender(self, server: Any, browser: Any, settings_of: Any) -> None:
        """An application may keep the key and the sender that it has."""
        given = {**settings_of(server, "mailpace"), "api_key": "our-real-token"}
        with Mailer.from_config(given, environ={}) as mailer:
            mailer.send(Message(from_="me@corp.example", to="you@x.example", text="Hi"))
        assert browser.json("/api/mails")["total"] == 1

    def test_strict(self, start: Any, send: Any) -> None:
        """Where that is wanted, the provider refuses what it would refuse."""
        server = start(strict=True)
        with pytest.raises(Rejected):
            send(server)
        send(server, from_="ada@example.com")

    def test_search_and_clear(self, server: Any, browser: Any, send: Any) -> None:
        """Mail is found by what is in it; once cleared it is gone, and ids go on."""
        for subject in ("Invoice", "Welcome"):
            send(server, subject=subject)
        assert [one["subject"] for one in browser.json("/api/mails?search=INV")["mails"]] == ["Invoice"]
        assert browser("DELETE", "/api/mails").status_code == 204
        assert browser.json("/api/mails") == {"total": 0, "mails": []}
        assert send(server) == "3"

    def test_bounced_address(self, server: Any, browser: Any, application: Any, send: Any) -> None:
        """Who bounced is refused, as the provider does, until the mailbox is cleared."""
        application(server, "mailpace")
        send(server)
        browser.happen(1, "bounce")
        with pytest.raises(Rejected):
            send(server)
        browser("DELETE", "/api/mails")
        send(server)


class TestSmtp:
    """A mail from any client that speaks SMTP."""

    def test_appears(self, server: Any, browser: Any) -> None:
        """It is listed with its envelope."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "a@x.example", "b@x.example", "Grüße"
        mail.set_content("Hallo")
        with smtplib.SMTP("127.0.0.1", server.smtp_port) as client:
            client.login("any", "thing")
            client.send_message(mail, "bounces@x.example", ["b@x.example", "hidden@x.example"])
        (line,) = browser.json("/api/mails")["mails"]
        assert (line["provider"], line["subject"], line["sender"]) == ("smtp", "Grüße", "bounces@x.example")
        assert line["recipients"] == ["b@x.example", "hidden@x.example"]
        assert browser.json(f"/api/mails/{line['id']}")["happenings"] == []

    def test_long_lines(self, server: Any, browser: Any) -> None:
        """A mail whose lines are too long for others is kept as it came: one wants to see what it is."""
        source = b"Subject: Wide\r\n\r\n" + b"x" * 70_000 + b"\r\n"
        with smtplib.SMTP("127.0.0.1", server.smtp_port) as client:
            client.sendmail("a@x.example", ["b@x.example"], source)
        assert browser("GET", "/api/mails/1/source").content == source

    def test_by_the_adapter(self, server: Any, browser: Any) -> None:
        """The settings that are printed for SMTP are those of our adapter."""
        given = {"provider": "smtp", "host": "127.0.0.1", "port": server.smtp_port, "security": "plain"}
        with Mailer.from_config(given, environ={}) as mailer:
            mailer.send(Message(from_="me@corp.example", to="you@x.example", subject="By SMTP", text="Hi"))
        assert browser.json("/api/mails")["mails"][0]["subject"] == "By SMTP"


class TestEvents:
    """What happens to a mail is told as the provider tells it."""

    def test_every_button(
        self, server: Any, browser: Any, send: Any, application: Any, provider: str
    ) -> None:
        """Each button makes a webhook that the provider's receiver finds genuine."""
        mine = application(server, provider)
        expected = {
            "deliver": EventType.DELIVERED,
            "defer": EventType.DEFERRED,
            "bounce": EventType.BOUNCED,
            "unknown": EventType.UNKNOWN,
        }
        for name in server.sandbox.providers[provider].happenings:
            message_id = send(server, provider, to=[f"{name}@x.example"])
            line = browser.json("/api/mails")["mails"][0]
            wait_for(browser, line["id"])
            mine.events.clear()
            made = browser.happen(line["id"], name)
            assert {webhook["response"]["status"] for webhook in made} == {200}
            event = mine.events[0]
            assert event.message_id.strip("<>") == message_id.strip("<>")
            if name in expected:
                assert event.event_type is expected[name]
        kept = browser.json(f"/api/mails/{line['id']}")["webhooks"]
        assert [webhook["id"] for webhook in made] == [webhook["id"] for webhook in kept[: len(made)]][::-1]

    def test_sending_is_told(self, server: Any, browser: Any, send: Any, application: Any) -> None:
        """What the provider tells of each mail is told without a button."""
        mine = application(server, "mailpace")
        send(server)
        wait_for(browser, 1)
        assert [event.event_type for event in mine.events] == [EventType.QUEUED]

    def test_duplicate(self, server: Any, browser: Any, send: Any, application: Any) -> None:
        """The same delivery twice: the receiver handles it once."""
        mine = application(server, "mailpace")
        send(server)
        wait_for(browser, 1)
        first, second = browser.happen(1, "duplicate")
        assert (first["body"], first["headers"]) == (second["body"], second["headers"])
        assert mine.bodies[-1] == mine.bodies[-2]

    def test_out_of_order(self, server: Any, browser: Any, send: Any, application: Any) -> None:
        """The later event comes first."""
        mine = application(server, "mailpace")
        send(server)
        wait_for(browser, 1)
        browser.happen(1, "out-of-order")
        assert [event.event_type for event in mine.events[-2:]] == [EventType.DELIVERED, EventType.DEFERRED]

    def test_unreachable(self, server: Any, browser: Any, send: Any, application: Any) -> None:
        """An endpoint that is not there is told, and its event is kept to be sent once there is one."""
        mine = application(server, "mailpace")
        browser("PUT", "/api/settings", json={"webhook_url": "http://127.0.0.1:9/"})
        send(server)
        (failed,) = browser.happen(1, "bounce")
        assert failed["response"] is None
        assert failed["error"] == (
            "No connection to 127.0.0.1:9 was made; nothing was sent (ConnectionRefusedError)."
        )
        browser("PUT", "/api/settings", json={"webhook_url": mine.url})
        answer = browser("POST", f"/api/webhooks/{failed['id']}/replay").json()["webhooks"][0]
        assert (answer["response"]["status"], answer["body"]) == (200, failed["body"])
        assert [event.event_type for event in mine.events] == [EventType.BOUNCED]

    def test_replay_of_basic_auth(self, server: Any, browser: Any, send: Any, application: Any) -> None:
        """A provider that signs nothing is known by its password again, which is not kept."""
        mine = application(server, "postmark")
        send(server, "postmark")
        (made,) = browser.happen(1, "deliver")
        assert "secret" not in json.dumps(made)
        answer = browser("POST", f"/api/webhooks/{made['id']}/replay").json()["webhooks"][0]
        assert answer["response"]["status"] == 200
        assert len(mine.bodies) == 2

    @pytest.mark.parametrize(
        "path, body, error",
        [
            ("/api/mails/1/happen", {"happening": "explode"}, (409, "cannot happen")),
            ("/api/mails/1/happen", {"happening": "deliver"}, (409, "No webhook URL is set")),
            ("/api/mails/9/happen", {"happening": "deliver"}, (404, "no such mail")),
            ("/api/mails/99999999999999999999999/happen", {}, (404, "no such mail")),
            ("/api/webhooks/9/replay", {}, (404, "no such webhook")),
            ("/api/providers/nobody/receive", {}, (404, "there are amazon-ses")),
        ],
    )
    def test_impossible(self, browser: Any, send: Any, path: str, body: Any, error: Any) -> None:
        """What cannot be done is said."""
        send(browser.server)
        answer = browser("POST", path, json=body)
        assert answer.status_code == error[0]
        assert error[1] in answer.json()["error"]


class TestReceiving:
    """Mail from outside, as the provider passes it on."""

    def test_source(self, server: Any, browser: Any, application: Any, provider: str) -> None:
        """A pasted source reaches the inbound endpoint, and is listed."""
        mine = application(server, provider)
        answer = browser("POST", f"/api/providers/{provider}/receive", data=RAW).json()
        assert [webhook["response"]["status"] for webhook in answer["webhooks"]] == [200]
        (mail,) = mine.mails
        assert (mail.subject, mail.text.strip()) == ("Question", "Where?")
        line = browser.json("/api/mails")["mails"][0]
        assert (line["incoming"], line["sender"], line["id"]) == (
            True,
            "zoe@example.org",
            answer["mail"]["id"],
        )

    def test_written(self, server: Any, browser: Any, application: Any) -> None:
        """What is written in a form becomes a mail; a line break cannot add a header."""
        mine = application(server, "mailpace")
        form = {"from": "Zoë <zoe@example.org>", "to": "app@corp.example", "subject": "A\r\nBcc: x@y.example"}
        browser("POST", "/api/providers/mailpace/receive", json={**form, "text": "Hi", "html": "<p>Hi"})
        (mail,) = mine.mails
        assert (mail.subject, mail.html.strip(), mail.bcc) == ("A Bcc: x@y.example", "<p>Hi", ())

    def test_empty_and_large(self, server: Any, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither nothing nor more than the cap is taken."""
        monkeypatch.setattr(_actions, "MAX_RECEIVED", 1000)
        path = "/api/providers/mailpace/receive"
        assert browser("POST", path, data=b"").status_code == 400
        assert browser("POST", path, data=b"x" * 1001).status_code == 413


class TestRoom:
    """As much mail as there is room for."""

    def test_emulator_forgets(
        self, start: Any, visit: Any, send: Any, application: Any, provider: str
    ) -> None:
        """What the mailbox has no room for, the emulator forgets too; what is left can be acted on."""
        server = start(most=2)
        application(server, provider)
        browser = visit(server)
        ids = [send(server, provider) for _ in range(6)]
        assert len(set(ids)) == 6
        assert len(server.sandbox.providers[provider].emulator.sent) <= 3
        for line in browser.json("/api/mails")["mails"]:
            assert line["message_id"].strip("<>") in [one.strip("<>") for one in ids[-2:]]
            (made,) = browser.happen(line["id"], "deliver")
            assert made["response"]["status"] == 200
            assert line["message_id"].strip("<>") in made["body"]

    def test_removed(self, browser: Any, send: Any) -> None:
        """One mail may be deleted; nothing happens to it any longer."""
        ids = [send(browser.server), send(browser.server)]
        assert browser("DELETE", "/api/mails/1").status_code == 204
        assert browser("DELETE", "/api/mails/1").status_code == 404
        assert [line["message_id"] for line in browser.json("/api/mails")["mails"]] == ids[1:]
        send(browser.server)
        sent = browser.server.sandbox.providers["mailpace"].emulator.sent
        assert [str(mail.id) for mail in sent] == ["2", "3"]


class TestRestart:
    """A file that outlives the process."""

    def test_goes_on(  # noqa: PLR0917  # reason: fixtures
        self, start: Any, visit: Any, send: Any, application: Any, tmp_path: Path, provider: str
    ) -> None:
        """Mail of before can be acted on, and no id is given out twice, not even of mail that is cleared."""
        first = start(file=tmp_path / "mail.db")
        ids = [send(first, provider)]
        visit(first)("DELETE", "/api/mails")
        ids += [send(first, provider), send(first, provider)]
        assert len(set(ids)) == 3
        first.close()
        second = start(file=tmp_path / "mail.db", port=first.port)
        mine, browser = application(second, provider), visit(second)
        lines = browser.json("/api/mails")["mails"]
        assert [line["message_id"].strip("<>") for line in lines] == [one.strip("<>") for one in ids[:0:-1]]
        browser.happen(lines[1]["id"], "deliver")
        assert mine.events[-1].message_id.strip("<>") == ids[1].strip("<>")
        assert send(second, provider) not in ids

    def test_full_disk(self, start: Any, settings_of: Any, tmp_path: Path) -> None:
        """A disk without room is said in one sentence, by HTTP and by SMTP."""
        server = start(file=tmp_path / "mail.db")
        connection = server.sandbox.mailbox._database._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        url = settings_of(server, "mailpace")["api_url"]
        body = {"from": "a@x.example", "to": "b@x.example", "textbody": "x" * 100_000}
        headers = {"MailPace-Server-Token": "t", "Accept": "application/json"}
        answer = requests.post(url, json=body, headers=headers, timeout=60)
        assert (answer.status_code, answer.text.count("\n")) == (507, 1)
        assert "disk is full" in answer.text
        with (
            smtplib.SMTP("127.0.0.1", server.smtp_port) as client,
            pytest.raises(smtplib.SMTPDataError) as caught,
        ):
            client.sendmail("a@x.example", ["b@x.example"], b"Subject: a\r\n\r\n" + b"x\r\n" * 40_000)
        assert caught.value.smtp_code == 452


class TestSample:
    """A first mail, for whoever has none yet."""

    @pytest.mark.parametrize("name", ["smtp", "mailpace", "resend"])
    def test_sent(self, browser: Any, name: str) -> None:
        """It is sent with the settings that are shown, and has something in each view."""
        assert browser("POST", f"/api/sample/{name}").status_code == 204
        (line,) = browser.json("/api/mails")["mails"]
        assert (line["provider"], line["subject"], line["files"]) == (name, "Welcome aboard", 2)

    def test_absent(self, browser: Any) -> None:
        """Settings that there are not are named beside those that there are."""
        answer = browser("POST", "/api/sample/nobody")
        assert answer.status_code == 404
        assert "mailpace" in answer.json()["error"]


class TestSpeed:
    """What makes an answer wait."""

    def test_small_answers_go_at_once(self, server: Any, browser: Any) -> None:
        """No answer waits for the client to acknowledge its headers."""
        browser.json("/api/settings")
        connections = server._server.lifespan.state["connections"].values()
        sockets = [connection.get_extra_info("socket") for connection in connections]
        assert [found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0 for found in sockets] == [True]

    def test_long_answers_stop_nobody(self, server: Any, monkeypatch: pytest.MonkeyPatch, send: Any) -> None:
        """A small request is answered at once; a large one and a slow one have a thread of their own."""
        threads: list[str] = []
        whole = server.sandbox.answer

        def answer(*asked: Any) -> Any:
            threads.append(threading.current_thread().name)
            return whole(*asked)

        monkeypatch.setattr(server.sandbox, "answer", answer)
        send(server)
        send(server, text="x" * 70_000)
        server.sandbox.chaos = Chaos(latency=0.01)
        send(server)
        own = server._thread.name
        assert [name == own for name in threads] == [True, False, False]


class TestStream:
    """Changes, as they happen."""

    def test_told(self, server: Any, send: Any) -> None:
        """Whoever listens is told of a new mail; closing the sandbox ends the stream."""
        with requests.get(server.url + "/api/changes", stream=True, timeout=60) as answer:
            lines = (line for line in answer.iter_lines() if line)
            assert next(lines) == b'data: {"total": 0, "refused": 0}'
            send(server)
            assert next(lines) == b'data: {"total": 1, "refused": 0}'
            started = time.monotonic()
            server.close()
            assert list(lines) in ([], [b'data: {"total": 1, "refused": 0}'])
            assert time.monotonic() - started < 5


def wait_for(browser: Any, mail: int) -> None:
    """Wait until what the provider tells of a new mail by itself was told; Postmark tells nothing."""
    silent = browser.json(f"/api/mails/{mail}")["provider"] == "postmark"
    deadline = time.monotonic() + 10
    while not silent and not browser.json(f"/api/mails/{mail}")["webhooks"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
