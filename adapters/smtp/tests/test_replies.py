"""What a server's last word means, also where it is odd."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import (
    MaybeSent,
    Message,
    NotAccepted,
    Phase,
    RecipientRejected,
    SendError,
    SmtpResponse,
    TransportFailure,
)
from mailcore.testing import RecordingTransport

MESSAGE = Message(
    from_="ada@example.com", to=["bob@example.com", "Bób <böb@EXÄMPLE.com>"], bcc="eve@example.com", text="Hi"
)
COMMANDS = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".")


class TestRecipients:
    """Each one's own answer."""

    def test_as_they_were_sent(self, make_mailer: Any) -> None:
        """The server speaks of an address in its ASCII form, the result of the one that was given."""
        answer = SmtpResponse(code=250, refused={"böb@xn--exmple-cua.com": (550, "No")})
        found = make_mailer(RecordingTransport(answer)).send(MESSAGE)
        assert {name: row.status.value for name, row in found.recipients.items()} == {
            "bob@example.com": "queued",
            "böb@EXÄMPLE.com": "rejected",
            "eve@example.com": "queued",
        }

    def test_a_server_that_contradicts_itself(self, make_mailer: Any) -> None:
        """A yes to a mail that nobody gets is no acceptance."""
        refused = {address.ascii_spec: (550, "No") for address in MESSAGE.recipients}
        with pytest.raises(RecipientRejected):
            make_mailer(RecordingTransport(SmtpResponse(code=250, refused=refused))).send(MESSAGE)

    def test_one_for_good_one_for_now(self, make_mailer: Any) -> None:
        """As long as one may be taken later, the mail is worth a repeat."""
        refused = {"bob@example.com": (450, "Later"), "eve@example.com": (550, "Never")}
        answer = SmtpResponse(code=550, text="Never", command="RCPT", refused=refused)
        with pytest.raises(NotAccepted) as caught:
            make_mailer(RecordingTransport(answer)).send(MESSAGE)
        assert caught.value.retriable

    def test_fields(self, make_mailer: Any) -> None:
        """The error says which field each refused recipient is in."""
        refused = {"bob@example.com": (550, "5.1.1 No"), "eve@example.com": (550, "5.1.1 Nor her")}
        answer = SmtpResponse(code=550, text="5.1.1 Nor her", command="RCPT", refused=refused)
        with pytest.raises(RecipientRejected) as caught:
            make_mailer(RecordingTransport(answer)).send(MESSAGE)
        assert caught.value.fields == {"to": ("550 5.1.1 No",), "bcc": ("550 5.1.1 Nor her",)}
        assert caught.value.response == answer


class TestPhases:
    """What a dialogue that breaks off proves."""

    @pytest.mark.parametrize(
        "phase, cls",
        [
            (Phase.SENDING, NotAccepted),
            (Phase.SENT, MaybeSent),
            (Phase.RECEIVING, MaybeSent),
        ],
    )
    def test_cut(self, phase: Phase, cls: type[SendError], make_mailer: Any) -> None:
        """Until its end was sent, a mail was not."""
        with pytest.raises(SendError) as caught:
            make_mailer(RecordingTransport(TransportFailure(phase, "It broke."))).send(MESSAGE)
        assert type(caught.value) is cls


class TestAnything:
    """What nobody thought of."""

    @given(
        code=st.integers(200, 599),
        text=st.text(max_size=40),
        command=st.sampled_from(COMMANDS),
        lacks=st.sampled_from(["", "", "", "DSN", "AUTH"]),
        refused=st.dictionaries(
            st.sampled_from(["bob@example.com", "eve@example.com", "who@example.com"]),
            st.tuples(st.integers(200, 599), st.text(max_size=20)),
        ),
    )
    def test_ends_as_documented(self, make_mailer: Any, **answer: Any) -> None:
        """Any answer ends in a result or an error, and only a yes to the end of the mail in a result."""
        response = SmtpResponse(**answer)
        [outcome] = make_mailer(RecordingTransport(response)).send_many([MESSAGE])
        if outcome.result is None:
            early = response.command != "." or response.lacks
            assert isinstance(outcome.error, SendError)
            assert not (early and isinstance(outcome.error, MaybeSent))
            assert len(str(outcome.error).splitlines()) == 1
        else:
            assert (response.command, response.code // 100) == (".", 2)
            assert set(outcome.result.recipients) == {address.addr_spec for address in MESSAGE.recipients}
