"""What the provider's answers mean: accepted, refused, or nobody can tell.

Rule: an adapter never guesses. Accepted is an answer that says so and whose id can be read; refused is one
whose status says so; whatever else comes after a request that sends is `MaybeSent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailcore import Capability
from mailcore_conformance._check import check, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.answers import _accepted, _refused, _transactions
from mailcore_conformance.answers._malformed import HOSTILE, MALFORMED
from mailcore_conformance.answers._meaning import STATUSES
from mailcore_conformance.answers._variants import VARIANTS


def _none(findings: Callable[..., Iterator[str]], *arguments: object) -> Callable[[Subject], None]:
    """Return what requires that there are no findings."""

    def run(subject: Subject) -> None:
        require_none(findings(subject, *arguments))

    return run


# Accepted -------------------------------------------------------------------------------------------

check(
    "P01",
    "An accepted mail has the id that the provider gave it.",
    why="The id is the only thread from a mail to its events. A made-up one looks right and leads nowhere.",
    fix="Read the id from the answer and return it, as text, as `message_id`. In the sample, write it as the "
    "answer has it.",
)(_none(_accepted.misread_ids))

check(
    "P02",
    "Every sample of an accepted mail means what it says it means.",
    why="Whoever reads a wrong status or a wrong recipient decides wrongly what to do next.",
    fix="Compare the adapter with the sample's `expected`, and mend whichever is wrong.",
)(_none(_accepted.misread_samples))

check(
    "P03",
    "Every sample of a refused mail means what it says it means.",
    why="Class, outcome and scope of an error decide whether a mail is repeated, parked or given up.",
    fix="Compare the adapter with the sample's `expected`, and mend whichever is wrong.",
)(_none(_refused.misread_samples))

check(
    "P04",
    "A result has exactly the recipients of the mail, spelt as they were sent.",
    why="Applications look recipients up by the address they gave. One that is not there looks forgotten.",
    fix="Make one `RecipientResult` for each address of `message.recipients`, under its `addr_spec`.",
)(_none(_accepted.misread_recipients))

check(
    "P05.ids",
    "The ids of a result hold every id in it.",
    why="Whoever keeps `message_ids` to find the events of a mail misses those of an id that is not there.",
    fix="Put the message's id and each recipient's into `message_ids`, once each.",
    capability=Capability.MESSAGE_ID,
)(_none(_accepted.forgotten_ids))

check(
    "P05.raw",
    "A result keeps the answer.",
    why="Where the common fields do not say enough, the answer itself is all that an application has.",
    fix="Give the response to the result as `raw`.",
)(_none(_accepted.lost_answers))

check(
    "P06",
    "Ids of any size survive.",
    why="A number that went through floating point, or a text that was cut, is the id of another mail.",
    fix="Turn a number into text with `str`, and keep a text as it is: 200 characters are no error.",
    capability=Capability.MESSAGE_ID,
)(_none(_accepted.misread_large_ids))

for _name, (_words, _variant) in VARIANTS.items():
    check(
        f"P07.{_name}",
        f"An accepted answer {_words} means the same.",
        why="Providers change such things without notice: by the rules of JSON, nothing has changed.",
        fix="Parse the body as JSON, and look up by name what the adapter needs, and nothing else.",
    )(_none(_accepted.misread_variant, _words, _variant))

check(
    "P08",
    "A status that nobody documented does not undo an acceptance.",
    why="On the day the provider adds a status, every mail would be reported as failed, and sent again.",
    fix="Map a status that is not in the table to `SendStatus.UNKNOWN`.",
)(_none(_accepted.misread_statuses))

# Refused --------------------------------------------------------------------------------------------

for _status, _meaning in STATUSES.items():
    check(
        f"P10.{_status}",
        f"HTTP {_meaning.words} without a body has its usual meaning.",
        why="Proxies answer like that, and providers on a bad day. What is taken for repeatable is repeated, "
        "and what is taken for rejected is lost.",
        fix="Leave the status to `mailcore.error_for_status`, where the provider's own words say no more.",
    )(_none(_refused.misread_status, _meaning, _status))

for _name, _wait in _refused.WAITS.items():
    check(
        f"P11.{_name}",
        f"{_wait.words} in Retry-After is read as what it is.",
        why="Whoever comes back too early is throttled for longer. An error in reading the header would "
        "hide that the provider said no.",
        fix="Leave the header to `mailcore.error_for_status`, or read it with `mailcore.retry_after`.",
    )(_none(_refused.misread_wait, _wait))

# A mail server's last word ---------------------------------------------------------------------------

check(
    "P12.no",
    "A mail server's 5yz is no, whichever command it answers.",
    why="What is repeated after a no is refused again, and more of it gets a sender blocked.",
    fix="Raise a `Rejected`, or its leaf that fits the `command` of the `SmtpResponse`.",
)(_none(_transactions.no))

check(
    "P12.not-now",
    "A mail server's 4yz is not now, whichever command it answers.",
    why="Greylisting is a 4yz: a mail that is given up for it is lost.",
    fix="Raise a `NotAccepted`, which is worth a repeat.",
)(_none(_transactions.not_now))

check(
    "P12.early",
    "A mail server's yes to anything but the end of the mail is no acceptance.",
    why="A mail whose end was not sent is never delivered, whatever was said before.",
    fix='Accept only where the `command` of the `SmtpResponse` is ".".',
)(_none(_transactions.early_yes))

check(
    "P12.end",
    "What a mail server says to the end of a mail is accepted if it is a yes, and unknown if it is neither.",
    why="The whole mail is out. Reported as failed it is sent twice.",
    fix="Accept 2yz, and raise `MaybeSent` for what is neither 2yz, 4yz nor 5yz.",
)(_none(_transactions.neither))

check(
    "P12.login",
    "A login that a mail server refuses is the account's matter.",
    why="Every further mail would be refused alike, and too many attempts lock the account.",
    fix="Raise `AuthenticationFailed` for 530, 534 and 535.",
)(_none(_transactions.login))

check(
    "P12.lacks",
    "A mail that needs what the mail server does not offer is refused, with the name of what is missing.",
    why="Nothing was sent, though the code is 250: whoever looks at that alone takes the mail for accepted.",
    fix="Look at `lacks` of the `SmtpResponse` first.",
)(_none(_transactions.lacking))

# Words ----------------------------------------------------------------------------------------------

check(
    "P20",
    "An error says what the provider said.",
    why="'Bad request' helps nobody: the provider's own words are what an operator looks up.",
    fix="Give the provider's words to the error as its text, or as `fields`, also words you do not know.",
)(_none(_refused.silent))

check(
    "P21",
    "An error keeps the answer.",
    why="What the adapter did not think of can only be found in the answer itself.",
    fix="Give `response=` to every error that is made from one.",
)(_none(_refused.untraceable))

check(
    "P22",
    "An error tells nothing of the mail that the provider did not say.",
    why="Errors end up in logs and trackers that many people read: an address there is a leak.",
    fix="Make the text of the answer's words and status alone.",
)(_none(_refused.leaking))

check(
    "P23",
    "Control characters in the provider's words do not reach the error's text.",
    why="Words may quote a stranger's address or subject. A line break in them forges a line of the log.",
    fix="Replace control characters and line separators in what becomes the error's text by a space.",
)(_none(_refused.unclean))

# Nobody can tell ------------------------------------------------------------------------------------

for _name, (_words, _make) in MALFORMED.items():
    check(
        f"P30.{_name}",
        f"An accepted status with {_words} is unknown.",
        why="The mail may be out. Reported as failed it is sent twice, and as accepted it cannot be found.",
        fix="Raise `MaybeSent` with the response where the id cannot be read. Read JSON with "
        "`mailcore.strict_json`.",
        capability=Capability.MESSAGE_ID,
    )(_none(_accepted.taken_for_readable, _words, _make))

check(
    "P31",
    "A status of success that is not documented is unknown.",
    why="Something else than the provider's usual service has answered: it may or may not have the mail.",
    fix="Accept the documented status alone and raise `MaybeSent` for any other from 200 to 299. If it is "
    "documented, add a sample that shows it.",
)(_none(_accepted.taken_for_documented))

for _name, (_words, _bodies) in HOSTILE.items():
    check(
        f"P32.{_name}",
        f"A refusal with {_words} is a refusal like any other.",
        why="An exception of another kind hides that the provider said no, and from a batch takes the others "
        "with it.",
        fix="Check the type of everything that is read from a refusal. Leave out what is not as documented, "
        "and cut what is too long.",
    )(_none(_refused.misread_hostile, _words, _bodies))

# Each recipient -------------------------------------------------------------------------------------

check(
    "P40",
    "Where the provider takes some recipients and not others, the result says which.",
    why="The mail counts as accepted: without a word in the result, nobody learns who will not get it.",
    fix="Give each recipient its own status, found by the address, and the result the scope 'recipient'.",
    capability=Capability.RECIPIENT_STATUS,
)(_none(_accepted.misread_partial))

check(
    "P40.undeclared",
    "A result speaks of recipients only where the provider does.",
    why="Whoever believes that each recipient was looked at will not look at the events for the rest.",
    fix="Leave the scope at 'message', or declare send.recipient_status and add a sample that shows it.",
)(_none(_accepted.wrong_scopes))
