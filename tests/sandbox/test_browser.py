"""The page in a real browser: mail appears, events are told, and hostile mail can do nothing."""

from __future__ import annotations

import os
import shutil
import time
import tomllib
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoAlertPresentException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from mailcore import Attachment, EventType, Headers, HttpResponse, Mailer, Message
from mailcore.sandbox._server import LoopbackServer
from mailcore.sandbox.web import _mail_html

pytestmark = [
    pytest.mark.long,
    pytest.mark.loopback,
    # As selenium closes its sockets when they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

REQUIRED = "chromium" in os.environ.get("MAILCORE_REQUIRE", "").split(",")
#: Where the pictures of the documentation are to be written; unset: nowhere.
PICTURES = os.environ.get("MAILCORE_SCREENSHOTS", "")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,860",
    "--disable-background-networking", "--no-first-run", "--lang=en",
)  # fmt: skip


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    """Start Debian's Chromium once."""
    paths = [shutil.which("chromium"), shutil.which("chromedriver")]
    if not all(paths):
        if REQUIRED:
            pytest.fail("chromium and chromedriver are required by MAILCORE_REQUIRE, and are not installed.")
        pytest.skip("chromium and chromedriver are not installed")
    options = Options()
    options.binary_location = str(paths[0])
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(paths[1])))
    driver.set_page_load_timeout(60)
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


class Page:
    """The page of one sandbox, as its user sees it."""

    def __init__(self, driver: Any, server: Any) -> None:
        self.driver, self.server = driver, server

    def open(self) -> None:
        """Open the address that is printed."""
        self.driver.get(f"{self.server.url}/?token={self.server.token}")

    def find(self, selector: str) -> Any:
        """Return an element, once it is there."""
        return self.until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def all(self, selector: str) -> list[Any]:
        """Return the elements that are there."""
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def until(self, condition: Callable[[Any], Any]) -> Any:
        """Wait until something is so."""
        wait = WebDriverWait(self.driver, 60, 0.05, ignored_exceptions=[WebDriverException])
        return wait.until(condition)

    def has(self, text: str, selector: str = "body") -> bool:
        """Wait until a text is seen."""
        return bool(self.until(lambda _: text in self.find(selector).text))

    def choose(self, subject: str) -> None:
        """Click a mail of the list."""
        link = self.until(lambda _: [one for one in self.all("#list a") if subject in one.text])
        link[0].click()
        self.has(subject, "#mail h2")

    def errors(self) -> list[str]:
        """Return what the browser complained of."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def picture(self, name: str) -> None:
        """Take a picture, for the documentation where that is asked for."""
        image = self.driver.get_screenshot_as_png()
        assert image.startswith(b"\x89PNG")
        if PICTURES:
            (Path(PICTURES) / name).write_bytes(image)


@pytest.fixture
def page(chrome: Any, server: Any) -> Page:
    """Open the page of a new sandbox."""
    opened = Page(chrome, server)
    chrome.get_log("browser")
    opened.open()
    opened.has("No mail yet.", "#list")
    return opened


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

    def test_send_bounce_answer(self, page: Page, server: Any, send: Any, application: Any) -> None:
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

    def test_views(self, page: Page, server: Any, send: Any) -> None:
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

    def test_html_and_its_images(self, page: Page, server: Any, send: Any) -> None:
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

    def test_search_clear_and_keyboard(self, page: Page, server: Any, send: Any) -> None:
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

    def test_long_list(self, page: Page, server: Any, send: Any, settings_of: Any) -> None:
        """Older mails come as one scrolls, and newer ones do not disturb."""
        page.driver.get("about:blank")
        with Mailer.from_config(settings_of(server, "mailpace"), environ={}) as mailer:
            for number in range(130):
                mailer.send(Message(**{**WELCOME, "subject": f"Mail {number}", "attachments": []}))
        page.open()
        page.has("130 mails", "#total")
        assert len(page.all("#list li")) == 100
        page.driver.execute_script("document.querySelector('.more').scrollIntoView()")
        page.until(lambda _: len(page.all("#list li")) == 130)
        send(server, subject="The newest")
        page.until(lambda _: len(page.all("#list li")) == 131)
        page.choose("The newest")

    def test_settings_and_receiving(self, page: Page, server: Any, application: Any) -> None:
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

    def test_read_only(self, page: Page, server: Any, send: Any) -> None:
        """Whoever lacks the token can look, and has no buttons."""
        send(server)
        page.driver.delete_all_cookies()
        page.driver.get(server.url)
        page.has("Read only.")
        page.choose("Hällo")
        assert page.all("[data-happening], [data-opens], #clear, meta[name=token]") == []

    def test_accessible(self, page: Page, server: Any, send: Any) -> None:
        """Everything that can be pressed or filled in has a name, and one landmark is the main one."""
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


def nameless(page: Page, within: str = "") -> list[str]:
    """Return what can be used, and has no name that is read aloud."""
    usable = page.all(f"{within}:is(a, button, input, textarea, select, iframe, nav, [role=tabpanel])")
    found = [element for element in usable if element.is_displayed() and not element.accessible_name]
    return [element.get_attribute("outerHTML") for element in found]


# Hostile mail -------------------------------------------------------------------------------------

#: What a script would do if it ran: mark its document, reach for the page, and call home.
RUN = (
    "document.documentElement.dataset.ran=1;try{top.ran=1}catch(e){};try{parent.document.title='ran'}catch(e){};"
    "try{fetch('CANARY/fetch')}catch(e){};(new Image).src='CANARY/image'"
)
#: Name → HTML, with RUN and CANARY to be filled in.
HOSTILE = tomllib.loads(Path(__file__).with_name("hostile.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def canary() -> Iterator[Any]:
    """Serve what nobody may ask for, and tell whether anybody did."""
    asked: list[str] = []

    def answer(method: str, path: str, headers: Headers, body: bytes) -> HttpResponse:
        asked.append(path)
        return HttpResponse(status=200, headers={"Content-Type": "text/plain"}, body=b"canary")

    with LoopbackServer(answer) as server:
        server.asked = asked  # type: ignore[attr-defined]  # reason: the tests look at it there
        yield server


def attack(name: str, canary: Any) -> str:
    """Return the HTML of an attack."""
    return str(HOSTILE[name].replace("RUN", RUN).replace("CANARY", canary.url))


def no_alert(driver: Any) -> bool:
    """Tell whether nothing has popped up."""
    try:
        driver.switch_to.alert.accept()
    except NoAlertPresentException:
        return True
    return False


def ran(driver: Any) -> bool:
    """Tell whether the script of the mail ran in the document that is looked at."""
    return bool(driver.execute_script("return document.documentElement.dataset.ran || window.ran"))


def click(driver: Any) -> None:
    """Click what the mail wants to be clicked."""
    for element in driver.find_elements(By.ID, "go"):
        try:
            element.click()
        except WebDriverException:
            driver.execute_script("arguments[0].click()", element)


def settled(driver: Any, canary: Any) -> list[str]:
    """Wait for what a mail may still do, and return what was asked of the canary."""
    time.sleep(0.3)
    assert no_alert(driver)
    asked = list(canary.asked)
    canary.asked.clear()
    return asked


class TestHostile:
    """Mail whose HTML attacks whoever looks at it."""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_payload(self, chrome: Any, server: Any, send: Any, canary: Any, name: str) -> None:
        """No script runs, the page is not reached, and nothing is fetched: in the page and by itself."""
        send(server, subject=name, html=attack(name, canary))
        page = Page(chrome, server)
        page.open()
        page.choose(name)
        windows, address = chrome.window_handles, chrome.current_url
        chrome.switch_to.frame(page.find("iframe"))
        page.until(lambda driver: driver.execute_script("return document.readyState") == "complete")
        click(chrome)
        assert settled(chrome, canary) == []
        assert not ran(chrome)
        chrome.switch_to.default_content()
        assert not ran(chrome)
        assert (chrome.window_handles, chrome.current_url) == (windows, address)
        assert chrome.title == f"{name} · mailcore sandbox"
        chrome.get(f"{server.url}/mails/1/html")
        if "target=" not in HOSTILE[name] and "/self" not in HOSTILE[name]:
            click(chrome)  # a link that is followed by hand, without the page around it, is one's own will
        assert settled(chrome, canary) == []
        assert not ran(chrome)
        assert server.sandbox.mailbox.count() == 1

    def test_payloads_are_hostile(
        self, chrome: Any, server: Any, send: Any, canary: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the policy, most of them run or call home: so the tests above would see it."""
        monkeypatch.setattr(_mail_html, "POLICY", "default-src * data: 'unsafe-inline'")
        page = Page(chrome, server)
        page.open()
        harmful = []
        for number, name in enumerate(HOSTILE, 1):
            send(server, html=attack(name, canary))
            chrome.get(f"{server.url}/mails/{number}/html")
            click(chrome)
            time.sleep(0.15)
            no_alert(chrome)
            if canary.asked or ran(chrome):
                harmful.append(name)
            for window in chrome.window_handles[1:]:
                chrome.switch_to.window(window)
                chrome.close()
            chrome.switch_to.window(chrome.window_handles[0])
            canary.asked.clear()
        assert len(harmful) >= 30, sorted(set(HOSTILE) - set(harmful))

    def test_text_of_a_mail(self, page: Page, server: Any, send: Any, application: Any) -> None:
        """What is no HTML is text: subjects, names, headers, tags, files, and an endpoint's answer."""
        image = "<img src=x onerror='window.ran=1'>"
        hostile = LoopbackServer(
            lambda *_: HttpResponse(status=200, headers={"X": image}, body=f"<script>{image}".encode())
        )
        with hostile:
            application(server, "mailgun")
            server.sandbox.send_webhooks_to(hostile.url)
            send(
                server, "mailgun", subject=image, text=image, html=f"<a href='https://x.example/{image}'>{image}",
                from_=f'"{image}" <me@corp.example>', tags=[image], headers={"X-Attack": image},
                attachments=[Attachment(content=b"x", filename="<img src=x onerror=window.ran=1>.txt")],
            )  # fmt: skip
            page.choose(image)
            page.find("[data-happening=deliver]").click()
            page.has("Deliver: 200", "#said")
            for tab in page.all("[role=tab]"):
                tab.click()
            for details in page.all("details summary"):
                details.click()
            time.sleep(0.3)
            assert not ran(page.driver)
            assert page.all("#mail img, #list img, #mail script") == []
