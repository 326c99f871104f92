"""Plugins change or stop a message, one after the other; observers only look on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import attrs
import pytest

import mailcore.providers
from mailcore import (
    ConfigurationError,
    InvalidMessage,
    Mailer,
    Message,
    PluginHost,
    SendCancelled,
    UnsupportedFeature,
    hookimpl,
)
from mailcore.testing import outbox

MESSAGE = Message(from_="ada@example.com", to=["bob@example.com"], subject="-", text="Hello")


class Appending:
    """Append a letter to the subject."""

    def __init__(self, letter: str, **order: bool) -> None:
        def mailcore_before_send(message: Message) -> Message:
            return attrs.evolve(message, subject=f"{message.subject}{letter}")

        self.mailcore_before_send = hookimpl(mailcore_before_send, **order)


class Calling:
    """Call a function in one hook."""

    def __init__(self, hook: str, function: Callable[..., Any]) -> None:
        setattr(self, hook, hookimpl(function))


def make(plugins: dict[str, object], **config: Any) -> Mailer:
    """Return a memory mailer with these plugins, in the order they load."""
    host = PluginHost({"builtin": mailcore.providers, **plugins}, installed=False)
    return Mailer.from_config({"provider": "memory", **config}, environ={}, host=host)


class TestChain:
    """The order in which plugins have their say."""

    @pytest.mark.parametrize(
        "plugins,expected",
        [
            ({"b": Appending("b"), "a": Appending("a"), "c": Appending("c")}, "-abc"),
            ({"a": Appending("a", trylast=True), "b": Appending("b")}, "-ba"),
            ({"a": Appending("a"), "b": Appending("b", tryfirst=True)}, "-ba"),
            (
                {
                    "d": Appending("d", tryfirst=True),
                    "c": Appending("c", trylast=True),
                    "b": Appending("b", trylast=True),
                    "a": Appending("a"),
                    "e": Appending("e", tryfirst=True),
                },
                "-deabc",
            ),
        ],
    )
    def test_order(self, plugins: dict[str, object], expected: str) -> None:
        """By plugin name, with `tryfirst` before and `trylast` after the others."""
        mailer = make(plugins)
        mailer.send(MESSAGE)
        assert [kept.subject for kept in outbox(mailer)] == [expected]

    def test_order_is_not_that_of_loading(self) -> None:
        """The same plugins change a message in the same way, however they were found."""
        names = "dbca"
        for order in (names, names[::-1]):
            mailer = make({name: Appending(name) for name in order})
            mailer.send(MESSAGE)
            assert outbox(mailer)[0].subject == "-abcd"

    def test_none_leaves_the_message(self) -> None:
        """A plugin that returns nothing changes nothing."""
        seen: list[Message] = []
        mailer = make(
            {
                "a": Appending("a"),
                "b": Calling("mailcore_before_send", lambda message: None),
                "c": Calling("mailcore_before_send", lambda message: seen.append(message) or None),
            }
        )
        mailer.send(MESSAGE)
        assert [message.subject for message in seen] == ["-a"]
        assert outbox(mailer)[0].subject == "-a"

    def test_is_told_who_sends(self) -> None:
        """A plugin knows the provider and the mailer."""
        told: list[tuple[str, str]] = []
        host = PluginHost(
            {
                "builtin": mailcore.providers,
                "a": Calling(
                    "mailcore_before_send", lambda provider, mailer: told.append((provider, mailer)) or None
                ),
            },
            installed=False,
        )
        Mailer.from_config({"provider": "memory"}, environ={}, host=host, name="main").send(MESSAGE)
        assert told == [("memory", "main")]

    def test_comes_after_the_defaults(self) -> None:
        """A plugin sees a complete message, and what it takes away stays away."""
        plugin = Calling("mailcore_before_send", lambda message: attrs.evolve(message, tags=message.tags[1:]))
        mailer = make({"a": plugin}, defaults={"tags": ["x", "y"]})
        mailer.send(MESSAGE)
        assert outbox(mailer)[0].tags == ("y",)

    @pytest.mark.parametrize(
        "changes,expected",
        [({"to": []}, InvalidMessage), ({"from_": None}, InvalidMessage), ({"text": ""}, InvalidMessage)],
    )
    def test_comes_before_the_checks(self, changes: dict[str, Any], expected: type[Exception]) -> None:
        """What a plugin breaks is refused like what a caller breaks."""
        mailer = make(
            {"a": Calling("mailcore_before_send", lambda message: attrs.evolve(message, **changes))}
        )
        with pytest.raises(expected):
            mailer.send(MESSAGE)
        assert outbox(mailer) == []

    def test_may_complete_a_message(self) -> None:
        """A plugin is asked before the message must be complete, and may supply what it lacks."""

        def address(message: Message) -> Message:
            return attrs.evolve(message, to="bob@example.com")

        mailer = make({"a": Calling("mailcore_before_send", address)})
        result = mailer.send(Message(from_="ada@example.com", text="Hello"))
        assert list(result.recipients) == ["bob@example.com"]

    def test_finished_tells_what_was_sent(self) -> None:
        """Observers are given the message as plugins and defaults made it, however the send ended."""
        told: list[Message] = []

        def finished(message: Message) -> None:
            told.append(message)

        plugins = {"a": Appending("a"), "b": Calling("mailcore_send_finished", finished)}
        make(plugins).send(MESSAGE)
        make(plugins).send_many([MESSAGE])
        assert [str(message.subject)[-2:] for message in told] == ["-a", "-a"]

    def test_wrapper(self) -> None:
        """A wrapper, which pluggy alone knows how to call, is called by it."""
        around: list[str] = []

        class Wrapping:
            @hookimpl(wrapper=True)
            def mailcore_before_send(self, message: Message) -> Generator[None, Any, Any]:
                around.append("before")
                found = yield
                around.append("after")
                return found

        mailer = make({"a": Wrapping(), "b": Appending("b")})
        mailer.send(MESSAGE)
        assert around == ["before", "after"]
        assert outbox(mailer)[0].subject == "-b"


class TestStopping:
    """Plugins that do not let a message pass."""

    def test_cancelled(self) -> None:
        """The error reaches the caller, and no later plugin is asked."""

        def cancel(message: Message) -> None:
            raise SendCancelled("Not on Sundays.")

        asked: list[Message] = []
        later = Calling("mailcore_before_send", lambda message: asked.append(message) or None)
        mailer = make({"a": Calling("mailcore_before_send", cancel), "b": later})
        with pytest.raises(SendCancelled, match="Sundays"):
            mailer.send(MESSAGE)
        assert asked == []
        assert outbox(mailer) == []

    def test_cancelled_among_many(self) -> None:
        """One message is cancelled, and the others are sent."""

        def cancel(message: Message) -> None:
            if message.subject == "no":
                raise SendCancelled("No.")

        mailer = make({"a": Calling("mailcore_before_send", cancel)})
        outcomes = mailer.send_many([MESSAGE, attrs.evolve(MESSAGE, subject="no"), MESSAGE])
        assert [type(outcome.error) for outcome in outcomes] == [type(None), SendCancelled, type(None)]

    def test_one_that_breaks(self) -> None:
        """A plugin that breaks does not let the message pass unchanged, and is named."""

        def broken(message: Message) -> None:
            raise LookupError("The list of those who said no is gone.")

        mailer = make({"a": Calling("mailcore_before_send", broken)})
        with pytest.raises(SendCancelled, match=r"The plugin a failed .* LookupError: The list") as caught:
            mailer.send(MESSAGE)
        assert isinstance(caught.value.__cause__, LookupError)
        assert outbox(mailer) == []

    @pytest.mark.parametrize("garbage", [True, "text", {}, [MESSAGE]])
    def test_garbage(self, garbage: object) -> None:
        """A plugin that returns something else is named."""
        mailer = make({"odd": Calling("mailcore_before_send", lambda message: garbage)})
        with pytest.raises(ConfigurationError, match="plugin odd returned"):
            mailer.send(MESSAGE)
        assert outbox(mailer) == []


class TestObservers:
    """Plugins that look on."""

    HOOKS = ("mailcore_request_prepared", "mailcore_response_received", "mailcore_send_finished")

    @pytest.mark.parametrize("hook", HOOKS)
    def test_one_that_raises_stops_nobody(self, hook: str, caplog: pytest.LogCaptureFixture) -> None:
        """Its error is logged with its name; the others are told, and the mail is sent."""
        told: list[str] = []

        def broken(provider: str) -> None:
            raise LookupError(hook)

        mailer = make(
            {
                "a": Calling(hook, lambda provider: told.append("a")),
                "b": Calling(hook, broken),
                "c": Calling(hook, lambda provider: told.append("c")),
            }
        )
        with caplog.at_level(logging.ERROR, "mailcore.plugins"):
            mailer.send(MESSAGE)
        assert told == ["a", "c"]
        assert len(outbox(mailer)) == 1
        (record,) = caplog.records
        assert record.getMessage() == f"The plugin b raised in {hook}; it was ignored."
        assert record.exc_info is not None
        assert record.exc_info[0] is LookupError

    def test_what_they_return_is_ignored(self) -> None:
        """An observer cannot change anything."""
        mailer = make(
            {hook: Calling(hook, lambda: UnsupportedFeature("x", field="y")) for hook in self.HOOKS}
        )
        assert mailer.send(MESSAGE).message_id

    def test_one_that_raises_hides_no_error(self) -> None:
        """The caller gets the send's own error."""

        def broken(error: object) -> None:
            raise LookupError

        mailer = make({"a": Calling("mailcore_send_finished", broken)})
        with pytest.raises(InvalidMessage):
            mailer.send(Message(to="bob@example.com", text="x"))

    def test_same_hook_in_every_plugin(self) -> None:
        """Each plugin is told once."""
        told: list[str] = []
        plugins: dict[str, object] = {
            name: Calling("mailcore_send_finished", lambda result, name=name: told.append(name))
            for name in "cab"
        }
        make(plugins).send(MESSAGE)
        assert told == ["a", "b", "c"]
