"""The page as it is served: what it shows of a mail, to whom, and in which colours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests

import mailcore.sandbox.web
from mailcore import Attachment

WEB = Path(mailcore.sandbox.web.__file__).parent
TOKENS = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
#: Text, and what it stands on.
PAIRS = (
    "ink ground", "ink raised", "ink chosen", "ink notice", "quiet ground", "quiet raised", "quiet chosen",
    "accent ground", "on-accent accent", "good ground", "bad ground", "bad notice",
)  # fmt: skip


@pytest.mark.loopback
class TestToken:
    """Whoever opens the address that was printed may change things."""

    def test_remembered(self, server: Any) -> None:
        """The token goes from the address into a cookie that no script reads, and into the page."""
        answer = requests.get(f"{server.url}/?token={server.token}", allow_redirects=False, timeout=60)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert "HttpOnly; Path=/; SameSite=strict" in answer.headers["Set-Cookie"]
        shown = requests.get(server.url, cookies=answer.cookies, timeout=60).text
        assert f'<meta name="token" content="{server.token}">' in shown

    @pytest.mark.parametrize("cookie", [None, "wrong"])
    def test_not_shown_to_others(self, server: Any, cookie: str | None) -> None:
        """Without the cookie the page has no token and no buttons."""
        cookies = {f"mailcore-sandbox-{server.port}": cookie} if cookie else {}
        shown = requests.get(server.url, cookies=cookies, timeout=60).text
        assert "Read only." in shown
        assert server.token not in shown

    def test_wrong(self, server: Any) -> None:
        """A wrong token is told."""
        assert requests.get(f"{server.url}/?token=no", timeout=60).status_code == 403


@pytest.mark.loopback
class TestMail:
    """What is served of a mail."""

    def test_without_script(self, server: Any, browser: Any, send: Any) -> None:
        """A link of the list is a page of its own, and old mail is reached by a link."""
        for number in range(3):
            send(server, subject=f"Mail {number}")
        assert "<h2>Mail 1</h2>" in browser("GET", "/mails/2").text
        assert re.findall("Mail [0-9]", browser("GET", "/?before=2").text) == ["Mail 0"]
        assert "Older mails" in browser("GET", "/?limit=2").text

    def test_attachment(self, server: Any, browser: Any, send: Any) -> None:
        """A file is saved under its name, and is never a page of ours."""
        paper = Attachment(content=b"<script>x</script>", filename="a\"b;'/ü.html", content_type="text/html")
        send(server, "postmark", attachments=[paper])
        answer = browser("GET", "/mails/1/files/0")
        assert answer.content == b"<script>x</script>"
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert browser("GET", "/mails/1/files/1").status_code == 404

    def test_html(self, server: Any, browser: Any, send: Any) -> None:
        """HTML comes with a policy that lets it do nothing, and only images are put into it."""
        files = [
            Attachment(content=b"GIF89a", filename="a.gif", content_type="image/gif", content_id="a"),
            Attachment(content=b"<b>", filename="b.html", content_type="text/html", content_id="b"),
        ]
        html = "<img src='cid:a'><img src='CID:a'><img src='cid:b'>"
        send(server, "postmark", html=html, attachments=files)
        answer = browser("GET", "/mails/1/html")
        image = "<img src='data:image/gif;base64,R0lGODlh'>"
        assert answer.text == f"{image}{image}<img src='cid:b'>"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("sandbox; default-src 'none'; img-src data:;")

    def test_advice(self, server: Any, browser: Any, send: Any) -> None:
        """The provider's limits and the hints are shown for the mail that needs them."""
        odd = Attachment(content=b"x", filename="tool.exe", content_type="application/x-msdownload")
        send(server, "resend", tags=[], html="<p>Hi", attachments=[odd])
        send(server, "mailgun", tags=["a", "b", "c", "newsletter"], text=None, html="<p>Hi")
        assert "Of the type that the name promises." in browser("GET", "/mails/1").text
        shown = browser("GET", "/mails/2").text
        assert "Mailgun documents at most three." in shown
        assert '<li class="bad">' in shown
        assert re.findall('data-hint="([a-z-]+)"', shown) == ["no-text", "no-list-unsubscribe"]

    def test_odd_source(self, server: Any, browser: Any) -> None:
        """Whatever came by SMTP or from outside, there is a page of it."""
        parts = b"Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--a\n"
        sources = [b"\0\xff", b"\n", parts * 3, b"From: <\n\nx", b"Subject: =?x?b?y?=\nDate: never\n\n"]
        for number, source in enumerate(sources, 1):
            server.sandbox.take("", [], source)
            for path in ("", "/html", "/events", "?part=mail"):
                assert browser("GET", f"/mails/{number}{path}").status_code == 200


class TestColours:
    """Text can be read, in both themes (WCAG 2.2, 1.4.3: 4.5 to 1)."""

    def test_contrast(self) -> None:
        """Each colour of text stands out from each ground that it stands on."""
        css = (WEB / "static" / "page.css").read_text(encoding="utf-8")
        blocks = [dict(TOKENS.findall(block)) for block in css.split("}") if "--ground:" in block]
        assert len(blocks) == 3
        assert blocks[1] == blocks[2]
        for block in blocks:
            for pair in PAIRS:
                text, ground = (luminance(block[name]) for name in pair.split())
                assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) >= 4.5, (pair, block)


class TestSelfContained:
    """The page works without the internet."""

    def test_nothing_from_elsewhere(self) -> None:
        """No template, style or script names another server, and none holds an inline script or style."""
        for file in (*WEB.glob("templates/*.html"), *WEB.glob("static/*")):
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"""(src|href|url\(|from|import)\s*[=(]?\s*["']?(https?:)?//""", text)
            assert not re.search(r"""<script>|\sstyle=|\son[a-z]+=|javascript:""", text)


def luminance(colour: str) -> float:
    """Return how bright a colour is, as WCAG counts."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
