"""A mailer made of mailers: who is tried next, who is left alone, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Any, Self

import pytest

from mailcore import (
    AccountProblem,
    AsyncMailer,
    AsyncMailerGroup,
    AsyncMailers,
    AuthenticationFailed,
    ConfigurationError,
    InvalidMessage,
    LocalRequest,
    Mailer,
    MailerGroup,
    Mailers,
    MaybeSent,
    Message,
    NotAccepted,
    Outcome,
    PluginHost,
    RecipientRejected,
    Rejected,
    Scope,
    SendError,
    SendResult,
    ServiceUnavailable,
    TLSFailure,
    UnknownOption,
    UnsupportedFeature,
)
from mailcore.testing import RecordingTransport, outbox

MESSAGE = Message(from_="ada@example.com", to="bob@example.com", text="Hello")


class Clock:
    """A clock that goes when told to."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Waiting:
    """Wait, in an event loop, for what an asynchronous object does; the rest is the object's own."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not iscoroutinefunction(found):
            return found
        return lambda *arguments, **options: asyncio.run(found(*arguments, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run(self.inner.close())


class AsyncRecording(RecordingTransport):
    """The same, for a loop."""

    async def exchange(self, request: Any, *, deadline: Any) -> Any:
        """Answer from the script."""
        return super().exchange(request, deadline=deadline)


#: Whether the groups of this run are asynchronous ones.
LOOP = {"on": False}


@pytest.fixture(autouse=True, params=[False, True], ids=["plain", "asynchronous"])
def _kind(request: pytest.FixtureRequest) -> None:
    """Run each test with both kinds of mailers."""
    LOOP["on"] = request.param


def mailer(host: PluginHost, name: str, *errors: Exception) -> Any:
    """Return a mailer that fails with these errors, and then sends to its outbox."""
    config = {"provider": "memory", "max_attempts": 1}
    kind, recording = (AsyncMailer, AsyncRecording) if LOOP["on"] else (Mailer, RecordingTransport)
    transport: Any = recording(*errors) if errors else None
    return kind.from_config(config, environ={}, host=host, name=name, transport=transport)


def group(host: PluginHost, *members: Any, **options: Any) -> tuple[Any, list[Any]]:
    """Return a group of mailers that fail with these errors (None: that send), and the mailers."""
    made = [
        mailer(host, f"mailer-{number}", *([] if error is None else [error]))
        for number, error in enumerate(members)
    ]
    if LOOP["on"]:
        return Waiting(AsyncMailerGroup(made, **options)), made
    return MailerGroup(made, **options), made


def named(tables: Mapping[str, Any], host: PluginHost) -> Any:
    """Return named mailers."""
    return (AsyncMailers if LOOP["on"] else Mailers)(tables, environ={}, host=host)


def send(found: Any) -> Any:
    """Send through a mailer, or a group of them."""
    return (Waiting(found) if LOOP["on"] else found).send(MESSAGE)


def sent(found: Any) -> int:
    """Return how many mails a mailer sent."""
    return len(outbox(found))


class TestMovesOn:
    """When the next mailer is tried."""

    @pytest.mark.parametrize(
        "error",
        [
            ServiceUnavailable("down"),
            TLSFailure("not trusted"),
            AuthenticationFailed("bad token"),
            AccountProblem("no plan"),
            Rejected("our fault", scope=Scope.PROVIDER),
        ],
        ids=lambda error: f"{type(error).__name__}-{error.scope.value}",
    )
    def test_where_it_was_not_taken(self, error: SendError, host: PluginHost) -> None:
        """Not accepted, or rejected for a reason that is not the message's."""
        found, (_, second) = group(host, error, None)
        result = found.send(MESSAGE)
        assert [attempt.outcome for attempt in result.attempts] == [error.outcome, Outcome.ACCEPTED]
        assert sent(second) == 1

    @pytest.mark.parametrize("error", [Rejected("no"), RecipientRejected("unknown")])
    def test_not_where_the_message_is_wrong(self, error: SendError, host: PluginHost) -> None:
        """Another provider would say no as well, or take what this one knows to be bad."""
        found, (_, second) = group(host, error, None)
        with pytest.raises(type(error)):
            found.send(MESSAGE)
        assert sent(second) == 0

    def test_not_where_it_may_have_been_sent(self, host: PluginHost) -> None:
        """No key stops another provider from sending it twice."""
        found, (_, second) = group(host, MaybeSent("lost"), None)
        with pytest.raises(MaybeSent):
            found.send(MESSAGE)
        assert sent(second) == 0

    def test_but_where_the_caller_says_so(self, host: PluginHost) -> None:
        """Twice may be better than never."""
        found, (_, second) = group(host, MaybeSent("lost"), None, fail_over_on_unknown=True)
        found.send(MESSAGE)
        assert sent(second) == 1

    def test_to_one_that_can_carry_it(self, host: PluginHost) -> None:
        """A feature that one provider lacks is no matter where the next one has it."""
        found, (_, second) = group(host, UnsupportedFeature("no tags", field="tags"), None)
        found.send(MESSAGE)
        assert sent(second) == 1

    def test_invalid_message_goes_nowhere(self, host: PluginHost) -> None:
        """What is no mail is no mail anywhere."""
        found, made = group(host, None, None)
        with pytest.raises(InvalidMessage):
            found.send(Message(from_="ada@example.com", text="Hello"))
        assert [sent(one) for one in made] == [0, 0]


class TestError:
    """What is told where nobody took it."""

    def test_is_the_last_ones_with_all_attempts(self, host: PluginHost) -> None:
        """The caller sees who was tried."""
        found, _ = group(host, ServiceUnavailable("down"), AccountProblem("no plan"))
        with pytest.raises(AccountProblem) as caught:
            found.send(MESSAGE)
        assert [attempt.error for attempt in caught.value.attempts] == [
            "ServiceUnavailable",
            "AccountProblem",
        ]

    def test_stays_unknown(self, host: PluginHost) -> None:
        """That the second one refused it proves nothing about the first."""
        found, _ = group(host, MaybeSent("lost"), ServiceUnavailable("down"), fail_over_on_unknown=True)
        with pytest.raises(MaybeSent) as caught:
            found.send(MESSAGE)
        assert len(caught.value.attempts) == 2

    def test_nobody_can_carry_it(self, host: PluginHost) -> None:
        """The preferred provider's words come back."""
        first, second = (UnsupportedFeature(f"{name} has no tags", field="tags") for name in "ab")
        found, _ = group(host, first, second)
        with pytest.raises(UnsupportedFeature, match="a has no tags"):
            found.send(MESSAGE)


class TestParked:
    """An account that refuses mail."""

    def test_is_left_alone_for_a_while(self, host: PluginHost) -> None:
        """The next mails do not burn on it, until its time is over."""
        clock = Clock()
        found, (first, _) = group(host, AccountProblem("no plan"), None, clock=clock, park_for=60)
        found.send(MESSAGE)
        assert found.parked == (first,)
        assert len(found.send(MESSAGE).attempts) == 1
        clock.now = 60.0
        assert found.parked == ()
        assert len(found.send(MESSAGE).attempts) == 2

    def test_a_provider_that_is_down_is_not(self, host: PluginHost) -> None:
        """It may be up again for the next mail."""
        found, _ = group(host, ServiceUnavailable("down"), None)
        found.send(MESSAGE)
        assert found.parked == ()

    def test_all_of_them(self, host: PluginHost) -> None:
        """Nothing is tried; the error says that it is safe to repeat, and when."""
        clock = Clock()
        found, _ = group(host, AccountProblem("a"), AuthenticationFailed("b"), clock=clock, park_for=60)
        with pytest.raises(AuthenticationFailed):
            found.send(MESSAGE)
        clock.now = 10.0
        with pytest.raises(NotAccepted, match="parked") as caught:
            found.send(MESSAGE)
        assert (caught.value.scope, caught.value.retriable) == (Scope.ACCOUNT, True)
        assert caught.value.retry_after == 50.0
        assert str(caught.value) == (
            "Nothing was sent: every mailer of 'group' is parked, because its account refused mail. "
            "Mend one of the accounts."
        )

    def test_all_of_them_until_a_moment_ago(self, host: PluginHost) -> None:
        """Where another thread found that the time was over, a repeat need not wait."""
        found, _ = group(host, None)
        error = found._all_parked()
        assert isinstance(error, NotAccepted)
        assert error.retry_after == 0.0

    def test_five_minutes_by_default(self, host: PluginHost) -> None:
        """Time enough for a person to hear of it, and not too long for the mails."""
        clock = Clock()
        found, (first, _) = group(host, AccountProblem("no plan"), None, clock=clock)
        found.send(MESSAGE)
        clock.now = 299.9
        assert found.parked == (first,)
        clock.now = 300.0
        assert found.parked == ()


class TestRoundRobin:
    """Taking turns."""

    def test_each_in_its_turn(self, host: PluginHost) -> None:
        """The load is shared."""
        found, made = group(host, None, None, None, strategy="round-robin")
        for _ in range(7):
            found.send(MESSAGE)
        assert [sent(one) for one in made] == [3, 2, 2]

    def test_in_their_order(self, host: PluginHost) -> None:
        """The second mail goes out through the second mailer."""
        found, made = group(host, None, None, None, strategy="round-robin")
        for _ in range(2):
            found.send(MESSAGE)
        assert [sent(one) for one in made] == [1, 1, 0]

    def test_failover_prefers_the_first(self, host: PluginHost) -> None:
        """Without turns, the others are for bad days."""
        found, made = group(host, None, None)
        for _ in range(3):
            found.send(MESSAGE)
        assert [sent(one) for one in made] == [3, 0]

    def test_many(self, host: PluginHost) -> None:
        """Each message goes its own way, and its outcome stands in its place."""
        found, made = group(host, None, ServiceUnavailable("down"), strategy="round-robin")
        messages = [Message(from_="a@example.com", to=f"n{n}@example.com", text="x") for n in range(6)]
        outcomes = found.send_many(messages, concurrency=3)
        assert [outcome.message for outcome in outcomes] == messages
        assert all(isinstance(outcome.unwrap(), SendResult) for outcome in outcomes)
        assert sent(made[0]) == 6

    def test_preview_is_the_preferred_ones(self, host: PluginHost) -> None:
        """It shows a request and makes none."""
        found, made = group(host, None, None)
        assert found.preview(MESSAGE).commits
        assert [sent(one) for one in made] == [0, 0]

    def test_one_mailer_is_a_group_too(self, host: PluginHost) -> None:
        """It is asked with the caller's key."""
        found, _ = group(host, None)
        request = found.preview(MESSAGE, idempotency_key="order-7")
        assert isinstance(request, LocalRequest)
        assert request.idempotency_key == "order-7"
        assert found.send(MESSAGE, idempotency_key="order-7").idempotency_key == "order-7"
        with pytest.raises(ValueError, match="aware"):
            found.send(MESSAGE, created=datetime(2030, 1, 31))  # noqa: DTZ001  # reason: this is refused

    def test_many_with_one_that_fails(self, host: PluginHost) -> None:
        """Its outcome has the message and the error; the others went out."""
        found, (only,) = group(host, None)
        wrong = Message(from_="ada@example.com", text="Hello")
        good, bad = found.send_many([MESSAGE, wrong])
        assert good.result is not None
        assert (bad.message, bad.result) == (wrong, None)
        assert isinstance(bad.error, InvalidMessage)
        assert sent(only) == 1

    @pytest.mark.parametrize("options, taken", [({}, 8), ({"concurrency": 3}, 3)])
    def test_many_are_taken_as_they_are_sent(
        self, options: dict[str, int], taken: int, host: PluginHost
    ) -> None:
        """No more messages are taken than are under way at once, each by itself."""
        found, _ = group(host, None)
        source = iter([MESSAGE] * 20)
        sending = found.iter_send(source, **options)

        async def begin() -> None:
            await anext(sending)
            assert len(list(source)) == 20 - taken
            await sending.aclose()

        if LOOP["on"]:
            asyncio.run(begin())
        else:
            next(sending)
            assert len(list(source)) == 20 - taken
            sending.close()

    def test_many_at_once_are_the_callers_to_say(self, host: PluginHost) -> None:
        """What makes no sense is refused, as a mailer does."""
        found, _ = group(host, None)
        with pytest.raises(ValueError, match="concurrency"):
            found.send_many([MESSAGE], concurrency=0)


class TestMade:
    """How a group comes to be."""

    def test_needs_a_mailer(self) -> None:
        """None is none."""
        with pytest.raises(ConfigurationError, match=r"^A group needs at least one mailer\.$"):
            (AsyncMailerGroup if LOOP["on"] else MailerGroup)([])

    def test_needs_a_known_strategy(self, host: PluginHost) -> None:
        """A misspelt strategy is not the default."""
        with pytest.raises(ConfigurationError, match="failover, round-robin"):
            group(host, None, strategy="robin")

    def test_closes_its_mailers(self, host: PluginHost) -> None:
        """One `with` is enough."""
        found, made = group(host, None, None)
        with found:
            found.send(MESSAGE)
        shown = repr(found.inner if LOOP["on"] else found)
        assert shown.removeprefix("Async") == "MailerGroup('group', mailer-0, mailer-1)"
        assert found.provider == "memory"
        assert found.mailers == tuple(made)


TABLES: Mapping[str, Any] = {
    "default": "all",
    "mailers": {
        "main": {"provider": "memory"},
        "spare": {"provider": "memory"},
        "all": {"group": ["main", "spare"], "strategy": "round-robin", "park_for": 7},
    },
}


def changed(**tables: Any) -> dict[str, Any]:
    """Return the configuration with other tables."""
    return {**TABLES, "mailers": {**TABLES["mailers"], **tables}}


class TestConfigured:
    """In a file."""

    def test_by_name(self, host: PluginHost) -> None:
        """A group is a mailer among others, made of the very same ones."""
        mailers = named(TABLES, host)
        send(mailers.default)
        send(mailers["all"])
        assert [sent(mailers[name]) for name in ("main", "spare")] == [1, 1]

    def test_may_hold_groups(self, host: PluginHost) -> None:
        """A group has the verbs of a mailer."""
        mailers = named(changed(outer={"group": ["all", "main"]}), host)
        assert send(mailers["outer"]).message_id

    def test_may_not_hold_itself(self, host: PluginHost) -> None:
        """A circle is found."""
        tables = changed(a={"group": ["b"]}, b={"group": ["a"]})
        with pytest.raises(ConfigurationError, match="holds itself"):
            named(tables, host)["a"]

    @pytest.mark.parametrize("names", [[], "main", None, ["nobody"]])
    def test_names_mailers(self, names: Any, host: PluginHost) -> None:
        """The error says which table it is about."""
        with pytest.raises(ConfigurationError, match=r"mailers\.all"):
            named(changed(all={"group": names}), host)["all"]

    def test_unknown_option(self, host: PluginHost) -> None:
        """A misspelt option is no default."""
        with pytest.raises(UnknownOption, match="no option 'provider'"):
            named(changed(all={"group": ["main"], "provider": "memory"}), host)["all"]

    def test_is_no_receiver(self, host: PluginHost) -> None:
        """A webhook comes from one provider."""
        with pytest.raises(ConfigurationError, match="Name one of its mailers"):
            named(TABLES, host).config("all")

    def test_is_checked(self, host: PluginHost) -> None:
        """`check` builds it, and says what is wrong with it."""
        problems = named(changed(all={"group": ["nobody"]}), host).check()
        assert list(problems) == ["all"]
