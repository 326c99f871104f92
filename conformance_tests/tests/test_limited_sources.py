"""Mail that comes with its source sometimes, and keys that are there twice within a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from gallery import host_of
from reference.json_api import KIT, SPEC, JsonAdapter

from mailcore import Capability, InboundMessage, Level, Support
from mailcore_conformance import Status, run
from mailcore_conformance._check import NotApplicable
from mailcore_conformance.deliveries._delivery_shapes import SHAPES


class SometimesWithoutSource(JsonAdapter):
    """Hands over the source of mail that has html alone."""

    def mail(self, element: Mapping[str, Any]) -> InboundMessage:
        """Return a mail."""
        found = super().mail(element)
        if found.html:
            return found
        parts = InboundMessage.from_parts(headers=found.headers.pairs, text=found.text).parts
        return attrs.evolve(found, raw=None, parts=parts)


@pytest.mark.parametrize("level, status", [(Level.LIMITED, Status.PASS), (Level.FULL, Status.FAIL)])
def test_some_mail_has_a_source(level: Level, status: Status) -> None:
    """That is enough where it is declared as limited, and only there."""
    capabilities = {**SPEC.capabilities, Capability.INBOUND_RAW: Support(level=level)}
    spec = attrs.evolve(SPEC, factory=f"{__name__}:SometimesWithoutSource", capabilities=capabilities)
    report = run(spec, KIT, host=host_of(spec), only=["W22"])
    assert {one.check.id: one.status for one in report.results}["W22"] is status


def test_key_within_a_form() -> None:
    """JSON in a field of a form is none of the check about JSON deliveries."""
    with pytest.raises(NotApplicable):
        list(SHAPES["duplicate_keys"][1](b'--b\r\n\r\n{"a": 1}\r\n--b--'))
    assert list(SHAPES["duplicate_keys"][1](b'[{"a":1}]')) == [b'[{"a":null,"a":1}]']
