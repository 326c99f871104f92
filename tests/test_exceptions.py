"""Errors: one tree, ordinary exceptions, and no content in their text."""

from __future__ import annotations

import inspect
import pickle
import re
from copy import copy, deepcopy

import pytest

from mailcore import HttpResponse, Phase, Scope, TransportFailure, exceptions
from mailcore.exceptions import (
    InvalidMessage,
    MailcoreError,
    MaybeSent,
    NotAccepted,
    Outcome,
    Rejected,
    SendError,
    UnsupportedFeature,
)

CLASSES = [
    value
    for value in vars(exceptions).values()
    if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == exceptions.__name__
]
SENDING = [cls for cls in CLASSES if issubclass(cls, SendError)]
each_error = pytest.mark.parametrize("cls", CLASSES)


def drawn() -> dict[str, str]:
    """Return class name → name of its parent, as the module's docstring draws them."""
    parents, path = {}, []
    for line in inspect.cleandoc(exceptions.__doc__ or "").splitlines():
        match = re.fullmatch(r"([│├└─ ]*)([A-Z]\w+)(?:  .*)?", line)
        if match:
            depth = len(match[1]) // 3
            path[depth:] = [match[2]]
            parents[match[2]] = path[depth - 1] if depth else "Exception"
    return parents


def make(cls: type[MailcoreError]) -> MailcoreError:
    """Return an error with every attribute set to something."""
    if issubclass(cls, SendError):
        error = cls(
            "it failed", scope=Scope.ACCOUNT, retriable=True, retry_after=1.5, fields={"to": ["is invalid"]},
            code="E1", response=HttpResponse(status=500, headers={"A": "1"}, body=b"\xff"),
        )  # fmt: skip
        error.provider, error.idempotency_key, error.attempts = "paper", "key", ("attempt",)
        return error
    if issubclass(cls, UnsupportedFeature):
        return cls("it failed", field="tags", provider="paper", alternatives=["stone"])
    return cls("it failed", field="to") if issubclass(cls, InvalidMessage) else cls("it failed")


class TestTree:
    """The drawing is the truth."""

    def test_drawing(self) -> None:
        """The tree in the docstring is the tree of classes."""
        assert drawn() == {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES}

    def test_names(self) -> None:
        """All are listed, with the two enumerations."""
        assert exceptions.__all__ == sorted([*(cls.__name__ for cls in CLASSES), "Outcome", "Scope"])

    def test_builtin_parents(self) -> None:
        """A bad value is a ValueError; one of the wrong type a TypeError."""
        assert issubclass(InvalidMessage, ValueError)
        assert issubclass(exceptions.NotSerializable, TypeError)


class TestOutcomes:
    """Every failed send has one of three outcomes."""

    @pytest.mark.parametrize("cls", [cls for cls in SENDING if cls is not SendError])
    def test_outcome(self, cls: type[SendError]) -> None:
        """It follows from the branch; only what may succeed unchanged is retriable."""
        branches = {NotAccepted: Outcome.NOT_ACCEPTED, Rejected: Outcome.REJECTED, MaybeSent: Outcome.UNKNOWN}
        (branch,) = (branch for branch in branches if issubclass(cls, branch))
        error = cls("it failed")
        assert error.outcome is branches[branch]
        assert not (branch is Rejected and error.retriable)

    @pytest.mark.parametrize(
        "name, scope, retriable",
        [
            ("Unreachable", Scope.PROVIDER, True), ("TLSFailure", Scope.PROVIDER, False),
            ("RateLimited", Scope.PROVIDER, True), ("ServiceUnavailable", Scope.PROVIDER, True),
            ("UnexpectedRedirect", Scope.PROVIDER, False), ("AttachmentChanged", Scope.MESSAGE, False),
            ("Rejected", Scope.MESSAGE, False), ("RecipientRejected", Scope.MESSAGE, False),
            ("SenderRejected", Scope.MESSAGE, False), ("TooLarge", Scope.MESSAGE, False),
            ("AuthenticationFailed", Scope.ACCOUNT, False), ("AccountProblem", Scope.ACCOUNT, False),
            ("ProtocolBug", Scope.PROVIDER, False), ("MaybeSent", Scope.PROVIDER, True),
            ("InProgress", Scope.PROVIDER, True),
        ],
    )  # fmt: skip
    def test_defaults(self, name: str, scope: Scope, retriable: bool) -> None:
        """What an error stops, and whether trying again may help; both can be said otherwise."""
        cls = getattr(exceptions, name)
        assert (cls("").scope, cls("").retriable) == (scope, retriable)
        assert (cls("", scope=Scope.ACCOUNT).scope, cls("", retriable=not retriable).retriable) == (
            Scope.ACCOUNT, not retriable,
        )  # fmt: skip


class TestErrors:
    """They behave like any exception."""

    @each_error
    def test_pickle_and_copy(self, cls: type[MailcoreError]) -> None:
        """Everything on an error survives pickle and copy, notes too."""
        error = make(cls)
        error.add_note("seen twice")
        for found in (pickle.loads(pickle.dumps(error)), copy(error), deepcopy(error)):
            assert type(found) is cls
            assert (str(found), found.args) == (str(error), error.args)
            assert vars(found) == vars(error)

    def test_transport_failure(self) -> None:
        """So does what a transport raises."""
        found = pickle.loads(pickle.dumps(TransportFailure(Phase.SENT, "reset", untrusted=True)))
        assert (found.phase, str(found), found.untrusted) == (Phase.SENT, "reset", True)

    @each_error
    def test_raised(self, cls: type[MailcoreError]) -> None:
        """Each is caught as `MailcoreError`."""
        with pytest.raises(MailcoreError, match="it failed"):
            raise make(cls)

    @pytest.mark.rule("N-G9")
    @pytest.mark.parametrize("cls", SENDING)
    def test_text(self, cls: type[SendError]) -> None:
        """The text is the provider's words; response, key and fields are attributes and stay out."""
        error = make(cls)
        assert str(error) == "it failed"
        assert repr(error) == f"{cls.__name__}('it failed')"
        assert error.fields == {"to": ("is invalid",)}

    def test_field(self) -> None:
        """An invalid value names its field first."""
        assert str(InvalidMessage("is wrong.", field="to")) == "to: is wrong."
        assert str(InvalidMessage("Wrong.")) == "Wrong."

    @each_error
    def test_documented(self, cls: type[MailcoreError]) -> None:
        """Each says what it is for."""
        assert cls.__doc__
