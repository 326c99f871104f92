"""MailPace's ids: the same text from an answer and from an event."""

from __future__ import annotations

from typing import Any

import pytest

from mailcore_mailpace import _events, _responses
from mailcore_mailpace._identifier import identifier


class TestIdentifier:
    """What counts as an id."""

    @pytest.mark.parametrize(
        "given,expected", [(1, "1"), (0, "0"), ("1", "1"), ("é", "é"), ("x" * 255, "x" * 255)]
    )
    def test_taken(self, given: Any, expected: str) -> None:
        """Whole numbers and printable text, as text."""
        assert expected == identifier(given)

    @pytest.mark.parametrize("given", [None, True, 1.5, "", " ", "a\n", "\u2028", "x" * 256, [1], {"id": 1}])
    def test_refused(self, given: Any) -> None:
        """Anything else is no id."""
        assert identifier(given) is None

    def test_one_for_both(self) -> None:
        """Answers and events share the function: an event's id has to equal the one that sending returned."""
        assert vars(_events)["identifier"] is vars(_responses)["identifier"] is identifier
