"""Clients that nobody here wrote send through the sandbox, with the settings that are printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme

from mailcore import Mailer, Message
from mailcore.exceptions import ConfigurationError

pytestmark = pytest.mark.loopback

REQUIRED = os.environ.get("MAILCORE_REQUIRE", "").split(",")
#: The folder that npm installed MailPace's own library into; `.ci/run` has one made.
NODE_MODULES = os.environ.get("MAILCORE_NODE_MODULES", "")

#: The example of the library's README, with an address of ours: it adds `https://` itself.
SCRIPT = """
const { DomainClient } = require('@mailpace/mailpace.js');
const [token, requestHost] = process.argv.slice(2);
new DomainClient(token, { requestHost })
  .sendEmail({
    from: 'test@test.example', to: 'you@x.example', subject: 'By MailPace', htmlbody: '<H1>HTML Email</h1>',
  })
  .then((answer) => console.log(JSON.stringify(answer)));
"""


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Write a certificate, its key, and the authority that signed it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    paths = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    issued.cert_chain_pems[0].write_to_path(paths[0])
    issued.private_key_pem.write_to_path(paths[1])
    authority.cert_pem.write_to_path(paths[2])
    return paths


class TestHttps:
    """For clients that insist on it."""

    def test_adapter(self, start: Any, settings_of: Any, tls: Any) -> None:
        """Everything is served with the certificate that is given."""
        server = start(tls=tls[:2])
        given = settings_of(server, "mailpace")
        assert given["api_url"].startswith("https://127.0.0.1:")
        with Mailer.from_config({**given, "ca_bundle": str(tls[2])}, environ={}) as mailer:
            mailer.send(Message(from_="me@corp.example", to="you@x.example", text="Hi"))
        assert server.sandbox.mailbox.count() == 1

    @pytest.mark.parametrize("pair", [(0, 0), (1, 0), (0, 2)])
    def test_unusable(self, start: Any, tls: Any, pair: tuple[int, int]) -> None:
        """Files that are no certificate and its key are named."""
        with pytest.raises(ConfigurationError, match="cannot be used"):
            start(tls=(tls[pair[0]], tls[pair[1]]))


def test_library_of_mailpace(start: Any, settings_of: Any, tls: Any, tmp_path: Path) -> None:
    """MailPace's own library for Node sends with the URL and the key that are printed."""
    if not NODE_MODULES or shutil.which("node") is None:
        pytest.skip("MAILCORE_NODE_MODULES does not say where npm installed @mailpace/mailpace.js")
    server = start(tls=tls[:2])
    given = settings_of(server, "mailpace")
    script = tmp_path / "send.js"
    script.write_text(SCRIPT)
    host = given["api_url"].removeprefix("https://").removesuffix("send")
    environment = {**os.environ, "NODE_PATH": NODE_MODULES, "NODE_EXTRA_CA_CERTS": str(tls[2])}
    command = ["node", str(script), given["api_key"], host]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {"id": 1, "status": "pending"}
    (mail,) = server.sandbox.mailbox.mails()
    assert (mail.subject, mail.sender, mail.recipients) == (
        "By MailPace",
        "test@test.example",
        ("you@x.example",),
    )


def test_swaks(server: Any) -> None:
    """Swaks, the Swiss army knife of SMTP, logs in and sends a file."""
    if shutil.which("swaks") is None:
        if "swaks" in REQUIRED:
            pytest.fail("swaks is required by MAILCORE_REQUIRE, and is not installed.")
        pytest.skip("swaks is not installed")
    command = [
        *("swaks", "--server", f"127.0.0.1:{server.smtp_port}", "--auth", "PLAIN", "--auth-user", "any"),
        *("--auth-password", "thing", "--from", "me@corp.example", "--to", "you@x.example,two@x.example"),
        *("--header", "Subject: By swaks", "--body", "Hi", "--attach", f"@{__file__}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    (mail,) = server.sandbox.mailbox.mails()
    assert (mail.subject, mail.recipients) == ("By swaks", ("you@x.example", "two@x.example"))
    assert mail.files == 1
