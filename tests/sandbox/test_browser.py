"""The page in a real browser: mail appears, events are told, and what is refused is shown."""

from __future__ import annotations

import smtplib
from base64 import b64decode
from typing import Any

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from mailcore import Attachment, EventType

pytestmark = [
    pytest.mark.long,
    pytest.mark.loopback,
    # As selenium closes its sockets when they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
WELCOME: dict[str, Any] = {
    "from_": "Ada Lovelace <ada@example.com>",
    "to": ["Grace Hopper <grace@example.net>"],
    "subject": "Welcome aboard",
    "text": "Hello Grace,\n\nyour account is ready.\n",
    "html": "<h1 style='color:#0b5cad'>Hello Grace</h1><p>Your account is ready. "
    "<a href='https://example.com/start?a=1&amp;b=2'>Start here</a>.</p><img src='cid:dot' alt='A dot'>",
    "tags": ["welcome"],
    "attachments": [
        Attachment(content=b"Step 1: read.\n", filename="first-steps.txt"),
        Attachment(content=GIF, filename="dot.gif", content_type="image/gif", content_id="dot"),
    ],
}


class TestJourney:
    """What the sandbox is for."""

    def test_send_bounce_answer(self, page: Any, server: Any, send: Any, application: Any) -> None:
        """A mail appears without reloading; its bounce reaches the handler, signed, and its 200 is shown."""
        mine = application(server, "mailpace")
        message_id = send(server, **WELCOME)
        page.choose("Welcome aboard")
        page.find("[data-happening=bounce]").click()
        page.has("Bounce: 200", "#said")
        page.has("200 bounce", "#events")
        assert mine.events[-1].event_type is EventType.BOUNCED
        assert mine.events[-1].message_id == message_id
        page.picture("sandbox.png")
        page.find("details.webhook summary").click()
        assert "email.bounced" in page.find("details.webhook").text
        page.find("[data-replay]").click()
        page.has("Replay: 200", "#said")
        assert page.errors() == []

    def test_views(self, page: Any, server: Any, send: Any) -> None:
        """Each view shows its part of the mail; arrow keys go from one to the next."""
        send(server, **WELCOME)
        page.choose("Welcome aboard")
        seen = {
            "text": "your account is ready.",
            "source": "Content-Type: multipart/",
            "headers": "Grace Hopper <grace@example.net>",
            "files": "first-steps.txt",
            "links": "https://example.com/start?a=1&b=2",
            "api": "mailpace-server-token: ****",
            "advice": "MailPace accepts a list of file extensions.",
        }
        page.find("#tab-html").send_keys(Keys.ARROW_RIGHT)
        for name, text in seen.items():
            assert page.driver.switch_to.active_element.get_attribute("id") == f"tab-{name}"
            assert text in page.find(f"#panel-{name}").text
            assert [panel.get_attribute("id") for panel in page.all(".panel:not([hidden])")] == [
                f"panel-{name}"
            ]
            page.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        page.find("#tab-api").click()
        page.find("#theme").click()
        page.picture("sandbox-request.png")
        page.find("#theme").click()
        assert page.errors() == []

    def test_html_and_its_images(self, page: Any, server: Any, send: Any) -> None:
        """The HTML is shown with the mail's own images, also at the width of a phone."""
        send(server, **WELCOME)
        page.choose("Welcome aboard")
        frame = page.find("iframe")
        page.find("#phone").click()
        assert frame.size["width"] == 375
        page.driver.switch_to.frame(frame)
        assert page.find("h1").text == "Hello Grace"
        assert page.find("img").get_attribute("src").startswith("data:image/gif;base64,")
        page.driver.switch_to.default_content()

    def test_search_clear_and_keyboard(self, page: Any, server: Any, send: Any) -> None:
        """Search narrows the list as one types; the keyboard reaches it all; clearing empties it."""
        for subject in ("Invoice 7", "Welcome"):
            send(server, subject=subject)
        page.has("2 mails", "#total")
        page.find("body").send_keys("/")
        page.driver.switch_to.active_element.send_keys("invo")
        page.until(lambda _: [link.text for link in page.all("#list .subject")] == ["Invoice 7"])
        page.find("#words").send_keys(Keys.CONTROL, "a")
        page.find("#words").send_keys(Keys.BACKSPACE)
        page.until(lambda _: len(page.all("#list li")) == 2)
        page.find("#list a").send_keys(Keys.ARROW_DOWN)
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.has("Invoice 7", "#mail h2")
        page.find("#clear").click()
        page.driver.switch_to.alert.accept()
        page.has("No mail yet.", "#list")
        assert page.errors() == []

    def test_long_list(self, page: Any, server: Any, send: Any) -> None:
        """Older mails come as one scrolls, and newer ones do not disturb."""
        for number in range(130):
            source = f"Subject: Mail {number}\r\n\r\nHi\r\n".encode()
            server.sandbox.take("a@x.example", ["b@x.example"], source)
        page.has("130 mails", "#total")
        page.driver.refresh()
        assert len(page.all("#list li")) == 100
        page.driver.execute_script("document.querySelector('.more').scrollIntoView()")
        page.until(lambda _: len(page.all("#list li")) == 130)
        send(server, subject="The newest")
        page.until(lambda _: len(page.all("#list li")) == 131)
        page.choose("The newest")

    def test_settings_and_receiving(self, page: Any, server: Any, application: Any) -> None:
        """The webhook URL and chaos are set on the page, and mail is injected there."""
        mine = application(server, "mailpace")
        server.sandbox.post.endpoint = ""
        page.find("[data-opens=settings]").click()
        page.find("[name=webhook_url]").send_keys(mine.url)
        page.find("[name=latency]").clear()
        page.find("[name=latency]").send_keys("0.2")
        page.find("#settings .main").click()
        page.has("Saved.", "#said")
        assert (server.sandbox.post.endpoint, server.sandbox.chaos.latency) == (mine.url, 0.2)
        page.find("[data-opens=receive]").click()
        page.find("[name=provider] option:nth-of-type(3)").click()
        page.picture("sandbox-receive.png")
        page.find("#receive .main").click()
        page.has("Received: 200", "#said")
        assert [mail.subject for mail in mine.mails] == ["Where is my order?"]
        page.choose("Where is my order?")
        page.has("Received by", "#mail")

    def test_unreachable_endpoint(self, page: Any, server: Any, send: Any, application: Any) -> None:
        """What nobody answers is shown with the error, and Replay tells it once somebody does."""
        mine = application(server, "mailpace")
        server.sandbox.send_webhooks_to("http://127.0.0.1:9/{provider}/{kind}")
        send(server)
        page.choose("Hällo")
        page.find("[data-happening=bounce]").click()
        page.has("no answer bounce", "#events")
        assert "ConnectionRefusedError" in page.find("details.webhook .bad:nth-of-type(2)").text
        server.sandbox.send_webhooks_to(mine.url)
        page.find("details.webhook summary").click()
        page.find("[data-replay]").click()
        page.has("Replay: 200", "#said")
        page.has("200 replay of", "#events")
        assert [event.event_type for event in mine.events] == [EventType.BOUNCED]

    def test_twice_and_the_wrong_way_round(self, page: Any, server: Any, send: Any, application: Any) -> None:
        """The same delivery comes twice, and a later event before an earlier one."""
        mine = application(server, "mailpace")
        send(server)
        page.choose("Hällo")
        page.has("200 sent", "#events")
        page.find("[data-happening=duplicate]").click()
        page.has("Duplicate: 200, 200", "#said")
        assert mine.bodies[-1] == mine.bodies[-2]
        page.find("[data-happening=out-of-order]").click()
        page.has("Out of order: 200, 200", "#said")
        assert [event.event_type for event in mine.events[-2:]] == [EventType.DELIVERED, EventType.DEFERRED]

    def test_dropped_file(self, page: Any, server: Any, application: Any) -> None:
        """An .eml that is dropped on the form is received."""
        mine = application(server, "mailpace")
        page.find("[data-opens=receive]").click()
        page.find("[name=provider] option:nth-of-type(3)").click()
        page.driver.execute_script(DROP, "From: z@x.example\nTo: a@corp.example\nSubject: Dropped\n\nHi\n")
        page.has("Received: 200", "#said")
        page.choose("Dropped")
        assert [(mail.subject, mail.text.strip()) for mail in mine.mails] == [("Dropped", "Hi")]
        assert not page.find("#receive").is_displayed()

    def test_refused(self, page: Any, server: Any, send: Any) -> None:
        """A request that a provider refuses is counted, and shown with the reason, as it happens."""
        send(server)
        page.choose("Hällo")
        url = server.settings["mailpace"]["api_url"]
        body = {"from": "me@corp.example", "to": "nonsense", "subject": "<b>Order</b>"}
        headers = {"MailPace-Server-Token": "t", "Accept": "application/json"}
        requests.post(url, json=body, headers=headers, timeout=60)
        page.has("1 refused", ".top")
        page.find("#refused-link").click()
        page.has("is invalid", "#refusals")
        requests.post(url, data="x", timeout=60)
        page.until(lambda _: len(page.all("#refusals details")) == 2)
        page.all("#refusals summary")[1].click()
        page.has('"subject": "<b>Order</b>"', "#refusals")
        page.picture("sandbox-refused.png")
        page.driver.get(f"{server.url}/refused")
        page.has("is invalid", "#refusals")
        assert page.errors() == []

    def test_first_mail_and_deleting(self, page: Any, server: Any) -> None:
        """Whoever has no mail yet sees the settings and sends a sample; one mail may be deleted."""
        page.find("details[name=settings]:nth-of-type(3) summary").click()
        page.has('provider = "mailpace"', ".start")
        page.find("[data-sample=mailpace]").click()
        page.until(lambda _: page.driver.title == "(1) mailcore sandbox")
        page.choose("Welcome aboard")
        assert page.driver.title == "Welcome aboard · mailcore sandbox"
        page.find("#remove").click()
        page.has("No mail yet.", "#list")
        assert server.sandbox.mailbox.count() == 0
        assert page.errors() == []

    def test_by_smtp(self, page: Any, server: Any) -> None:
        """Why a mail that came by SMTP has no events is said, and who got a hidden copy."""
        with smtplib.SMTP("127.0.0.1", server.smtp_port) as client:
            source = b"To: b@x.example\r\nSubject: Plain\r\n\r\nHi\r\n"
            client.sendmail("a@x.example", ["b@x.example", "hidden@x.example"], source)
        page.choose("Plain")
        page.has("a mail server tells of no events", "#events")
        assert page.find("article dl").text.split("Bcc")[1].split()[0] == "hidden@x.example"

    def test_read_only(self, page: Any, server: Any, send: Any) -> None:
        """Whoever lacks the token can look, and has no buttons."""
        send(server)
        page.driver.delete_all_cookies()
        page.driver.get(server.url)
        page.has("Read only.")
        page.choose("Hällo")
        assert page.all("[data-happening], [data-opens], #clear, meta[name=token]") == []

    def test_accessible(self, page: Any, server: Any, send: Any) -> None:
        """Everything that can be pressed or filled in has a name, and one landmark is the main one."""
        assert nameless(page) == []
        send(server, **WELCOME)
        page.choose("Welcome aboard")
        assert nameless(page) == []
        for tab in page.all("[role=tab]"):
            tab.click()
            panel = f"#{tab.get_attribute('aria-controls')}"
            assert page.find(panel).is_displayed()
            assert nameless(page, f":is({panel}, {panel} *)") == []
        for name in ("receive", "settings"):
            page.find(f"[data-opens={name}]").click()
            assert nameless(page, f"#{name} ") == []
            page.find(f"#{name} [value=cancel]").click()
        assert len(page.all("main")) == len(page.all("h1")) == 1


#: Drop a file on the form to receive mail, as a person does with the mouse.
DROP = """
const data = new DataTransfer();
data.items.add(new File([arguments[0]], "mail.eml", { type: "message/rfc822" }));
for (const kind of ["dragover", "drop"])
  document.querySelector("#receive fieldset:last-of-type").dispatchEvent(
    new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
"""


def nameless(page: Any, within: str = "") -> list[str]:
    """Return what can be used, and has no name that is read aloud."""
    usable = page.all(f"{within}:is(a, button, input, textarea, select, iframe, nav, [role=tabpanel])")
    found = [element for element in usable if element.is_displayed() and not element.accessible_name]
    return [element.get_attribute("outerHTML") for element in found]
