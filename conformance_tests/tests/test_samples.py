"""A sample that says something which means nothing is refused, with what was meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailcore import Secret, SmtpRequest, SmtpResponse
from mailcore_conformance import Kit, KitError

EXCHANGE: dict[str, Any] = {
    "source_url": "https://docs.example.com",
    "recorded_at": "2030-01-31",
    "edits": "None.",
    "response": {"status": 200, "headers": [["Content-Type", "application/json"]], "body": "{}"},
    "expected": {"message_id": "1", "status": "queued"},
}
TRANSACTION: dict[str, Any] = {
    **EXCHANGE,
    "request": {
        "server": "mail.example.com:587",
        "password": "TOKEN",
        "mail_from": "ada@example.com",
        "rcpt_to": ["bob@example.com"],
        "data": "Subject: Hi\r\n\r\nHello\r\n",
    },
    "response": {"code": 250, "text": "Ok", "refused": {"eve@example.com": [550, "No"]}},
}
DELIVERY: dict[str, Any] = {
    **{name: EXCHANGE[name] for name in ("source_url", "recorded_at", "edits")},
    "request": {"headers": [], "body": "{}"},
    "expected": {"kind": "tracking", "events": [{"event_type": "delivered", "event_id": "1"}]},
}


def kit(folder: Path, kind: str, document: Any) -> Kit:
    """Return a kit with one sample."""
    (folder / kind).mkdir()
    (folder / kind / "sample.json").write_text(json.dumps(document), encoding="utf-8")
    return Kit(provider="any", folder=folder, options=lambda secret: {"api_key": secret})


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a sample with another value at a path such as `request.headers`."""
    copy = json.loads(json.dumps(document))
    place = copy
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    return copy


def test_good_ones(tmp_path: Path) -> None:
    """What the others differ from is taken."""
    assert kit(tmp_path, "exchanges", EXCHANGE).exchanges[0].accepted
    assert kit(tmp_path, "webhooks", DELIVERY).deliveries[0].readable


def test_a_good_transaction(tmp_path: Path) -> None:
    """A sample of SMTP is taken as what it says."""
    sample = kit(tmp_path, "exchanges", TRANSACTION).exchanges[0]
    assert isinstance(sample.request, SmtpRequest)
    assert (sample.request.password, sample.request.data[:7]) == (Secret("TOKEN"), b"Subject")
    assert sample.response == SmtpResponse(code=250, text="Ok", refused={"eve@example.com": (550, "No")})


@pytest.mark.parametrize(
    "path, value, said",
    [
        ("edits", "", "add edits"),
        ("recorded_at", "31.01.2030", "no date such as 2030-01-31"),
        ("respnse", {}, "It has 'respnse', which means nothing. Did you mean 'response'?"),
        ("response", [], "response is a list, and no JSON object"),
        ("response.status", "402", "no number of an HTTP status"),
        ("response.status", 42, "no number of an HTTP status"),
        ("response.headers", {"A": "b"}, "a list of [name, value]"),
        ("response.boddy", "", "Did you mean 'body'?"),
        ("expected", 7, "expected is a number"),
        ("expected.statsu", "queued", "expected has 'statsu', which means nothing. Did you mean 'status'?"),
        ("expected.status", "enqueued", "Did you mean 'queued'?"),
        ("expected.error", "RateLimit", "Did you mean 'RateLimited'?"),
        ("expected.outcome", "accept", "Did you mean 'accepted'?"),
        ("expected.recipients", {"a@example.com": {"statu": "queued"}}, "Did you mean 'status'?"),
        ("message", {"from": "a@example.com"}, "Message has no field 'from'"),
    ],
)
def test_exchanges(path: str, value: Any, said: str, tmp_path: Path) -> None:
    """The file, the place and the way out are named."""
    with pytest.raises(KitError) as caught:
        _ = kit(tmp_path, "exchanges", changed(EXCHANGE, path, value)).exchanges
    assert said in str(caught.value)
    assert "sample.json" in str(caught.value)


@pytest.mark.parametrize(
    "path, value, said",
    [
        ("request.mail_form", "ada@example.com", "Did you mean 'mail_from'?"),
        ("request.data", None, "NoneType"),
        ("response.comand", "RCPT", "Did you mean 'command'?"),
        ("response.code", "250", "no number of an SMTP reply"),
        ("response.refused", {"bob@example.com": ["no", 550]}, "no number of an SMTP reply"),
        ("response.refused", {"bob@example.com": "no"}, "{address: [number, text]}"),
    ],
)
def test_transactions(path: str, value: Any, said: str, tmp_path: Path) -> None:
    """So it is with a sample of SMTP."""
    with pytest.raises(KitError) as caught:
        _ = kit(tmp_path, "exchanges", changed(TRANSACTION, path, value)).exchanges
    assert said in str(caught.value)
    assert "sample.json" in str(caught.value)


@pytest.mark.parametrize(
    "path, value, said",
    [
        ("request.recieved_at", "2030-01-31T00:00:00+00:00", "Did you mean 'received_at'?"),
        ("expected.kind", "trackng", "trackng"),
        ("expected.evnts", [], "Did you mean 'events'?"),
        ("expected.events.0.type", "delivered", "expected.events has 'type', which means nothing"),
        ("expected.events.0.event_type", "deliverd", "Did you mean 'delivered'?"),
        ("expected.messages", [{"subjekt": "Hi"}], "Did you mean 'subject'?"),
    ],
)
def test_deliveries(path: str, value: Any, said: str, tmp_path: Path) -> None:
    """A misspelt name compares nothing, and is no sample."""
    with pytest.raises(KitError) as caught:
        _ = kit(tmp_path, "webhooks", changed(DELIVERY, path, value)).deliveries
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "[", "\ufeff{}", "nonsense"])
def test_no_json(text: str, tmp_path: Path) -> None:
    """A file that is no JSON is named."""
    (tmp_path / "exchanges").mkdir()
    (tmp_path / "exchanges" / "sample.json").write_text(text, encoding="utf-8")
    with pytest.raises(KitError, match=r"sample\.json cannot be read as JSON"):
        _ = Kit(provider="any", folder=tmp_path, options=dict).exchanges
