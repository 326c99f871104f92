"""A mailer refuses before it sends, sends once, and says all it knows."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

import mailcore.providers
from mailcore import (
    Adapter,
    AdapterSpec,
    Advice,
    Attachment,
    Capability,
    ConfigurationError,
    Context,
    HttpRequest,
    HttpResponse,
    Idempotency,
    InvalidMessage,
    JsonBody,
    Level,
    Mailer,
    MaybeSent,
    Message,
    MissingOption,
    Outcome,
    Phase,
    PluginHost,
    ProtocolBug,
    RateLimited,
    Secret,
    SendCancelled,
    SendError,
    SendResult,
    SendStatus,
    SmtpRequest,
    SmtpResponse,
    Support,
    TransportFailure,
    UnknownProvider,
    UnsupportedFeature,
    about,
    error_for_status,
    hookimpl,
)
from mailcore.testing import RecordingTransport, outbox

MESSAGE = Message(from_="ada@example.com", to=["bob@example.com"], subject="Hi", text="Hello")
OK = HttpResponse(status=200)
IDEMPOTENT = Idempotency(ttl=3600, max_length=255)
EVERYTHING = {capability: Support() for capability in Capability if capability is not Capability.BATCH}


@attrs.frozen(kw_only=True)
class FakeOptions:
    """Settings of the fake provider."""

    api_key: Secret | None = attrs.field(
        default=None, converter=attrs.converters.optional(Secret), metadata=about("A key.", needed_to="send")
    )


class FakeAdapter(Adapter):
    """Send by one request; advise on a tag."""

    advised = 0

    def build_send(self, message: Message, ctx: Context) -> Any:
        """Return a request that holds what the tests look at."""
        if message.subject == "explode":
            raise ValueError("private")
        if message.subject == "pigeon":
            return SimpleNamespace(commits=True)
        body = JsonBody({"to": [address.addr_spec for address in message.to], "subject": message.subject})
        headers = [("Authorization", self.options.api_key)]
        if ctx.idempotency_key:
            headers.append(("Idempotency-Key", ctx.idempotency_key))
        return HttpRequest(method="POST", url="https://api.example.com/send", headers=headers, body=body)

    def parse_send(self, message: Message, ctx: Context, response: HttpResponse) -> SendResult:
        """Take 200 for yes."""
        if response.status != 200:
            raise error_for_status(response, now=ctx.now)
        return SendResult.for_all(message, SendStatus.QUEUED, "id-1", raw=response)

    def advise(self, message: Message) -> Sequence[Advice]:
        """Advise on the tag `advise`."""
        type(self).advised += 1
        if "advise" not in message.tags:
            return ()
        return [Advice(code="fake.tag", field="tags", text="the tag 'advise' is odd.")]


def spec(**changes: Any) -> AdapterSpec:
    """Return the fake provider's spec."""
    given = {
        "name": "fake",
        "title": "Fake",
        "factory": f"{__name__}:FakeAdapter",
        "options": f"{__name__}:FakeOptions",
        "capabilities": EVERYTHING,
        "idempotency": IDEMPOTENT,
    }
    return AdapterSpec(**{**given, **changes})


class Plugin:
    """A plugin with the hooks it is given."""

    def __init__(self, **hooks: Any) -> None:
        vars(self).update({name: hookimpl(function) for name, function in hooks.items()})


def host(*plugins: Any, **changes: Any) -> PluginHost:
    """Return a host with the fake provider and these plugins."""
    registering = Plugin(mailcore_register_adapters=lambda: [spec(**changes)])
    named = {f"plugin-{number}": each for number, each in enumerate(plugins)}
    return PluginHost({"fake": registering, **named}, installed=False)


def make(
    transport: RecordingTransport, *plugins: Any, config: Mapping[str, Any] | None = None, **changes: Any
) -> Mailer:
    """Return a mailer of the fake provider."""
    return Mailer.from_config(
        {"provider": "fake", "api_key": "canary", "max_attempts": 1, **(config or {})},
        environ={},
        host=host(*plugins, **changes),
        transport=transport,
    )


def alone(request: Any) -> Any:
    """Ask one thing, and return the answer."""
    return (yield request)


def without(*capabilities: Capability, **limits: int) -> dict[Capability, Support]:
    """Return a table without these capabilities, and with limits on others (by member name)."""
    table = {name: found for name, found in EVERYTHING.items() if name not in capabilities}
    return {
        **table,
        **{Capability[name]: Support(level=Level.LIMITED, limit=limit) for name, limit in limits.items()},
    }


class Finished:
    """Observe how sends end."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Any]] = []
        self.messages: list[Message] = []

        def note(message: Message, result: Any, error: Any) -> None:
            self.seen.append((result, error))
            self.messages.append(message)

        self.plugin = Plugin(mailcore_send_finished=note)


class TestSend:
    """One message."""

    def test_result_says_all(self) -> None:
        """Provider, id, key, attempt and every recipient are in the result."""
        result = make(RecordingTransport(OK)).send(attrs.evolve(MESSAGE, cc="Eve <eve@EXAMPLE.com>"))
        assert (result.provider, result.message_id) == ("fake", "id-1")
        assert list(result.recipients) == ["bob@example.com", "eve@EXAMPLE.com"]
        assert result.idempotency_key
        assert [attempt.outcome for attempt in result.attempts] == [Outcome.ACCEPTED]
        assert (result.dropped, result.advice) == ((), ())

    def test_one_request(self) -> None:
        """One attempt is one request, whatever comes of it."""
        transport = RecordingTransport(HttpResponse(status=503))
        with pytest.raises(SendError):
            make(transport).send(MESSAGE)
        assert len(transport.requests) == 1

    @pytest.mark.rule("N-G6")
    @pytest.mark.rule("N-G9")
    def test_error_says_all(self) -> None:
        """Provider, key, attempt, waiting time and status are in the error; addresses and secrets are not."""
        answer = HttpResponse(status=429, headers={"Retry-After": "7"}, body=b"not JSON")
        with pytest.raises(RateLimited) as caught:
            make(RecordingTransport(answer)).send(MESSAGE)
        error = caught.value
        assert (error.provider, error.retry_after, error.retriable) == ("fake", 7.0, True)
        assert error.idempotency_key
        assert [attempt.status for attempt in error.attempts] == [429]
        assert "bob@" not in str(error)
        assert "canary" not in str(error)

    def test_message_is_not_changed(self) -> None:
        """What comes of a message is returned, never written back on it."""
        before = attrs.asdict(MESSAGE, recurse=False)
        make(RecordingTransport(OK), config={"defaults": {"tags": ["a"]}}).send(MESSAGE)
        assert attrs.asdict(MESSAGE, recurse=False) == before

    def test_wrong_type(self) -> None:
        """Something that is no message is a wrong call."""
        with pytest.raises(TypeError, match="send takes a Message, not dict"):
            make(RecordingTransport()).send({"to": "bob@example.com"})  # type: ignore[arg-type]  # reason: the point


class TestRefusal:
    """Whatever can be refused is refused before anything is sent, and observers hear of it."""

    @pytest.mark.parametrize(
        "message,options,config,changes,expected",
        [
            (Message(to="bob@example.com", text="x"), {}, {}, {}, InvalidMessage),
            (Message(from_="ada@example.com", text="x"), {}, {}, {}, InvalidMessage),
            (Message(from_="ada@example.com", to="bob@example.com"), {}, {}, {}, InvalidMessage),
            (
                attrs.evolve(MESSAGE, merge_data={"eve@example.com": {}}), {}, {}, {}, InvalidMessage,
            ),
            (MESSAGE, {"idempotency_key": ""}, {}, {}, InvalidMessage),
            (MESSAGE, {"idempotency_key": " "}, {}, {}, InvalidMessage),
            (MESSAGE, {"idempotency_key": "a\r\nb"}, {}, {}, InvalidMessage),
            (
                MESSAGE, {"idempotency_key": "k" * 11}, {},
                {"capabilities": without(IDEMPOTENCY_KEY=10)}, UnsupportedFeature,
            ),
            (
                attrs.evolve(MESSAGE, cc="eve@example.com"), {}, {},
                {"capabilities": without(Capability.CC)}, UnsupportedFeature,
            ),
            (attrs.evolve(MESSAGE, tags=["advise"]), {}, {"on_advice": "raise"}, {}, UnsupportedFeature),
            (attrs.evolve(MESSAGE, subject="explode"), {}, {}, {}, ProtocolBug),
        ],
    )  # fmt: skip  # reason: a table
    @pytest.mark.rule("N-F1")
    def test_nothing_is_sent(
        self,
        message: Message,
        options: Mapping[str, str],
        config: Mapping[str, Any],
        changes: Mapping[str, Any],
        expected: type[Exception],
    ) -> None:
        """A refused message makes no request and one report."""
        transport, finished = RecordingTransport(), Finished()
        with pytest.raises(expected) as caught:
            make(transport, finished.plugin, config=config, **changes).send(message, **options)
        assert transport.requests == []
        assert finished.seen == [(None, caught.value)]

    def test_cancelled_by_a_plugin(self) -> None:
        """A plugin stops a message before anything is sent."""

        def cancel(message: Message) -> None:
            raise SendCancelled("Not on Sundays.")

        transport, finished = RecordingTransport(), Finished()
        mailer = make(transport, Plugin(mailcore_before_send=cancel), finished.plugin)
        with pytest.raises(SendCancelled, match="Sundays"):
            mailer.send(MESSAGE)
        assert transport.requests == []
        assert [type(error) for _, error in finished.seen] == [SendCancelled]


class TestDefaults:
    """Message fields a mailer fills in."""

    def sent(self, message: Message, **defaults: Any) -> Message:
        """Return what a memory mailer with these defaults sends."""
        providers = PluginHost({"builtin": mailcore.providers}, installed=False)
        mailer = Mailer.from_config({"provider": "memory", "defaults": defaults}, environ={}, host=providers)
        mailer.send(message)
        (found,) = outbox(mailer)
        return found

    def test_fill_what_is_not_given(self) -> None:
        """A field left out takes the default."""
        bare = Message(to="bob@example.com", text="Hello")
        assert str(self.sent(bare, from_="Ada <ada@example.com>").from_[0]) == "Ada <ada@example.com>"

    def test_lists_combine(self) -> None:
        """Lists and mappings combine with the default, the default first."""
        found = self.sent(
            attrs.evolve(MESSAGE, tags=["b"], metadata={"x": 1}), tags=["a"], metadata={"x": 0, "y": 2}
        )
        assert found.tags == ("a", "b")
        assert dict(found.metadata) == {"x": 1, "y": 2}

    def test_none_suppresses(self) -> None:
        """None means: not even the default."""
        assert self.sent(attrs.evolve(MESSAGE, tags=None), tags=["a"]).tags == ()

    @pytest.mark.parametrize(
        "defaults", [{"idempotency_key": "key"}, Message(idempotency_key="key")], ids=["table", "message"]
    )
    def test_key_is_nobodys_default(self, defaults: Any) -> None:
        """One key for every mail would make the provider take all of them for one."""
        with pytest.raises(ConfigurationError, match="idempotency_key"):
            make(RecordingTransport(OK), config={"defaults": defaults})


class TestUnsupported:
    """What the provider cannot carry, under each policy."""

    FULL = attrs.evolve(
        MESSAGE,
        tags=["a", "b", "c"],
        metadata={"k": "v"},
        headers={"X-A": "1"},
        send_at=datetime(2030, 1, 1, tzinfo=UTC),
    )

    def test_raise(self) -> None:
        """The error names the field, the provider and the way out."""
        mailer = make(RecordingTransport(), capabilities=without(Capability.METADATA))
        with pytest.raises(
            UnsupportedFeature, match=r"Fake can carry no metadata \(send\.metadata\)"
        ) as caught:
            mailer.send(self.FULL)
        assert (caught.value.field, caught.value.provider) == ("metadata", "fake")
        assert 'on_unsupported="drop"' in str(caught.value)
        assert "canary" not in str(caught.value)

    @pytest.mark.parametrize("policy", ["warn", "drop"])
    @pytest.mark.rule("N-F3")
    def test_left_out(self, policy: str, caplog: pytest.LogCaptureFixture) -> None:
        """What is left out is named in the result, and logged where that was asked for."""
        mailer = make(
            RecordingTransport(OK),
            config={"on_unsupported": policy},
            capabilities=without(Capability.METADATA, Capability.HEADERS, TAGS=1),
        )
        with caplog.at_level(logging.WARNING, "mailcore"):
            result = mailer.send(self.FULL)
        assert sorted(result.dropped) == ["headers", "metadata", "tags"]
        assert len(caplog.records) == (3 if policy == "warn" else 0)

    @pytest.mark.parametrize(
        "capability,field,value,expected",
        [
            (Capability.TAGS, "tags", ["a", "b"], ()),
            (Capability.REPLY_TO, "reply_to", ["r@example.com"], ()),
            (Capability.AMP_HTML, "amp_html", "<html amp4email>", None),
            (Capability.HTML, "html", "<p>", None),
            (Capability.TRACK_OPENS, "track_opens", True, None),
            (Capability.ENVELOPE_SENDER, "envelope_sender", "b@example.com", None),
            (Capability.ATTACHMENTS, "attachments", [Attachment(content=b"x")], ()),
        ],
    )
    def test_what_is_left(self, capability: Capability, field: str, value: Any, expected: Any) -> None:
        """A field the provider cannot carry is absent when the plugin's work is over."""
        finished = Finished()
        mailer = make(
            RecordingTransport(OK),
            finished.plugin,
            config={"on_unsupported": "drop"},
            capabilities=without(capability),
        )
        result = mailer.send(attrs.evolve(MESSAGE, **{field: value}))
        assert getattr(finished.messages[0], field) == expected
        assert result.dropped == (field,)

    @pytest.mark.parametrize("field", ["reply_to", "from_"])
    @pytest.mark.rule("N-A18")
    def test_first_of_several(self, field: str) -> None:
        """Where one address can be carried, the first one is."""
        table = without(Capability.MULTIPLE_REPLY_TO, Capability.MULTIPLE_FROM)
        mailer = make(RecordingTransport(OK), config={"on_unsupported": "drop"}, capabilities=table)
        several = attrs.evolve(MESSAGE, **{field: ["a@example.com", "b@example.com"]})
        assert mailer.send(several).dropped == (field,)

    def test_two_limits_on_one_field(self) -> None:
        """Each reduction starts from what the one before it left."""
        finished = Finished()
        table = without(Capability.INLINE_IMAGES, ATTACHMENTS=1)
        mailer = make(
            RecordingTransport(OK), finished.plugin, config={"on_unsupported": "drop"}, capabilities=table
        )
        pictures = [Attachment(content=b"x", content_id="a"), Attachment(content=b"y", content_id="b")]
        result = mailer.send(attrs.evolve(MESSAGE, attachments=pictures))
        assert [(len(item), item.inline) for item in finished.messages[0].attachments] == [(1, False)]
        assert result.dropped == ("attachments",)

    @pytest.mark.parametrize(
        "capability,values",
        [
            (Capability.CC, {"cc": "eve@example.com"}),
            (Capability.BCC, {"bcc": "eve@example.com"}),
            (Capability.TEMPLATE, {"template_id": "t"}),
            (Capability.MERGE_DATA, {"merge_data": {}}),
            (Capability.SCHEDULE, {"send_at": datetime(2030, 1, 1, tzinfo=UTC)}),
            (Capability.IDEMPOTENCY_KEY, {"idempotency_key": "k"}),
        ],
    )
    @pytest.mark.rule("N-F2")
    def test_never_left_out(self, capability: Capability, values: Mapping[str, Any]) -> None:
        """Without these it would be another mail, to other people, at another time."""
        transport = RecordingTransport()
        mailer = make(transport, config={"on_unsupported": "drop"}, capabilities=without(capability))
        with pytest.raises(UnsupportedFeature):
            mailer.send(attrs.evolve(MESSAGE, **values))
        assert transport.requests == []

    def test_nothing_left_to_send(self) -> None:
        """A mail whose only content cannot be carried is refused, not sent empty."""
        transport = RecordingTransport(OK)
        mailer = make(transport, config={"on_unsupported": "drop"}, capabilities=without(Capability.HTML))
        with pytest.raises(UnsupportedFeature) as caught:
            mailer.send(attrs.evolve(MESSAGE, text=None, html="<p>Hello"))
        assert caught.value.field == "html"
        assert transport.requests == []

    @pytest.mark.parametrize(
        "level,usable", [(Level.FULL, True), (Level.LIMITED, True), (Level.NOT_IMPLEMENTED, False)]
    )
    def test_levels(self, level: Level, usable: bool) -> None:
        """What the adapter does not do yet is refused like what the provider cannot do."""
        table = {**EVERYTHING, Capability.TAGS: Support(level=level, note="Soon.")}
        mailer = make(RecordingTransport(OK), capabilities=table)
        if usable:
            mailer.send(self.FULL)
        else:
            with pytest.raises(UnsupportedFeature, match=r"Soon\."):
                mailer.send(self.FULL)


class TestAdvice:
    """A provider's policies, under each policy of ours."""

    ODD = attrs.evolve(MESSAGE, tags=["advise"])

    def test_warn(self, caplog: pytest.LogCaptureFixture) -> None:
        """Advice is logged and returned, and the mail is sent."""
        with caplog.at_level(logging.WARNING, "mailcore"):
            result = make(RecordingTransport(OK)).send(self.ODD)
        assert [item.code for item in result.advice] == ["fake.tag"]
        assert [record.getMessage() for record in caplog.records] == [
            "Fake may refuse this message: the tag 'advise' is odd."
        ]

    def test_raise(self) -> None:
        """Advice stops the mail where that was asked for."""
        with pytest.raises(UnsupportedFeature, match="is odd") as caught:
            make(RecordingTransport(), config={"on_advice": "raise"}).send(self.ODD)
        assert (caught.value.field, caught.value.provider) == ("tags", "fake")

    def test_ignore(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """Advice that nobody wants is not asked for."""
        monkeypatch.setattr(FakeAdapter, "advised", 0)
        result = make(RecordingTransport(OK), config={"on_advice": "ignore"}).send(self.ODD)
        assert (result.advice, FakeAdapter.advised, caplog.records) == ((), 0, [])


class TestIdempotencyKey:
    """The key under which a provider takes a repeated request once."""

    def keys(self, transport: RecordingTransport) -> list[str | None]:
        """Return the key of each request."""
        return [dict(request.headers).get("Idempotency-Key") for request in transport.requests]

    def test_is_made_once_for_each_send(self) -> None:
        """A send without a key gets a random one; the next send gets another."""
        transport = RecordingTransport(OK)
        mailer = make(transport)
        results = [mailer.send(MESSAGE) for _ in range(3)]
        made = self.keys(transport)
        assert [result.idempotency_key for result in results] == made
        assert len(set(made)) == 3
        assert all(uuid.UUID(key).version == 4 for key in made)

    def test_is_the_callers(self) -> None:
        """A message's own key is used as it is."""
        transport = RecordingTransport(OK)
        result = make(transport).send(attrs.evolve(MESSAGE, idempotency_key="order-7"))
        assert self.keys(transport) == [result.idempotency_key] == ["order-7"]

    def test_argument_wins(self) -> None:
        """The argument of `send` overrides the message's key."""
        transport = RecordingTransport(OK)
        make(transport).send(attrs.evolve(MESSAGE, idempotency_key="order-7"), idempotency_key="order-8")
        assert self.keys(transport) == ["order-8"]

    def test_resolves_an_unknown_outcome(self) -> None:
        """Sending again with the error's key repeats the same logical mail."""
        transport = RecordingTransport(TransportFailure(Phase.SENT, "Lost."), OK)
        mailer = make(transport)
        with pytest.raises(MaybeSent) as caught:
            mailer.send(MESSAGE)
        assert caught.value.retriable
        mailer.send(MESSAGE, idempotency_key=caught.value.idempotency_key)
        first, second = self.keys(transport)
        assert first == second == caught.value.idempotency_key
        assert b"".join(transport.requests[0].body) == b"".join(transport.requests[1].body)

    def test_is_absent_where_it_is_no_use(self) -> None:
        """A provider without keys is sent none, and an unknown outcome is not to be repeated."""
        transport = RecordingTransport(OK, TransportFailure(Phase.SENT, "Lost."))
        mailer = make(transport, idempotency=None, capabilities=without(Capability.IDEMPOTENCY_KEY))
        assert mailer.send(MESSAGE).idempotency_key is None
        with pytest.raises(MaybeSent) as caught:
            mailer.send(MESSAGE)
        assert self.keys(transport) == [None, None]
        assert (caught.value.idempotency_key, caught.value.retriable) == (None, False)


class TestConstruction:
    """A mailer that cannot work is not made."""

    def test_missing_key_names_every_spelling(self) -> None:
        """The error says where the option is looked for."""
        with pytest.raises(MissingOption, match="MAILCORE_FAKE_API_KEY or FAKE_API_KEY") as caught:
            Mailer.from_config({"provider": "fake"}, environ={}, host=host())
        assert "api_key=" in str(caught.value)

    @pytest.mark.parametrize("config", [{}, {"provider": ""}, {"provider": None}, {"provider": 5}])
    def test_no_provider(self, config: Mapping[str, Any]) -> None:
        """The error names what there is."""
        with pytest.raises(ConfigurationError, match=r"no 'provider'\. Available: fake"):
            Mailer.from_config(config, environ={}, host=host())

    def test_unknown_provider(self) -> None:
        """The error names the nearest one."""
        with pytest.raises(UnknownProvider, match="Did you mean 'fake'"):
            Mailer.from_config({"provider": "fale"}, environ={}, host=host())

    def test_repr_shows_no_secret(self) -> None:
        """Nothing of the options is in the repr."""
        assert repr(make(RecordingTransport())) == "Mailer('default', provider='fake')"


class TestTransport:
    """What carries the requests."""

    def test_is_made_when_needed_and_kept(self) -> None:
        """A mailer that never sends opens nothing; one that sends twice has one transport."""
        providers = PluginHost({"builtin": mailcore.providers}, installed=False)
        mailer = Mailer.from_config({"provider": "memory"}, environ={}, host=providers)
        assert mailer._carrier._made == {}
        mailer.send(MESSAGE)
        mailer.send(MESSAGE)
        assert len(mailer._carrier._made) == 1
        assert len(outbox(mailer)) == 2

    def test_header_without_a_value(self) -> None:
        """A request is complete: an absent header is left out, and never goes out as `None`."""
        with pytest.raises(TypeError, match="X-Key holds NoneType"):
            HttpRequest(method="POST", url="https://api.example.com", headers=[("X-Key", None)])  # type: ignore[list-item]  # reason: the mistake

    def test_unknown_type_of_request(self) -> None:
        """A request nobody carries is said to be one, before anything is sent."""
        mailer = Mailer.from_config({"provider": "fake", "api_key": "k"}, environ={}, host=host())
        with pytest.raises(ConfigurationError, match="No transport carries SimpleNamespace"):
            mailer.send(attrs.evolve(MESSAGE, subject="pigeon"))

    @pytest.mark.rule("N-G2")
    def test_is_closed_with_the_mailer(self) -> None:
        """Leaving the block closes what the mailer made; what it was given stays open."""
        made, given = RecordingTransport(OK), RecordingTransport(OK)
        with make(given) as mailer:
            mailer._carrier._made[HttpRequest] = made
        assert (made.closed, given.closed) == (1, 0)

    def test_interrupted_before_anything_is_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What stops the checks of a message passes as it is."""

        def stop(*_: object) -> Sequence[Advice]:
            raise KeyboardInterrupt

        monkeypatch.setattr(FakeAdapter, "advise", stop)
        with pytest.raises(KeyboardInterrupt):
            make(RecordingTransport(OK)).send(MESSAGE)

    def test_echo_of_the_token_is_masked(self) -> None:
        """A provider that says the token back does not get it into an error, a log or a queue."""
        echo = HttpResponse(status=400, headers={"X-Token": "canary"}, body=b'{"error": "Bad token canary"}')
        told: list[HttpResponse] = []

        class Secretive(RecordingTransport):
            def exchange(self, request: Any, *, deadline: Any) -> Any:
                told.append(super().exchange(request, deadline=deadline))
                return told[-1]

        carrier = make(Secretive(echo))._carrier
        asked = HttpRequest(method="POST", url="https://api.example.com", headers=[("X", Secret("canary"))])
        answered = carrier.run(alone(asked))
        assert (answered.body, answered.headers["X-Token"]) == (b'{"error": "Bad token ****"}', "****")
        assert told == [echo]

    def test_echo_of_a_part_of_a_header_is_masked(self) -> None:
        """A token that is sent within a header's value is known from the options."""
        echo = HttpResponse(status=400, body=b'{"error": "Bad token canary-token; nobody knows canary"}')
        mailer = make(RecordingTransport(echo), config={"api_key": "canary-token"})
        asked = HttpRequest(
            method="POST", url="https://api.example.com", headers=[("X", Secret("canary-token").as_bearer())]
        )
        assert b"canary-token" not in mailer._carrier.run(alone(asked)).body

    def test_echo_over_smtp_is_masked(self) -> None:
        """Nor does a mail server's, in any form in which the password was said."""
        password = Secret("canary")
        forms = [form.reveal() for form in (password, password.as_plain("ada"), password.as_login())]
        text = " ".join(forms)
        echo = SmtpResponse(code=535, text=text, command="AUTH", refused={"c@d.example": (550, text)})
        asked = SmtpRequest(
            server="mail.example:587", username="ada", password=password,
            mail_from="a@b.example", rcpt_to=["c@d.example"], data=b"",
        )  # fmt: skip
        answered = make(RecordingTransport(echo))._carrier.run(alone(asked))
        assert (answered.text, answered.refused["c@d.example"][1]) == ("**** **** ****",) * 2

    def test_short_secret_masks_no_answer(self) -> None:
        """What is in an answer by chance stays there."""
        answer = HttpResponse(status=200, body=b'{"id": "1"}')
        mailer = make(RecordingTransport(answer), config={"api_key": "1"})
        asked = HttpRequest(method="GET", url="https://api.example.com")
        assert mailer._carrier.run(alone(asked)) == answer

    @pytest.mark.rule("N-G1")
    def test_is_given_the_deadline(self) -> None:
        """Every exchange is bounded by what the settings say, 30 seconds unless they do."""
        left: list[float] = []

        class Timed(RecordingTransport):
            def exchange(self, request: Any, *, deadline: Any) -> Any:
                left.append(deadline.remaining())
                return super().exchange(request, deadline=deadline)

        make(Timed(OK)).send(MESSAGE)
        make(Timed(OK), config={"deadline": 7}).send(MESSAGE)
        assert 29 < left[0] <= 30
        assert 6 < left[1] <= 7


class TestObservers:
    """What plugins hear of a send."""

    def test_order(self) -> None:
        """Request, answer, end; each with the provider's and the mailer's name."""
        heard: list[tuple[str, ...]] = []
        observer = Plugin(
            mailcore_request_prepared=lambda provider, mailer, request: heard.append(
                ("request", provider, mailer)
            ),
            mailcore_response_received=lambda provider, mailer, response: heard.append(
                ("response", provider, mailer)
            ),
            mailcore_send_finished=lambda provider, mailer, result: heard.append(("end", provider, mailer)),
        )
        mailer = Mailer.from_config(
            {"provider": "fake", "api_key": "k"},
            environ={}, host=host(observer), name="main", transport=RecordingTransport(OK),
        )  # fmt: skip
        mailer.send(MESSAGE)
        assert heard == [("request", "fake", "main"), ("response", "fake", "main"), ("end", "fake", "main")]

    @pytest.mark.parametrize("answer", [OK, HttpResponse(status=500)])
    def test_exactly_one_of_result_and_error(self, answer: HttpResponse) -> None:
        """A send ends once, in one of the two."""
        finished = Finished()
        mailer = make(RecordingTransport(answer), finished.plugin)
        with contextlib.suppress(SendError):
            mailer.send(MESSAGE)
        ((result, error),) = finished.seen
        assert (result is None) is not (error is None)

    @pytest.mark.rule("N-G10")
    def test_secrets_stay_hidden(self) -> None:
        """A prepared request shows names of headers, and no credential."""
        shown: list[str] = []
        observer = Plugin(mailcore_request_prepared=lambda request: shown.append(f"{request!r} {request}"))
        make(RecordingTransport(OK), observer).send(MESSAGE)
        assert "Authorization" in shown[0]
        assert "canary" not in shown[0]
