"""`mailcore inbound parse`: what is in a mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PARSE = ("inbound", "parse")
MAIL = (
    b"From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nTo: support@example.com\r\nSubject: Hello\x1b[2J\r\n"
    b"Message-ID: <a@b.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHow are \x1b[31myou?\r\n"
    b'--b\r\nContent-Disposition: attachment; filename="../../evil.txt"\r\n\r\none\r\n'
    b'--b\r\nContent-Disposition: attachment; filename="evil.txt"\r\n\r\ntwo\r\n--b--\r\n'
)


@pytest.fixture
def eml(tmp_path: Path) -> str:
    """Return a mail that means no good."""
    path = tmp_path / "mail.eml"
    path.write_bytes(MAIL)
    return str(path)


class TestRaw:
    """A message as it is on disk."""

    def test_told(self, run: Any, eml: str) -> None:
        """Who, what, the text, the files under safe names, and what is wrong with it."""
        ran = run(*PARSE, eml)
        assert (ran.code, ran.err) == (0, "")
        for words in (
            "Zoë <zoe@example.org>",
            "support@example.com",
            "How are",
            "evil.txt",
            "text/plain",
            "bad_filename",
        ):
            assert words in ran.out
        assert ".." not in ran.out

    def test_terminal_is_not_steered(self, run: Any, eml: str) -> None:
        """Escape sequences in a mail are not passed on."""
        assert "\x1b" not in run(*PARSE, eml).out

    def test_json(self, run: Any, eml: str) -> None:
        """The main fields, and files as they would be saved."""
        document = json.loads(run(*PARSE, eml, "--json").out)
        (mail,) = document["messages"]
        assert mail["from_"] == [{"addr_spec": "zoe@example.org", "display_name": "Zoë"}]
        assert mail["message_id"] == "<a@b.example>"
        assert [(file["filename"], file["size"]) for file in mail["attachments"]] == [
            ("evil.txt", 3),
            ("evil.txt", 3),
        ]
        assert "bad_filename" in [defect["code"] for defect in mail["defects"]]

    def test_stdin(self, run: Any) -> None:
        """`-` is standard input."""
        ran = run(*PARSE, "-", "--json", stdin=b"Subject: Hi\n\nText\n")
        assert json.loads(ran.out)["messages"][0]["subject"] == "Hi"

    @pytest.mark.parametrize(
        "data, words",
        [
            (b"", "empty"),
            (b' {"a": 1}', "--provider NAME"),
            (b"\x89PNG\r\n\x1a\n\x00\x00: x", "This is no mail"),
            (b"Dear Bob,\n\nHow are you?\n", "This is no mail"),
            (b": \n\n", "This is no mail"),
        ],
    )
    def test_no_mail(self, run: Any, data: bytes, words: str) -> None:
        """What is no mail is your input, and what it seems to be is said."""
        ran = run(*PARSE, "-", stdin=data)
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


class TestDelivery:
    """A captured delivery of a provider."""

    def test_parsed(self, run: Any, captured: Any) -> None:
        """The mail in it, without any key."""
        document = json.loads(run(*PARSE, captured.inbound.body, "--provider", "mailpace", "--json").out)
        assert [mail["subject"] for mail in document["messages"]] == ["Hello"]

    @pytest.mark.parametrize("data", [MAIL, b"From ada Thu Jan  1 00:00:00 1970\r\n" + MAIL])
    def test_raw_mail_needs_no_provider(self, run: Any, data: bytes) -> None:
        """A raw mail where a delivery is expected is recognised."""
        ran = run(*PARSE, "-", "--provider", "mailpace", stdin=data)
        assert (ran.code, ran.out) == (2, "")
        assert "a raw mail needs no --provider" in ran.err

    def test_event_is_no_mail(self, run: Any, captured: Any) -> None:
        """The other kind of delivery is recognised."""
        ran = run(*PARSE, captured.event.body, "--provider", "mailpace")
        assert ran.code == 2
        assert "tracking" in ran.err

    @pytest.mark.usefixtures("acme")
    def test_nothing_is_fetched(self, run: Any) -> None:
        """An address in a delivery that nobody verified is not followed."""
        ran = run(*PARSE, "-", "--provider", "acme", stdin=b'{"url": "https://mail.example/1"}')
        assert (ran.code, ran.out) == (2, "")
        assert "mailcore webhook check" in ran.err

    def test_unknown_shape(self, run: Any) -> None:
        """So is neither."""
        ran = run(*PARSE, "-", "--provider", "mailpace", stdin=b'{"a": 1}')
        assert ran.code == 2
        assert "shape" in ran.err


class TestSave:
    """Files are written where they should be, and nowhere else."""

    def test_names_stay_inside_and_apart(self, run: Any, eml: str, tmp_path: Path) -> None:
        """Two files of one name, one of which points elsewhere, become two files in the folder."""
        folder = tmp_path / "a" / "b"
        ran = run(*PARSE, eml, "--save", str(folder), "--json")
        assert json.loads(ran.out)["saved"] == [str(folder / "evil.txt"), str(folder / "evil-2.txt")]
        assert {path.name: path.read_text() for path in folder.iterdir()} == {
            "evil.txt": "one",
            "evil-2.txt": "two",
        }
        assert not (tmp_path / "evil.txt").exists()

    def test_nothing_is_overwritten_or_followed(self, run: Any, eml: str, tmp_path: Path) -> None:
        """A file that is there stays, and so does what a link points to."""
        precious = tmp_path / "precious"
        precious.write_text("precious")
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "evil.txt").symlink_to(precious)
        assert run(*PARSE, eml, "--save", str(folder)).code == 0
        assert precious.read_text() == "precious"
        assert sorted(path.name for path in folder.iterdir()) == ["evil-2.txt", "evil-3.txt", "evil.txt"]

    def test_folder_that_cannot_be(self, run: Any, eml: str) -> None:
        """A file in the way is your input."""
        ran = run(*PARSE, eml, "--save", eml)
        assert (ran.code, ran.out) == (2, "")
        assert "cannot be written to" in ran.err
