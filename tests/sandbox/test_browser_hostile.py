"""Hostile mail in a real browser: it can do nothing."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoAlertPresentException, WebDriverException
from selenium.webdriver.common.by import By

from mailcore import Attachment, Headers, HttpResponse
from mailcore.sandbox._server import LoopbackServer
from mailcore.sandbox.web import _mail_html

pytestmark = [
    pytest.mark.long,
    pytest.mark.loopback,
    # As selenium closes its sockets when they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

#: Seconds in which an attack shows, as `test_payloads_are_hostile` proves.
SETTLED = 0.15
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
    time.sleep(SETTLED)
    assert no_alert(driver)
    asked = list(canary.asked)
    canary.asked.clear()
    return asked


class TestHostile:
    """Mail whose HTML attacks whoever looks at it."""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_payload(self, page: Any, server: Any, send: Any, canary: Any, name: str) -> None:
        """No script runs, the page is not reached, and nothing is fetched: in the page and by itself."""
        chrome = page.driver
        send(server, subject=name, html=attack(name, canary))
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
        self, page: Any, server: Any, send: Any, canary: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the policy, most of them run or call home: so the tests above would see it."""
        monkeypatch.setattr(_mail_html, "POLICY", "default-src * data: 'unsafe-inline'")
        chrome, harmful = page.driver, []
        for number, name in enumerate(HOSTILE, 1):
            send(server, html=attack(name, canary))
            chrome.get(f"{server.url}/mails/{number}/html")
            click(chrome)
            time.sleep(SETTLED)
            no_alert(chrome)
            if canary.asked or ran(chrome):
                harmful.append(name)
            for window in chrome.window_handles[1:]:
                chrome.switch_to.window(window)
                chrome.close()
            chrome.switch_to.window(chrome.window_handles[0])
            canary.asked.clear()
        assert len(harmful) >= 30, sorted(set(HOSTILE) - set(harmful))

    def test_text_of_a_mail(self, page: Any, server: Any, send: Any, application: Any) -> None:
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
