"""The fault matrix in short: every fault, and every way to meet it, ends as documented."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from mailcore import Mailer, MaybeSent, ServiceUnavailable
from reliability.ending import ACCEPTED, UNKNOWN, Ending
from reliability.matrix import RUNS, Case, Limits, defects
from reliability.mode import Mode
from reliability.modes import MODES, documented
from reliability.provider import KEYED, Provider
from reliability.trial import Trial, Trust

pytestmark = [pytest.mark.long, pytest.mark.loopback]

#: A short clock. On a machine that does much else at once even a second is nothing; what is not ended by the
#: clock lasts ten.
LIMITS = Limits(deadline=0.25, margin=5.0, wait=0.1)
#: Where the server ends it, and the clock only has to wait for that.
PATIENT = attrs.evolve(LIMITS, deadline=15.0, wait=5.0)
#: For large mails: eight of them are made at once before any is sent.
LARGE = attrs.evolve(LIMITS, deadline=1.5)
BY_NAME = {mode.name: mode for mode in MODES}


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trust]:
    """Return the certificates."""
    return Trust(tmp_path_factory.mktemp("trust"))


def short(mode: Mode) -> list[Case]:
    """Choose the cases of a fault that show most in little time."""
    plain, *rest = mode.schemes
    runs: tuple[str, ...] = RUNS
    if mode.timed:
        runs = ("threads",) if mode.size > 10 else ("sync", "threads")
    over_tls = [Case(mode, scheme, "sync") for scheme in rest if not mode.timed]
    return [*(Case(mode, plain, run) for run in runs), *over_tls]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_ends_as_documented(mode: Mode, trust: Trust) -> None:
    """Outcome, class, scope and retriability; nothing is claimed that is not so; no time is lost."""
    limits = LIMITS if mode.timed else PATIENT
    limits = LARGE if mode.size > 10 else limits
    found = {f"{case.scheme}, {case.run}": defects(case, trust, limits) for case in short(mode)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


class TestTheMatrix:
    """What would go unnoticed if the matrix could not fail."""

    def test_names_are_unique(self) -> None:
        """No fault hides another one."""
        assert len(BY_NAME) == len(MODES) >= 90

    def test_table_has_every_fault(self) -> None:
        """What is tried is what is documented."""
        assert [row[0] for rows in documented().values() for row in rows] == [f"`{name}`" for name in BY_NAME]

    @pytest.mark.parametrize(
        "name,run",
        [
            *((mode.name, "sync") for mode in MODES if not mode.timed),
            *(("409", run) for run in RUNS if run != "sync"),
        ],
    )
    def test_sees_another_ending(self, name: str, run: str, trust: Trust) -> None:
        """A fault that is documented to end otherwise is a defect, whichever way it is met."""
        mode = BY_NAME[name]
        # A queue leaves to a person what is rejected, and also what is unknown and has no key.
        wrong = ACCEPTED if "queue" in run else Ending("rejected", "Odd", "message")
        changed = attrs.evolve(mode, ending=wrong, or_ending=None, over_tls=None, repeated=None)
        assert defects(Case(changed, mode.schemes[0], run), trust, LIMITS)

    def test_stalls_within_the_request(self, trust: Trust) -> None:
        """A mail that is to be large is larger than what the system takes in by itself."""
        mode = BY_NAME["stall-mid-upload"]
        with Trial(mode, "http", trust, provider=KEYED, max_attempts=1, deadline=0.5) as trial:
            assert "failed while the request was being sent" in trial.one("mail").text

    def test_sees_a_late_end(self, trust: Trust) -> None:
        """A send that outlasts its deadline is a defect."""
        limits = attrs.evolve(LIMITS, margin=-0.15)
        found = defects(Case(BY_NAME["drip-body"], "http", "sync"), trust, limits)
        assert "more than 0.10 s" in found[0]

    def test_sees_a_lie(self, trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever says "not accepted" of a mail that the provider has is found out."""
        send = Mailer.send

        def lying(self: Mailer, *args: object, **kwargs: object) -> object:
            try:
                return send(self, *args, **kwargs)  # type: ignore[arg-type]  # reason: passed on
            except MaybeSent as error:
                raise ServiceUnavailable("It is not there.") from error

        monkeypatch.setattr(Mailer, "send", lying)
        found = defects(Case(BY_NAME["close-after-accept"], "http", "sync"), trust, LIMITS)
        assert "mail-0 is with the provider, and was reported not_accepted" in found

    def test_sees_a_bare_error(self, trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is none of our errors is unclassified."""

        def broken(self: Mailer, *args: object, **kwargs: object) -> object:
            raise ValueError("bare")

        monkeypatch.setattr(Mailer, "send", broken)
        found = defects(Case(BY_NAME["refuse"], "http", "sync"), trust, LIMITS)
        assert "unclassified: builtins.ValueError" in found[0]

    def test_sees_a_second_mail(self, trust: Trust) -> None:
        """A repeat under another key arrives twice, and is a defect."""
        mode = attrs.evolve(BY_NAME["close-after-accept"], ending=UNKNOWN)
        with Trial(mode, "http", trust, provider=KEYED, harms=1, max_attempts=1) as trial:
            trial.one("mail-0")
            trial.one("mail-0")
            assert trial.provider.taken()["mail-0"] == 2


class TestProvider:
    """The provider of the harness."""

    def test_answers_a_key_with_the_same_mail(self) -> None:
        """As MailPace does: what was taken once is not taken again."""
        provider = Provider()
        token = provider.settings("http://127.0.0.1:1")["api_key"]
        head = (
            "POST /api/v1/send HTTP/1.1\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
            f"MailPace-Server-Token: {token}\r\nIdempotency-Key: k\r\n\r\n"
        )
        body = b'{"from": "a@example.com", "to": "b@example.com", "subject": "one", "textbody": "x"}'
        answers = {provider.answer(head.encode() + body) for _ in range(2)}
        assert len(answers) == 1
        assert provider.taken() == {"one": 1}
        assert provider.ids() == {"one": "1"}
        assert provider.has("one")
