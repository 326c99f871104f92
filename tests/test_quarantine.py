"""Genuine deliveries that nobody understood wait in a folder, whole and once."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from mailcore import (
    Covers,
    EndpointKind,
    InvalidDocument,
    Quarantined,
    Verification,
    VerifiedWebhook,
    WebhookRequest,
    from_json,
    to_json,
)
from mailcore.stores.folder import QuarantineFolder


def quarantined(body: bytes = b"\xff{", reason: str = "Its shape is not known.") -> Quarantined:
    """Return a delivery that waits."""
    request = WebhookRequest(url="/hook?token=canary", headers={"X-A": "1"}, body=body)
    webhook = VerifiedWebhook(request=request, verification=Verification(scheme="hmac", covers=Covers.BODY))
    return Quarantined(reason=reason, kind=EndpointKind.INBOUND, webhook=webhook)


class TestValue:
    """One delivery."""

    def test_round_trip(self) -> None:
        """It survives as JSON, with every byte of the body."""
        found = quarantined(bytes(range(256)))
        assert from_json(Quarantined, to_json(found)) == found

    def test_repr_holds_no_mail(self) -> None:
        """A log shows why it waits, not what it says."""
        assert "canary" not in repr(quarantined(b"canary"))


class TestFolder:
    """A folder of them."""

    def test_keeps_and_reads_back(self, tmp_path: Path) -> None:
        """What was kept can be handled later."""
        folder = QuarantineFolder(tmp_path / "new" / "folder")
        kept = [quarantined(b"1"), quarantined(b"2")]
        for found in kept:
            folder(found)
        assert sorted(folder, key=lambda found: found.webhook.request.body) == kept

    def test_keeps_each_once(self, tmp_path: Path) -> None:
        """A redelivery adds nothing; another body does."""
        folder = QuarantineFolder(tmp_path)
        for body in (b"1", b"1", b"2"):
            folder(quarantined(body))
        assert len(list(folder)) == 2

    def test_name_is_ours(self, tmp_path: Path) -> None:
        """Nothing of the delivery is part of a path."""
        folder = QuarantineFolder(tmp_path)
        folder(quarantined(b"../../etc/passwd"))
        (file,) = tmp_path.iterdir()
        assert file.suffix == ".json"
        assert set(file.stem) <= set("0123456789abcdef")

    def test_nothing_is_half_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A write that breaks off leaves no delivery behind, and says so."""
        folder = QuarantineFolder(tmp_path)

        def full(file: int) -> None:
            raise OSError("No space left on device.")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            folder(quarantined())
        assert list(folder) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
    def test_is_nobody_elses(self, tmp_path: Path) -> None:
        """It is somebody's mail: the folder is closed to other users."""
        QuarantineFolder(tmp_path / "kept")(quarantined())
        assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) & 0o077 == 0

    def test_file_that_is_damaged(self, tmp_path: Path) -> None:
        """Reading says so, and executes nothing."""
        folder = QuarantineFolder(tmp_path)
        folder(quarantined())
        (file,) = tmp_path.glob("*.json")
        file.write_text('{"reason": ')
        with pytest.raises(InvalidDocument):
            list(folder)

    def test_empty(self, tmp_path: Path) -> None:
        """A folder that was never needed holds nothing."""
        assert list(QuarantineFolder(tmp_path / "never")) == []
