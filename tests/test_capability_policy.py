"""What a message asks for, against what the provider can carry."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from mailcore import (
    AdapterSpec,
    Address,
    Advice,
    Attachment,
    Capability,
    ConfigurationError,
    Context,
    Level,
    Message,
    PluginHost,
    Support,
    UnsupportedFeature,
)
from mailcore._policy import _USES, apply_advice, apply_capabilities, limits
from mailcore_mailpace import mailcore_register_adapters
from mailcore_mailpace._adapter import MailPaceAdapter
from mailcore_mailpace._options import MailPaceOptions

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
NOBODY = PluginHost(installed=False)
BASE = Message(from_="s@x", to="r@x", text=".")
FILE = Attachment(content=b"a", filename="a.png")
IMAGE = Attachment(content=b"a", filename="a.png", content_id="a")

#: Capability, fields that use it, and the field without it; None: never left out.
USES: list[tuple[Capability, dict[str, Any], Any]] = [
    (Capability.HTML, {"html": "."}, [None]),
    (Capability.AMP_HTML, {"amp_html": "."}, [None]),
    (Capability.CC, {"cc": "c@x"}, None),
    (Capability.BCC, {"bcc": "c@x"}, None),
    pytest.param(
        Capability.MULTIPLE_FROM, {"from_": ["a@x", "b@x"]}, [(Address("a@x"),)],
        marks=pytest.mark.rule("N-A18"),
    ),
    (Capability.REPLY_TO, {"reply_to": "a@x"}, [()]),
    pytest.param(
        Capability.MULTIPLE_REPLY_TO, {"reply_to": ["a@x", "b@x"]}, [(Address("a@x"),)],
        marks=pytest.mark.rule("N-C8"),
    ),
    (Capability.HEADERS, {"headers": {"X-A": "1"}}, [{}]),
    (Capability.IN_REPLY_TO, {"in_reply_to": "a@x"}, [None]),
    (Capability.REFERENCES, {"references": "a@x"}, [()]),
    (Capability.LIST_UNSUBSCRIBE, {"list_unsubscribe": "https://x/"}, [()]),
    (Capability.ATTACHMENTS, {"attachments": FILE}, [()]),
    (Capability.INLINE_IMAGES, {"attachments": [IMAGE, FILE]}, [(FILE, FILE)]),
    (Capability.TAGS, {"tags": "a"}, [()]),
    (Capability.METADATA, {"metadata": {"a": 1}}, [{}]),
    (Capability.TEMPLATE, {"template_id": "a"}, None),
    pytest.param(Capability.MERGE_DATA, {"merge_data": {}}, None, marks=pytest.mark.rule("N-F4")),
    (Capability.MERGE_METADATA, {"merge_metadata": {}}, None),
    (Capability.MERGE_HEADERS, {"merge_headers": {}}, None),
    (Capability.MERGE_GLOBAL_DATA, {"merge_global_data": {"a": 1}}, [{}]),
    (Capability.SCHEDULE, {"send_at": NOON}, None),
    (Capability.ENVELOPE_SENDER, {"envelope_sender": "b@x"}, [None]),
    (Capability.TRACK_OPENS, {"track_opens": True}, [None]),
    (Capability.TRACK_CLICKS, {"track_clicks": True}, [None]),
    (Capability.IDEMPOTENCY_KEY, {"idempotency_key": "a"}, None),
]  # fmt: skip

each_use = pytest.mark.parametrize("capability, given, without", USES, ids=lambda value: str(value)[:24])


def applied(asked: Message, table: AdapterSpec, policy: Any) -> tuple[Message, tuple[str, ...]]:
    """Apply what a provider can carry, as a mailer does."""
    return apply_capabilities(asked, table, policy, limits(table), NOBODY)


def spec(*missing: Capability, **limits: Support) -> AdapterSpec:
    """Return a provider that can do all but what is missing, within limits given by member name."""
    table = {capability: Support() for capability in Capability if capability not in missing}
    table.update({Capability[name]: support for name, support in limits.items()})
    return AdapterSpec(name="paper", title="Paper", factory="a:A", options="a:O", capabilities=table)


def message(**given: Any) -> Message:
    """Return a complete, resolved message."""
    return attrs.evolve(BASE, **given).resolve()


class TestEachCapability:
    """Refused, left out or passed on, one capability at a time."""

    def test_all_are_here(self) -> None:
        """The table below speaks of every capability that a message can use."""
        here = [getattr(use, "values", use)[0] for use in USES]
        assert here == list(_USES)
        about_answers = {"send.batch", "send.message_id", "send.recipient_status"}
        assert {item for item in Capability if item.startswith("send.")} - set(here) == about_answers

    @each_use
    def test_supported(self, capability: Capability, given: dict[str, Any], without: Any) -> None:
        """What the provider can carry passes unchanged."""
        asked = message(**given)
        assert applied(asked, spec(), "raise") == (asked, ())

    @pytest.mark.rule("N-F1")
    @each_use
    @pytest.mark.parametrize("level", [None, Level.UNSUPPORTED, Level.NOT_IMPLEMENTED])
    def test_refused(
        self, capability: Capability, given: dict[str, Any], without: Any, level: Level | None
    ) -> None:
        """The error names field, provider, capability and the way out."""
        table = (
            spec(capability) if level is None else spec(**{capability.name: Support(level=level, note="So.")})
        )
        with pytest.raises(UnsupportedFeature) as caught:
            applied(message(**given), table, "raise")
        assert (caught.value.field, caught.value.provider) == (next(iter(given)), "paper")
        for word in ("Paper", str(capability), "mailcore providers --can", "So." if level else ""):
            assert word in str(caught.value)

    @pytest.mark.rule("N-F3")
    @each_use
    @pytest.mark.parametrize("policy", ["drop", "warn"])
    def test_left_out(
        self, capability: Capability, given: dict[str, Any], without: Any, policy: Any,
        caplog: pytest.LogCaptureFixture
    ) -> None:  # fmt: skip
        """On request a field is left out and named, unless that would make it another mail."""
        field, asked = next(iter(given)), message(**given)
        if without is None:
            assert _USES[capability].reduced is None
            with pytest.raises(UnsupportedFeature):
                applied(asked, spec(capability), policy)
            return
        with caplog.at_level(logging.WARNING):
            found, dropped = applied(asked, spec(capability), policy)
        assert dropped == (field,)
        plain = getattr(found, field)
        assert plain == without[0] or [item.inline for item in plain] == [False, False]
        assert found == attrs.evolve(asked, **{field: plain})
        assert ("left out" in caplog.text) == (policy == "warn")


class TestLimits:
    """More than can be communicated."""

    LIMITED = Support(level=Level.LIMITED, limit=1)

    @pytest.mark.parametrize(
        "name, given, left",
        [
            ("TAGS", {"tags": ["a", "b"]}, ("a",)),
            ("ATTACHMENTS", {"attachments": [FILE, FILE]}, (FILE,)),
        ],
    )
    def test_first_ones(self, name: str, given: dict[str, Any], left: Any) -> None:
        """A list is cut to what fits on request, and refused otherwise."""
        table = spec(**{name: self.LIMITED})
        found, dropped = applied(message(**given), table, "drop")
        assert (getattr(found, dropped[0]), dropped) == (left, tuple(given))
        with pytest.raises(UnsupportedFeature, match="at most 1 in"):
            applied(message(**given), table, "raise")
        assert applied(found, table, "raise") == (found, ())

    def test_key_is_never_cut(self) -> None:
        """Half a key would be another key."""
        with pytest.raises(UnsupportedFeature):
            applied(message(idempotency_key="ab"), spec(IDEMPOTENCY_KEY=self.LIMITED), "drop")

    def test_two_capabilities_of_one_field(self) -> None:
        """What is left satisfies both."""
        table = spec(Capability.INLINE_IMAGES, ATTACHMENTS=self.LIMITED)
        found, dropped = applied(message(attachments=[IMAGE, IMAGE]), table, "drop")
        assert [item.inline for item in found.attachments] == [False]
        assert dropped == ("attachments",)

    def test_nothing_left(self) -> None:
        """A mail is not reduced to an empty one."""
        with pytest.raises(UnsupportedFeature, match="all there is"):
            applied(message(text=None, html="."), spec(Capability.HTML), "drop")


class TestTable:
    """Capabilities as a provider declares them."""

    def test_names(self) -> None:
        """Names are text too; an unknown one is refused where the provider is declared."""
        table = AdapterSpec(name="a", factory="a:A", options="a:O", capabilities={"send.tags": Support()})
        assert list(table.capabilities) == [Capability.TAGS]
        with pytest.raises(ConfigurationError, match=r"send.wings"):
            AdapterSpec(name="a", factory="a:A", options="a:O", capabilities={"send.wings": Support()})

    @pytest.mark.parametrize("level, usable", list(zip(Level, [True, True, False, False], strict=True)))
    def test_usable(self, level: Level, usable: bool) -> None:
        """Two levels let a message use it."""
        assert Support(level=level).usable == usable


class TestAdvice:
    """Policies of the provider, who has the last word."""

    ADVICE = (Advice(code="a", field="to", text="Too many."),)

    @pytest.mark.rule("N-F1")
    def test_policies(self, caplog: pytest.LogCaptureFixture) -> None:
        """Warned about or raised; a mailer that ignores advice asks for none."""
        apply_advice(self.ADVICE, spec(), "warn")
        assert "Paper may refuse this message: Too many." in caplog.text
        with pytest.raises(UnsupportedFeature, match="Too many") as caught:
            apply_advice(self.ADVICE, spec(), "raise")
        assert caught.value.field == "to"


class TestPayload:
    """The same rules in the request that a provider sees."""

    def payload(self, **given: Any) -> dict[str, Any]:
        """Return MailPace's document for a message that passed the policy."""
        (mailpace,) = mailcore_register_adapters()
        asked, _ = applied(message(**given), mailpace, "raise")
        context = Context(now=NOON, created=NOON, unique="u")
        request = MailPaceAdapter(MailPaceOptions(api_key="k")).build_send(asked, context)
        return json.loads(b"".join(request.body))

    @pytest.mark.rule("N-A16", "N-B1", "N-B5")
    @pytest.mark.parametrize(
        "empty", [{}, {"cc": [], "bcc": None, "reply_to": "nobody:;", "tags": [], "subject": ""}]
    )
    def test_absent(self, empty: dict[str, Any]) -> None:
        """What is not given or empty is no key."""
        assert self.payload(**empty) == {"from": "s@x", "to": "r@x", "textbody": "."}
        assert "textbody" not in self.payload(text="", html=".", **empty)

    @pytest.mark.rule("N-C8")
    def test_reply_addresses(self) -> None:
        """More than the provider can carry are refused, not cut."""
        assert self.payload(reply_to="a@x")["replyto"] == "a@x"
        with pytest.raises(UnsupportedFeature) as caught:
            self.payload(reply_to=["a@x", "b@x"])
        assert caught.value.field == "reply_to"

    @pytest.mark.rule("N-D1", "N-D5")
    def test_attachments(self) -> None:
        """Each has a name, and the inline one the id that HTML refers to."""
        first, second = self.payload(attachments=[Attachment(content=b"a"), IMAGE])["attachments"]
        assert first["name"]
        assert "cid" not in first
        assert second["cid"] == "<a>"

    @pytest.mark.rule("N-D7", "N-F2")
    def test_inline_without_id(self) -> None:
        """An inline image that nothing can show is refused, not lost."""
        with pytest.raises(UnsupportedFeature) as caught:
            self.payload(attachments=Attachment(content=b"a", inline=True))
        assert caught.value.field == "attachments"

    @pytest.mark.rule("N-A15")
    def test_without_to(self) -> None:
        """A provider that needs `to` refuses mail without it."""
        with pytest.raises(UnsupportedFeature) as caught:
            self.payload(to=None, cc="c@x")
        assert caught.value.field == "to"
