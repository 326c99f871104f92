"""What the tests of the sandbox share: a running one, and an application that it tells of events."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from mailcore import Headers, HttpResponse, Mailer, Message, PluginHost, WebhookReceiver, WebhookRequest
from mailcore.sandbox._server import LoopbackServer
from mailcore.sandbox.web import SandboxServer

SPECS = list(PluginHost().adapters.values())
EMULATED = sorted(spec.name for spec in SPECS if spec.emulator)


class Application:
    """A web application behind whose two endpoints real receivers stand."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.events: list[Any] = []
        self.mails: list[Any] = []
        self.bodies: list[bytes] = []
        self._receiver = WebhookReceiver.from_config(
            settings, on_event=self.events.append, on_inbound=self.mails.append, environ={}
        )
        self.server = LoopbackServer(self._answer)
        self.url = self.server.url + "/{provider}/{kind}"

    def _answer(self, method: str, path: str, headers: Headers, body: bytes) -> HttpResponse:
        request = WebhookRequest(method=method, url=self.server.url + path, headers=headers, body=body)
        self.bodies.append(body)
        answer = self._receiver.receive(request, kind=path.rpartition("/")[2])
        return HttpResponse(status=answer.status, headers=answer.headers, body=answer.body)


class Browser:
    """Whoever asks the sandbox over HTTP, with its token."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.headers["X-Mailcore-Token"] = server.token

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask, and return the answer."""
        return self._session.request(method, self.server.url + path, timeout=60, **options)

    def json(self, path: str, **options: Any) -> Any:
        """Return what a GET is answered with."""
        return self("GET", path, **options).json()

    def happen(self, mail: int, happening: str) -> list[Any]:
        """Press a button, and return the webhooks that were made."""
        answer = self("POST", f"/api/mails/{mail}/happen", json={"happening": happening})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["webhooks"])


def settings(server: SandboxServer, provider: str) -> dict[str, Any]:
    """Return the settings that are printed for a provider, and for one that signs nothing a secret."""
    unsigned = {"webhook_secret": "me:secret"} if provider == "postmark" else {}
    return {"provider": provider, **server.sandbox.providers[provider].settings, **unsigned}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `provider` once for each that is emulated."""
    if "provider" in metafunc.fixturenames:
        metafunc.parametrize("provider", EMULATED)


@pytest.fixture
def settings_of() -> Callable[[SandboxServer, str], dict[str, Any]]:
    """Return the function `settings`."""
    return settings


@pytest.fixture
def visit() -> type[Browser]:
    """Return what asks a sandbox over HTTP."""
    return Browser


@pytest.fixture
def start() -> Iterator[Callable[..., SandboxServer]]:
    """Return a function that starts a sandbox, which is closed at the end."""
    started: list[SandboxServer] = []

    def begin(**options: Any) -> SandboxServer:
        started.append(SandboxServer(SPECS, **options))
        return started[-1]

    yield begin
    for server in started:
        if server._thread.is_alive():
            server.close()


@pytest.fixture
def server(start: Callable[..., SandboxServer]) -> SandboxServer:
    """Return a sandbox that runs without configuration."""
    return start()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[SandboxServer]:
    """Return one sandbox for the tests of a file that change nothing in it: starting one takes a while."""
    made = SandboxServer(SPECS)
    yield made
    made.close()


@pytest.fixture
def browser(server: SandboxServer) -> Browser:
    """Return who asks it."""
    return Browser(server)


@pytest.fixture
def send() -> Callable[..., str]:
    """Return a function that sends a mail by a provider's real adapter, and returns its id."""

    def sent(
        server: SandboxServer, provider: str = "mailpace", *, max_attempts: int = 3, **fields: Any
    ) -> str:
        given = {"from_": "me@corp.example", "to": ["you@x.example"], "subject": "Hällo", "text": "Hi"}
        config = {**settings(server, provider), "max_attempts": max_attempts}
        with Mailer.from_config(config, environ={}) as mailer:
            return str(mailer.send(Message(**{**given, **fields})).message_id)

    return sent


@pytest.fixture
def application() -> Iterator[Callable[[SandboxServer, str], Application]]:
    """Return a function that makes the application of a provider's user, and tells the sandbox of it."""
    made: list[Application] = []

    def make(server: SandboxServer, provider: str) -> Application:
        found = Application(settings(server, provider))
        made.append(found)
        url = found.url.replace("//", "//me:secret@") if provider == "postmark" else found.url
        server.sandbox.send_webhooks_to(url)
        return found

    yield make
    for one in made:
        one.server.close()


# A real browser ---------------------------------------------------------------------------------

REQUIRED = "chromium" in os.environ.get("MAILCORE_REQUIRE", "").split(",")
#: Where the pictures of the documentation are to be written; unset: nowhere.
PICTURES = os.environ.get("MAILCORE_SCREENSHOTS", "")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,860",
    "--disable-background-networking", "--no-first-run", "--lang=en",
)  # fmt: skip


@pytest.fixture(scope="session")
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
