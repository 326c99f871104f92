"""Attachments: labels that can be sent, content that stays what it was."""

from __future__ import annotations

import os
import pickle
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailcore import Attachment, AttachmentChanged, FileContent, InvalidAttachment, Message
from mailcore._file_content import PIECE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of a few pieces."""
    path = tmp_path / "report.pdf"
    path.write_bytes(os.urandom(2 * PIECE + 5))
    return path


def attach(path: Path) -> Attachment:
    """Attach a file by its full path."""
    return Attachment.from_path(path, root=path.parent)


class TestLabels:
    """Name, type, charset and content id."""

    @pytest.mark.rule("N-D2")
    @pytest.mark.parametrize(
        "content, given, full",
        [
            (b"x", {}, "application/octet-stream"),
            (b"x", {"filename": "a.png"}, "image/png"),
            (b"x", {"filename": "a.unheardof"}, "application/octet-stream"),
            (b"x", {"filename": "a.tar.gz"}, "application/octet-stream"),
            (b"x", {"filename": "a.png", "content_type": "image/webp"}, "image/webp"),
            (b"x", {"content_type": "Text/HTML"}, "text/html"),
            ("x", {}, 'text/plain; charset="utf-8"'),
            ("x", {"filename": "a.csv"}, 'text/csv; charset="utf-8"'),
            ("ä", {"charset": "iso-8859-1"}, 'text/plain; charset="iso-8859-1"'),
            ("ä", {"content_type": "text/html; charset=ISO-8859-1"}, 'text/html; charset="ISO-8859-1"'),
            (b"x", {"content_type": 'text/plain; charset="utf-8"'}, 'text/plain; charset="utf-8"'),
        ],
    )
    def test_type(self, content: bytes | str, given: dict[str, str], full: str) -> None:
        """The type is the given one, else guessed from the name; text always has a charset."""
        assert Attachment(content=content, **given).full_content_type == full

    @pytest.mark.rule("N-D3")
    @pytest.mark.parametrize(
        "charset, content", [("utf-8", b"\xc3\xa4"), ("iso-8859-1", b"\xe4"), ("utf-16", None)]
    )
    def test_charset(self, charset: str, content: bytes | None) -> None:
        """Text is encoded in the charset that the label says."""
        assert Attachment(content="ä", charset=charset).content == content or "ä".encode(charset)

    @pytest.mark.rule("N-D11")
    @pytest.mark.parametrize(
        "content, charset",
        [
            (b"\xff", "utf-8"),
            (b"\xff", "no-such"),
            ("ä", "ascii"),
            ("ä", "no-such"),
            (b"", "x y"),
            (b"ab", "hex"),
        ],
    )
    def test_charset_that_does_not_fit(self, content: bytes | str, charset: str) -> None:
        """A charset that cannot be right is an error in that field's name."""
        with pytest.raises(InvalidAttachment, match=r"^charset: "):
            Attachment(content=content, charset=charset)

    @pytest.mark.parametrize("charset", ["utf-8\r\n", "utf\r\n8", 'x"\r\nEvil: 1', "utf-8;x=y", " ", "ütf"])
    def test_charset_that_is_no_word(self, file: Path, charset: str) -> None:
        """Python's codecs overlook line breaks; a header does not, whatever the content is."""
        for content in (b"", b"x", "x", FileContent.declare(file)):
            with pytest.raises(InvalidAttachment, match=r"^charset: "):
                Attachment(content=content, charset=charset)

    @pytest.mark.parametrize(
        "field, value",
        [
            ("filename", "a\r\nb"), ("filename", "a\x00"), ("filename", "gpj\u202e.exe"),
            ("filename", "\ud800"),
            ("content_type", "text"), ("content_type", "text/"), ("content_type", "a/b\r\nEvil: 1"),
            ("content_type", "a/b/c"), ("content_type", "text/plain; name"), ("content_type", 'a/b; c="d"e'),
            ("content_type", "a/b" + ";c=d" * 500),
            ("content_id", "a b"), ("content_id", "<>"), ("content_id", "a>b"), ("content_id", "ä"),
            ("content_id", "a\r\n"), ("content", 5), ("content", None), ("content", ["x"]),
        ],
    )  # fmt: skip
    def test_refused(self, field: str, value: object) -> None:
        """What no header can hold safely is refused in the field's name."""
        with pytest.raises(InvalidAttachment, match=f"^{field}: "):
            Attachment(**{"content": b"x", field: value})

    @pytest.mark.rule("N-D8")
    def test_non_ascii_name(self) -> None:
        """A file name keeps its characters."""
        assert Attachment(content=b"", filename="Übersicht 日本.pdf").filename == "Übersicht 日本.pdf"

    @pytest.mark.rule("N-D1")
    @pytest.mark.parametrize("name", [None, ""])
    def test_no_name(self, name: str | None) -> None:
        """An attachment may have no name, which is not an empty one."""
        attachment = Attachment(content=b"x", filename=name)
        assert attachment.filename is None
        assert Message(attachments=attachment).attachments == (attachment,)

    @pytest.mark.rule("N-D5")
    @pytest.mark.parametrize("given", ["logo", "<logo>", "cid:logo", " logo "])
    def test_content_id(self, given: str) -> None:
        """All spellings of a content id are one."""
        assert Attachment(content=b"", content_id=given).content_id == "logo"

    @pytest.mark.rule("N-D4", "N-D6")
    @pytest.mark.parametrize(
        "given, inline, content_id",
        [
            ({}, False, None),
            ({"content_id": "a"}, True, "a"),
            ({"content_id": "a", "inline": True}, True, "a"),
            ({"content_id": "a", "inline": False}, False, None),
            ({"inline": True}, True, None),
            ({"inline": False}, False, None),
        ],
    )
    def test_inline(self, given: dict[str, object], inline: bool, content_id: str | None) -> None:
        """Inline unless told otherwise where there is a content id; none is made up."""
        attachment = Attachment(content=b"", **given)
        assert (attachment.inline, attachment.content_id) == (inline, content_id)

    def test_repr(self) -> None:
        """A repr shows how much there is, not what."""
        assert "4 bytes" in repr(Attachment(content=b"abcd"))
        assert "abcd" not in repr(Attachment(content=b"abcd"))


class TestFiles:
    """Files are declared when attached and read when sent."""

    def test_not_read_before(self, file: Path) -> None:
        """Attaching notes size and time; the content is what the file holds."""
        attachment = attach(file)
        assert isinstance(attachment.content, FileContent)
        assert (len(attachment), attachment.filename, attachment.content_type) == (
            2 * PIECE + 5, "report.pdf", "application/pdf",
        )  # fmt: skip
        assert b"".join(attachment.pieces()) == file.read_bytes()

    def test_pieces(self, file: Path) -> None:
        """Each piece but the last is whole base64, from bytes and files alike."""
        for content in (FileContent.declare(file), file.read_bytes()):
            lengths = [len(piece) for piece in Attachment(content=content).pieces()]
            assert lengths == [PIECE, PIECE, 5]
            assert PIECE % 3 == 0

    def test_each_iteration_starts_afresh(self, file: Path) -> None:
        """Several threads may read one attachment at once."""
        attachment, found = attach(file), []
        threads = [
            threading.Thread(target=lambda: found.append(b"".join(attachment.pieces()))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [file.read_bytes()] * 4

    @pytest.mark.parametrize("change", ["grow", "shrink", "touch", "remove", "replace"])
    def test_changed_before(self, file: Path, change: str) -> None:
        """A file that is not as it was when attached is not sent."""
        attachment = attach(file)
        alter(file, change)
        with pytest.raises(AttachmentChanged, match=r"report.pdf"):
            list(attachment.pieces())

    @pytest.mark.parametrize("change", ["grow", "shrink", "touch"])
    def test_changed_during(self, file: Path, change: str) -> None:
        """A change while it is read is noticed before the last piece leaves."""
        pieces = attach(file).pieces()
        next(pieces)
        alter(file, change)
        with pytest.raises(AttachmentChanged):
            list(pieces)

    def test_root(self, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A path leads nowhere but below the root, which is the working directory unless given."""
        inside = tmp_path / "inside"
        inside.mkdir()
        (inside / "link").symlink_to(file)
        for path in ("../report.pdf", str(file), "link"):
            with pytest.raises(InvalidAttachment, match="outside"):
                Attachment.from_path(path, root=inside)
        monkeypatch.chdir(tmp_path)
        assert Attachment.from_path("inside/../report.pdf").filename == "report.pdf"

    def test_not_a_file(self, tmp_path: Path) -> None:
        """Folders and what is not there are refused."""
        for name in ("", "absent"):
            with pytest.raises(InvalidAttachment, match=r"cannot be read|not a regular file"):
                Attachment.from_path(tmp_path / name, root=tmp_path)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    @pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no devices as files")
    def test_not_a_regular_file(self) -> None:
        """A device is refused: it has no size to declare."""
        with pytest.raises(InvalidAttachment, match="not a regular file"):
            FileContent.declare(Path("/dev/null"))

    def test_copies(self, file: Path) -> None:
        """An attachment survives pickle and evolve; a file stays a file."""
        attachment = attach(file)
        assert pickle.loads(pickle.dumps(attachment)) == attachment
        assert attrs.evolve(attachment, filename="b.pdf").content == attachment.content


def alter(path: Path, change: str) -> None:
    """Change a file."""
    if change == "grow":
        with path.open("ab") as opened:
            opened.write(b"x")
    elif change == "shrink":
        os.truncate(path, PIECE + 1)
    elif change == "touch":
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    else:
        path.unlink()
    if change == "replace":
        path.write_bytes(b"other")


@pytest.mark.rule("N-D9")
class TestAttachedMail:
    """A whole mail as an attachment."""

    def test_modern(self) -> None:
        """Line ends are CRLF, all bytes 7-bit, and the charset within does not leak out."""
        mail = EmailMessage()
        mail["Subject"] = "Grüße"
        mail.set_content("Ärger\n", charset="iso-8859-1")
        attachment = Attachment.from_message(mail, filename="mail.eml")
        assert (attachment.content_type, attachment.charset) == ("message/rfc822", None)
        assert attachment.content.isascii()
        assert b"\n" not in attachment.content.replace(b"\r\n", b"")
        read = message_from_bytes(attachment.content, policy=policy.default)
        assert (read["Subject"], read.get_content()) == ("Grüße", "Ärger\r\n")

    def test_legacy(self) -> None:
        """A mail of the old kind, 8-bit within, becomes 7-bit."""
        mail = message_from_bytes("Subject: x\nContent-Type: text/plain; charset=utf-8\n\nä".encode())
        assert Attachment.from_message(mail).content.isascii()

    def test_unwritable(self) -> None:
        """What cannot be written out is a typed error."""
        mail = EmailMessage()
        mail.set_payload(object())
        with pytest.raises(InvalidAttachment, match="cannot be written"):
            Attachment.from_message(mail)


class TestParameters:
    """A content type may say more than its charset."""

    def test_within_the_type(self) -> None:
        """Parameters given within the type are told apart from it, and the charset from them."""
        file = Attachment(
            content="BEGIN", content_type='text/calendar; METHOD=REQUEST; charset=utf-8; x="a b"'
        )
        assert (file.content_type, file.charset) == ("text/calendar", "utf-8")
        assert dict(file.parameters) == {"method": "REQUEST", "x": "a b"}

    def test_full_content_type(self) -> None:
        """The header names all of them, quoted."""
        file = Attachment(content="BEGIN", content_type="text/calendar", parameters={"method": "REQUEST"})
        assert file.full_content_type == 'text/calendar; charset="utf-8"; method="REQUEST"'

    @pytest.mark.parametrize(
        "name, value", [("a", "x\r\ny"), ("a b", "x"), ("a", 'x"y'), ("", "x"), ("a", "é")]
    )
    def test_refused(self, name: str, value: str) -> None:
        """What no header can hold is refused in the field's name."""
        with pytest.raises(InvalidAttachment, match=r"^parameters: "):
            Attachment(content=b"", parameters={name: value})

    def test_survive_email(self) -> None:
        """An invitation is still one after a trip through the standard library."""
        file = Attachment(content="BEGIN", filename="i.ics", content_type="text/calendar; method=REQUEST")
        message = Message(from_="a@example.com", to="b@example.com", text="t", attachments=file)
        assert Message.from_email(message.to_email()).attachments == (file,)


class TestDeclaredFile:
    """A file that is named by a document, or by anything else that is not `from_path`."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"size": "abc"}, {"size": 1.5}, {"size": -1}, {"size": 10**19}, {"size": True},
            {"mtime_ns": None}, {"path": 5}, {"path": ""}, {"path": "a\0b"},
        ],
    )  # fmt: skip
    def test_impossible(self, changes: dict[str, Any]) -> None:
        """What no file can be is refused at once."""
        with pytest.raises(InvalidAttachment):
            FileContent(**{"path": "x", "size": 1, "mtime_ns": 1, **changes})

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes need POSIX")
    def test_pipe_in_its_place(self, tmp_path: Path) -> None:
        """A pipe where the file was is a change; it is not waited for."""
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(AttachmentChanged):
            list(
                FileContent(
                    path=str(tmp_path / "pipe"), size=0, mtime_ns=(tmp_path / "pipe").stat().st_mtime_ns
                )
            )
        with pytest.raises(InvalidAttachment, match="not a regular file"):
            Attachment.from_path("pipe", root=tmp_path)

    @pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "rot13", "hex"])
    def test_codec_that_is_no_charset(self, charset: str) -> None:
        """Python has codecs that mail is not written in, and some take quadratic time."""
        with pytest.raises(InvalidAttachment, match=r"^charset: "):
            Attachment(content=b"abc", charset=charset)
