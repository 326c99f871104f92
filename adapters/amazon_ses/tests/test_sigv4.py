"""The signature: AWS's own vectors, boto3 as the oracle, and secrets that stay within."""

from __future__ import annotations

import json
import pickle
import random
import string
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from mailcore import (
    AccountProblem,
    Attachment,
    AttachmentChanged,
    Context,
    HttpRequest,
    HttpResponse,
    Mailer,
    Message,
    MimeBody,
    Secret,
)
from mailcore.testing import RecordingTransport
from mailcore_amazon_ses._inbound import object_request
from mailcore_amazon_ses._options import AmazonSesOptions
from mailcore_amazon_ses._send import request as send_request
from mailcore_amazon_ses._sigv4 import Authorization, canonical_request, sign, signature

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SUITE = json.loads((Path(__file__).parent / "aws4_testsuite.json").read_text(encoding="utf-8"))
VECTORS = {test["name"]: test for test in SUITE["tests"]}


class TestVectors:
    """AWS's Signature Version 4 test suite."""

    @pytest.mark.parametrize("name", VECTORS)
    def test_signature(self, name: str) -> None:
        """Canonical request and signature of each vector."""
        test, config = VECTORS[name], SUITE["config"]
        names = test["authz"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        headers = [(key, value) for key, value in test["headers"] if key.lower() in names]
        query = quote(test["query"], safe="=&%")
        url = f"https://example.amazonaws.com{test['path']}" + (f"?{query}" if query else "")
        digest = sha256(test["body"].encode()).hexdigest()
        canonical, signed = canonical_request(test["method"], url, headers, digest)
        scope = f"20150830/{config['region']}/{config['service']}/aws4_request"
        proof = signature(Secret(config["secretAccessKey"]), canonical, "20150830T123600Z", scope)

        assert canonical == test["creq"]
        assert Authorization(Secret(config["accessKeyId"]), scope, signed, proof).reveal() == test["authz"]

    def test_all_are_there(self) -> None:
        """No vector got lost."""
        assert len(VECTORS) == 22


def _client(service: str, monkeypatch: pytest.MonkeyPatch, **config: Any) -> Any:
    """Return boto3's client with its clock frozen, and what it puts on the wire."""
    boto3 = pytest.importorskip("boto3")
    from botocore.awsrequest import AWSResponse
    from botocore.config import Config

    clock = NOW.replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: clock)
    plain = Config(s3={"addressing_style": "path"}, response_checksum_validation="when_required")
    endpoints = {"s3": "https://s3.us-east-1.amazonaws.com"}  # else that region's older name
    client = boto3.client(
        service, region_name="us-east-1", endpoint_url=endpoints.get(service), config=plain, **config
    )
    wire: list[Any] = []

    def compact(params: dict[str, Any], **_: Any) -> None:
        """Write JSON without spaces, as mailcore does; nothing else is changed."""
        if params["body"]:
            params["body"] = json.dumps(json.loads(params["body"]), separators=(",", ":")).encode()

    def keep(request: Any, **_: Any) -> Any:
        wire.append(request)
        raw = SimpleNamespace(stream=lambda *_: iter([b"{}"]), read=lambda *_: b"")
        return AWSResponse(request.url, 200, {}, raw)

    client.meta.events.register(f"before-call.{service}.*", compact)
    client.meta.events.register(f"before-send.{service}.*", keep)
    return client, wire


def _theirs(request: Any) -> tuple[Any, ...]:
    """Return what boto3 sends, but for the headers that speak of the program and the connection."""
    own = ("user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "content-length")
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
        if name.lower() not in own
    }
    return request.method, request.url, headers, request.body or b""


def _ours(request: HttpRequest) -> tuple[Any, ...]:
    headers = {
        name.lower(): value.reveal() if isinstance(value, Secret) else value
        for name, value in request.headers
    }
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
    return request.method, request.url, headers, body


def _messages(count: int) -> Iterator[Message]:
    """Yield random messages, the same ones in each run."""
    draw = random.Random(4)
    letters = string.ascii_letters + string.digits + " ,.;:'\"<>éß漢😀{}"

    def words(most: int) -> str:
        return "".join(draw.choice(letters) for _ in range(draw.randint(1, most))).strip() or "x"

    def addresses(most: int) -> list[str]:
        return [f"{draw.choice('abc')}{number}@example.com" for number in range(draw.randint(0, most))]

    for _ in range(count):
        fields: dict[str, Any] = {
            "from_": "Größe <ada@example.com>",
            "to": ["bob@straße.example", *addresses(3)],
            "cc": addresses(2),
            "bcc": addresses(2),
            "reply_to": addresses(2),
            "subject": words(200),
            "text": words(2000),
            "headers": {"X-Order": str(draw.random())},
            "tags": draw.sample(["receipt", "digest"], draw.randint(0, 1)),
            "metadata": {"order": str(draw.randint(1, 99))} if draw.random() < 0.5 else {},
            "track_opens": draw.choice([None, True, False]),
            "attachments": [
                Attachment(content=draw.randbytes(draw.randint(0, 5000)), filename=f"{number}.bin")
                for number in range(draw.randint(0, 2))
            ],
        }
        if draw.random() < 0.3:
            fields |= {"template_id": "Receipt", "subject": None, "text": None}
        if draw.random() < 0.3:
            fields |= {"merge_data": {"bob@straße.example": {"name": words(20)}}}
        yield Message(**fields).resolve()


def _parameters(request: HttpRequest, message: Message, ctx: Context) -> Mapping[str, Any]:
    """Return what is given to boto3 for the same mail: bytes where the wire has base64."""
    document = json.loads(_ours(request)[3])
    content = document.get("Content", {})
    if "Raw" in content:
        content["Raw"]["Data"] = b"".join(MimeBody(message, created=ctx.created, unique=ctx.unique))
    template = (content or document.get("DefaultContent", {})).get("Template", {})
    for given, attachment in zip(template.get("Attachments", ()), message.attachments, strict=False):
        given["RawContent"] = attachment.content
    return document


class TestAgainstBoto:
    """The whole request is what AWS's own client makes of the same mail at the same instant."""

    @pytest.mark.parametrize("token", [None, "session-token/with+signs=="])
    def test_sends(self, token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        """A hundred random mails: raw, templates and bulk."""
        keys = {
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalr/XUtn+FEMI",
            "session_token": token,
        }
        client, wire = _client("sesv2", monkeypatch, **{f"aws_{name}": value for name, value in keys.items()})
        options = AmazonSesOptions(region="us-east-1", configuration_set="ConfigSet", **keys)
        paths = set()
        for number, message in enumerate(_messages(100)):
            ctx = Context(now=NOW, created=NOW, unique=f"{number:032}")
            made = send_request(message, ctx, options)
            send = client.send_bulk_email if message.is_batch else client.send_email
            send(**_parameters(made, message, ctx))
            paths.add((made.url, b'"Raw"' in _ours(made)[3]))

            assert _ours(made) == _theirs(wire[-1])
        assert len(wire) == 100
        assert len(paths) == 3

    @pytest.mark.parametrize("key", ["inbound/a b+c", "é/漢 ~!'()*&=$@:;,?#%", "plain", "a//b", "a/.hidden"])
    def test_reads_from_s3(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """An object with any key; its path is never normalised."""
        keys = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalr/XUtn+FEMI"}
        client, wire = _client("s3", monkeypatch, **{f"aws_{name}": value for name, value in keys.items()})
        options = AmazonSesOptions(region="us-east-1", **keys)
        action = {"type": "S3", "bucketName": "my.bucket", "objectKey": key}
        made = object_request({"receipt": {"action": action}}, options, now=NOW)
        client.get_object(Bucket="my.bucket", Key=key)
        assert made is not None

        assert _ours(made) == _theirs(wire[-1])
        assert not made.commits


class TestSign:
    """What is signed is what is sent."""

    def test_without_key(self) -> None:
        """Without a key, the request stays as it is."""
        request = HttpRequest(method="GET", url="https://example.com/", commits=False)
        for options in (AmazonSesOptions(), AmazonSesOptions(access_key_id="id")):
            assert sign(request, options, service="s3", region="us-east-1", now=NOW) is request

    @pytest.mark.parametrize(
        "url, host",
        [
            ("https://example.com:443/", "example.com"),
            ("http://example.com:80/", "example.com"),
            ("http://127.0.0.1:8025/", "127.0.0.1:8025"),
            ("https://[::1]:80/", "[::1]:80"),
        ],
    )
    def test_host(self, url: str, host: str) -> None:
        """The host is signed as the transport says it."""
        options = AmazonSesOptions(access_key_id="id", secret_access_key="secret")
        request = HttpRequest(method="GET", url=url)
        made = sign(request, options, service="ses", region="us-east-1", now=NOW)
        stamp = ("X-Amz-Date", "20260304T050607Z")
        canonical, _ = canonical_request("GET", url, [("Host", host), stamp], sha256().hexdigest())
        proof = signature(Secret("secret"), canonical, stamp[1], "20260304/us-east-1/ses/aws4_request")

        assert str(_ours(made)[2]["authorization"]).endswith(proof)

    def test_time_of_the_attempt(self, make_mailer: Callable[..., Mailer]) -> None:
        """A repeated send is signed anew: the time is the attempt's, and the mail stays the same."""
        options = AmazonSesOptions(access_key_id="id", secret_access_key="secret", region="us-east-1")
        message = Message(from_="ada@example.com", to="bob@example.com", text="Hello").resolve()
        first, second = (
            _ours(send_request(message, Context(now=now, created=NOW, unique="0" * 32), options))
            for now in (NOW, NOW + timedelta(minutes=20))
        )

        assert first[3] == second[3]
        assert second[2]["x-amz-date"] == "20260304T052607Z"
        assert first[2]["authorization"] != second[2]["authorization"]

    def test_file_that_changes(self, make_mailer: Callable[..., Mailer], tmp_path: Path) -> None:
        """A file that changed since it was attached, or between hash and sending, is never sent."""
        path = tmp_path / "file.bin"
        path.write_bytes(b"before")
        message = Message(
            from_="ada@example.com",
            to="bob@example.com",
            text="x",
            attachments=Attachment.from_path(path, root=tmp_path),
        )
        options = AmazonSesOptions(access_key_id="id", secret_access_key="secret", region="us-east-1")
        made = send_request(message.resolve(), Context(now=NOW, created=NOW, unique="0" * 32), options)
        path.write_bytes(b"after!!")
        with pytest.raises(AttachmentChanged):
            b"".join(made.body)  # type: ignore[arg-type]  # reason: a Body
        transport = RecordingTransport(HttpResponse(status=200))
        with pytest.raises(AttachmentChanged):
            make_mailer(transport).send(message)
        assert not transport.requests


class TestSecrets:
    """Nothing but the wire sees a secret."""

    def test_shown_nowhere(self, make_mailer: Callable[..., Mailer], secrets: dict[str, str]) -> None:
        """Neither request, nor options, nor header, nor error shows one of the three."""
        transport = RecordingTransport(HttpResponse(status=403, body=json.dumps(secrets).encode()))
        mailer = make_mailer(transport)
        message = Message(from_="ada@example.com", to="bob@example.com", text="Hello")
        request = mailer.preview(message)
        with pytest.raises(AccountProblem) as raised:
            mailer.send(message)
        shown = "".join(map(repr, (request, mailer, dict(request.headers), raised.value, str(raised.value))))  # type: ignore[union-attr]  # reason: HTTP

        assert not [name for name, value in secrets.items() if value in shown]

    def test_wire(self, make_mailer: Callable[..., Mailer], secrets: dict[str, str]) -> None:
        """The secret half is in no header; id and token are, as secrets."""
        request = make_mailer(RecordingTransport()).preview(
            Message(from_="ada@example.com", to="bob@example.com", text="Hello")
        )
        assert isinstance(request, HttpRequest)
        wire = json.dumps(_ours(request)[2])

        assert secrets["secret_access_key"] not in wire
        assert secrets["access_key_id"] in wire
        assert secrets["session_token"] in wire
        plain = [value for _, value in request.headers if not isinstance(value, Secret)]
        assert not [one for one in secrets.values() if one in json.dumps(plain)]

    def test_authorization(self) -> None:
        """The header is a secret like the others: not shown, not pickled, and equal to its like alone."""
        one, other = (Authorization(Secret("id"), "scope", "host", proof) for proof in ("a", "b"))

        assert repr(one) == "Secret(****)"
        assert str(one) == "****"
        assert one != other
        assert one == Authorization(Secret("id"), "scope", "host", "a")
        with pytest.raises(TypeError):
            pickle.dumps(one)
