"""Who may deliver a webhook.

Rule 1: a delivery is genuine because its proof says so, and for no other reason.
Rule 2: every forgery is made from a genuine sample, and follows what the proof covers.
"""

from __future__ import annotations

from collections.abc import Callable

from mailcore import Capability
from mailcore_conformance._check import check, require_none
from mailcore_conformance._subject import Subject
from mailcore_conformance.proofs import (
    _oddities,
    _refusal_samples,
    _replays,
    _tampering,
    _times,
    _trust,
    _verifying,
)
from mailcore_conformance.proofs._spellings import SPELLINGS

_SIGNED = Capability.WEBHOOK_SIGNATURE
_TIMED = Capability.WEBHOOK_REPLAY_WINDOW

Run = Callable[[Subject], None]


def _deed(run: Run) -> Run:
    """Return what another file does as a check of this section: here are its words."""

    def holds(subject: Subject) -> None:
        run(subject)

    return holds


# Genuine deliveries ---------------------------------------------------------------------------------

check(
    "W01",
    "Genuine deliveries verify: every sample as it is, and one never seen before.",
    why="Every delivery would be refused, and many providers switch an endpoint off for that.",
    fix="Follow the provider's page byte by byte. Write the kit's `sign` by that page, not by the adapter.",
)(_deed(_verifying.samples))
check(
    "W02",
    "The names of headers may be in any letters, large or small.",
    why="HTTP/2 sends them small, servers write them as they like: what works here fails there.",
    fix="Look headers up in `request.headers`, which knows names in any letters; never in `headers.pairs`.",
    capability=_SIGNED,
)(_deed(_oddities.renamed))
check(
    "W30",
    "The body is not parsed before the proof.",
    why="A parser is the largest thing a stranger can reach. And what is genuine and odd must be kept.",
    fix="Verify `request.body`, the bytes; leave its form to `webhook_kind` and the parse methods.",
    capability=_SIGNED,
)(_deed(_verifying.unparsed))

# The body, and the fields that are signed -----------------------------------------------------------

check(
    "W03.body",
    "A body with any byte changed is refused.",
    why="What the signature leaves out, a forger writes.",
    fix="Verify all of `request.body`, not a slice, a digest of a part, or a text made from it.",
    capability=_SIGNED,
)(_deed(_tampering.body_flips))
check(
    "W03.added",
    "A body with something added or cut off is refused.",
    why="A body that is stripped or padded before it is verified is not the one that was signed.",
    fix="Verify `request.body` as it is; strip and decode nothing.",
    capability=_SIGNED,
)(_deed(_tampering.added))
check(
    "W03.signature",
    "A signature with any letter changed is refused.",
    why="Comparing only a part of it makes guessing possible.",
    fix="Compare the whole signature, in constant time (`hmac.compare_digest`).",
    capability=_SIGNED,
)(_deed(_tampering.signature_flips))
check(
    "W03.fields",
    "A signed field that is changed, emptied or taken out makes the delivery refused.",
    why="The fields under the signature are all that can be relied on.",
    fix="Build the signed text from the fields exactly as the provider lists them.",
    capability=_SIGNED,
)(_deed(_tampering.field_flips))
check(
    "W03.token",
    "A token that is changed, emptied or taken out makes the delivery refused.",
    why="A token that need not be the signed one is no proof.",
    fix="Verify the signature over the token and the time as they came.",
    capability=_SIGNED,
)(_deed(_tampering.token_flips))
check(
    "W03.rivals",
    "A delivery that has a signed field twice is refused.",
    why="The signature is checked on one of the two, and the other one is believed.",
    fix="Require each signed field once: `request.json()` refuses repeats, `request.form()` shows them.",
    capability=_SIGNED,
)(_deed(_tampering.rivals))
check(
    "W03.reused",
    "A token vouches for one delivery.",
    why="The body is not signed: whoever saw one delivery could send any other with its token.",
    fix="Return the token as `Verification.delivery_id`; core then takes it once.",
    capability=_SIGNED,
)(_deed(_replays.reused))
check(
    "W04",
    "The same JSON, written otherwise, is refused.",
    why="Whoever verifies JSON that was parsed and written again refuses genuine mail, or takes forged mail.",
    fix="Verify `request.body`; never `json.dumps(request.json())`.",
    capability=_SIGNED,
)(_deed(_tampering.respelt))

# The signature --------------------------------------------------------------------------------------

check(
    "W05",
    "A delivery without its signature is refused.",
    why="It is the simplest forgery of all.",
    fix="Raise `WebhookRejected` where the signature is missing, before any library is asked.",
    capability=_SIGNED,
)(_deed(_tampering.missing))
for _name, _spelling in SPELLINGS.items():
    check(
        f"W06.{_name}",
        _spelling.title,
        why=_spelling.why,
        fix="Require one value (`headers.get_all`) of one form (a full match); where you decode it, encode "
        "it again and compare. Raise `WebhookRejected` for all else.",
        capability=_SIGNED,
    )(_deed(_tampering.misspelt(_name)))
check(
    "W07",
    "A signature made with another key is refused.",
    why="Anyone has a key of some kind; only the configured ones count.",
    fix="Verify with the keys of the options and with no other.",
    capability=_SIGNED,
)(_deed(_tampering.another_key))
check(
    "W31",
    "A body that begins with its own signature is refused.",
    why="Some libraries take the body's first bytes for a signature that is not given: any old one will do.",
    fix="Refuse a signature that is missing or of the wrong length before you call the library.",
    capability=_SIGNED,
)(_deed(_tampering.prefixed))
check(
    "W32",
    "The signature of one delivery fits no other.",
    why="A signature that was seen to be good once must not vouch for what comes next.",
    fix="Keep nothing between deliveries; verify each by itself.",
    capability=_SIGNED,
)(_deed(_tampering.another_body))


@check(
    "W43",
    "Each sample of a forgery is refused, in the words it names.",
    why="The log is where somebody looks when a key is wrong: it must say what was missing, and no secret.",
    fix="Raise `WebhookRejected` with a text for each way to fail; or mend the sample's `refused`.",
    capability=_SIGNED,
)
def forgeries(subject: Subject) -> None:
    """Verify each sample of a delivery that is not genuine."""
    require_none(_refusal_samples.unrefused(subject))


# The time -------------------------------------------------------------------------------------------

for _name, (_title, _why, _fix, _run) in _times.TIMES.items():
    check(
        f"W08.{_name}",
        _title,
        why=_why,
        fix=_fix,
        capability=_TIMED,
    )(_deed(_run))

# Keys and passwords ---------------------------------------------------------------------------------

check(
    "W09.second",
    "With several keys configured, each of them verifies.",
    why="Keys are changed by trusting the new one beside the old; deliveries in between would be lost.",
    fix="Take a list of keys in the options and try every one.",
    capability=_SIGNED,
)(_deed(_trust.any_of_several))
check(
    "W09.order",
    "The order of the keys does not matter.",
    why="Nobody knows which of the two the provider uses first.",
    fix="Try every key for every delivery.",
    capability=_SIGNED,
)(_deed(_trust.any_order))
check(
    "W09.dropped",
    "A key that is no longer configured verifies nothing.",
    why="Keys are taken out because somebody else has them.",
    fix="Trust the keys of the options alone; keep none elsewhere.",
    capability=_SIGNED,
)(_deed(_trust.dropped))
check(
    "W33",
    "A proof names its scheme, the label of the key, and what it covers.",
    why="Events carry the label into logs, so it must not be the key. Core acts on what is covered.",
    fix='Return a label such as "key 1", and the same `covers` as `webhook_covers`.',
    capability=_SIGNED,
)(_deed(_trust.said))
check(
    "W34.none",
    "Without a key and without basic auth no receiver is made, and the error names the option.",
    why="An endpoint without any proof takes forged events from everyone, and nothing looks wrong.",
    fix='Mark the key with `about(..., needed_to="receive")`; without it, `webhook_covers` is NOTHING.',
)(_deed(_trust.none))
check(
    "W34.both",
    "With a key and basic auth configured, both are needed.",
    why="Whoever sets two locks means both.",
    fix="Verify the signature wherever a key is configured, whatever `request.basic_auth` says.",
    capability=_SIGNED,
)(_deed(_trust.both))
check(
    "W39",
    "An adapter that verifies declares webhook.signature.",
    why="Otherwise none of these checks looks at its signatures.",
    fix="Declare `Capability.WEBHOOK_SIGNATURE`.",
)(_deed(_trust.undeclared))
check(
    "A01",
    "Basic auth alone is proof enough where no key is configured.",
    why="Providers switch signatures on for some accounts only; the documented alternative has to work.",
    fix="Call `super().verify_webhook(request, ctx)` where there is no key.",
)(_deed(_trust.alone))
check(
    "A02",
    "Without a key, a delivery whose basic auth core did not match is refused.",
    why="Core compares passwords, in constant time; an adapter knows none to compare with.",
    fix="Look at `request.basic_auth` alone, or call `super().verify_webhook(request, ctx)`.",
)(_deed(_trust.unmatched))
check(
    "A03",
    "A proof by basic auth names the label, not the password, and covers nothing.",
    why="Events carry the label into logs and databases, and nothing of the body is proved by a password.",
    fix="Return `Verification(scheme=..., covers=Covers.NOTHING, key=request.basic_auth)`.",
)(_deed(_trust.matched))

# What verifying does, and what comes again ----------------------------------------------------------

check(
    "W35.few",
    "Verifying takes few requests, and none of them commits.",
    why="Anyone can send a delivery: what each costs us, a stranger can make us pay.",
    fix="Fetch a certificate at most, once it is clear that nothing else is wrong, with `commits=False`.",
    capability=_SIGNED,
)(_deed(_verifying.few))
check(
    "W35.elsewhere",
    "Nothing is fetched from an address that a delivery names.",
    why="A forger names the address of the forger's own certificate, or of a machine behind your firewall.",
    fix="Fetch over https, from hosts that the adapter knows, compared whole.",
    capability=_SIGNED,
)(_deed(_verifying.elsewhere))
check(
    "W36.body",
    "A delivery with any body at all is refused with WebhookRejected.",
    why="Whatever else is raised is an error 500 that any stranger can cause.",
    fix="Verify before you parse; raise `WebhookRejected` where what must be read first cannot be read.",
    capability=_SIGNED,
)(_deed(_oddities.bodies))
check(
    "W36.headers",
    "A delivery with any headers at all is refused with WebhookRejected.",
    why="Whatever else is raised is an error 500 that any stranger can cause.",
    fix="Read only the headers you need, by name, and match their form.",
    capability=_SIGNED,
)(_deed(_oddities.headers))
check(
    "W37.once",
    "The same delivery, come again, is not handled again where there is a replay store.",
    why="Providers repeat deliveries; a replay store can tell only by an id that stays the same.",
    fix="Return the provider's id of the delivery as `delivery_id`, or None; never anything made up.",
    capability=_SIGNED,
)(_deed(_replays.once))
check(
    "W37.distinct",
    "Two deliveries never have one id.",
    why="The second one counts as a repeat and is lost, and nobody hears of it.",
    fix="Return an id that the provider gives to each delivery, or None.",
    capability=_SIGNED,
)(_deed(_replays.distinct))
check(
    "W37.signed-id",
    "The id of a delivery is under the signature.",
    why="Otherwise a recorded delivery gets a new id and is handled again.",
    fix="Return as `delivery_id` only what the signature covers, or None.",
    capability=_SIGNED,
)(_deed(_replays.signed_id))
check(
    "W38.answered",
    "A handshake is answered the way the provider wants it, and nothing of it is handled.",
    why="Without the right answer the provider never starts to deliver.",
    fix="Return a `WebhookResponse` from `verify_webhook` once the handshake is verified.",
)(_deed(_replays.answered))
check(
    "W38.forged",
    "A forged handshake is refused, and its challenge is not repeated.",
    why="An endpoint that repeats whatever it is sent vouches for a stranger's account.",
    fix="Verify a handshake like any other delivery, before you answer it.",
    capability=_SIGNED,
)(_deed(_replays.forged_handshake))
