"""Providers that put values of a recipient into templates alone."""

from __future__ import annotations

import attrs
import pytest
from gallery import host_of
from gallery._changed import Changed, Document
from reference import REFERENCES

from mailcore import Message, UnsupportedFeature
from mailcore_conformance import Status, run

CHECKS = ("B10.merge_data", "B10.merge_global_data", "B41.merge_data", "B41.merge_global_data", "E02")


class OfTemplates(Changed):
    """Refuses values where there is no template to put them into."""

    def change(self, document: Document, message: Message) -> None:
        """Refuse, or do nothing."""
        if (message.merge_data or message.merge_global_data) and not message.template_id:
            raise UnsupportedFeature("There is no template.", field="merge_data", provider="json-api")


class Forgetful(OfTemplates):
    """Refuses the same, and forgets the values of a template."""

    def change(self, document: Document, message: Message) -> None:
        """Refuse, or forget."""
        super().change(document, message)
        document.pop("merge_data", None)
        document.pop("merge_global_data", None)


def results(cls: type[Changed]) -> dict[str, Status]:
    """Return how the checks end."""
    reference = REFERENCES["json"]
    spec = attrs.evolve(reference.spec, factory=f"{__name__}:{cls.__name__}")
    report = run(spec, reference.kit, host=host_of(spec), only=("B01", *CHECKS))
    return {one.check.id: one.status for one in report.results}


@pytest.mark.parametrize("check", CHECKS)
def test_values_are_looked_for_in_a_template(check: str) -> None:
    """An adapter that refuses them elsewhere is as good as any."""
    assert results(OfTemplates)[check] is Status.PASS


@pytest.mark.parametrize("check", CHECKS[:2])
def test_values_that_a_template_lacks_are_missed(check: str) -> None:
    """Refusing the rest is no way around the check."""
    assert results(Forgetful)[check] is Status.FAIL
