"""What a check is about, as a colleague would tell it."""

from __future__ import annotations

from collections.abc import Mapping

from mailcore_conformance._check import ANCHORS, Check, Weight
from mailcore_conformance._contract import since

__all__ = ["counts", "explained"]


def explained(check: Check) -> Mapping[str, str]:
    """Return the parts of the explanation, each under a word or two."""
    return {
        "why": check.why,
        "do": check.fix,
        "applies": _applies(check),
        "counts": counts(check),
        "rests on": _rests(check),
        "more": check.spec,
        "alone": f"mailcore-conformance run NAME --only {check.id} --repro",
    }


def counts(check: Check) -> str:
    """Return whether a check is scored."""
    if check.weight is Weight.SHOULD:
        return "no: good manners, shown and not scored"
    version = since(check.id)
    if version is None:
        return "not yet: a preview, shown and not scored until the next contract names it"
    return f"yes, since contract {version}"


def _applies(check: Check) -> str:
    if check.capability is None:
        return "to every adapter, where it can mean anything"
    return f"where {check.capability.value} is declared"


def _rests(check: Check) -> str:
    anchors = ANCHORS[check.section]
    others = " and ".join(anchor for anchor in anchors if anchor != check.id)
    if check.id in anchors:
        return f"{others or 'nothing'}; the other checks of its section rest on this one"
    return f"{others}: where that fails, a pass here proves nothing and is shown as blocked"
