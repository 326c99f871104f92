"""The one test of a mutated adapter: the conformance suite says that it is conformant, or it does not."""

from __future__ import annotations

import os
from importlib import import_module

from mailcore import PluginHost
from mailcore._spec import load_object
from mailcore_conformance import Status, Weight, run

ADAPTER = os.environ["MAILCORE_MUTATED"]

#: What the mutation tool itself does: it reads the environment at each call of a mutated function, and is
#: imported by each mutated module.
OF_THE_TOOL = {"L01", "B44.environment"}
BAD = (Status.FAIL, Status.ERROR, Status.BLOCKED)


def test_conformant() -> None:
    """Nothing that counts fails."""
    host = PluginHost({ADAPTER: import_module(f"mailcore_{ADAPTER}")}, installed=False)
    spec = host.spec(ADAPTER)
    report = run(spec, load_object(spec.conformance_kit), host=host)
    must = [one for one in report.results if one.check.weight is Weight.MUST]
    wrong = [f"{one.check.id}: {one.reason}" for one in must if one.status in BAD]
    assert not [one for one in wrong if one.partition(":")[0] not in OF_THE_TOOL]
