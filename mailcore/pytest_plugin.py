"""Fixtures for the tests of programs that send mail.

Rule: pytest loads this file wherever the package is installed, for anybody's tests. So it imports pytest and
nothing else, and does nothing but offer fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailcore.testing import Outbox

__all__ = ["mailcore_outbox", "outbox"]


@pytest.fixture
def mailcore_outbox() -> Iterator[Outbox]:
    """Keep every mail that is sent during the test in an outbox; none leaves, and repeats do not wait."""
    from mailcore.testing import captured, no_pauses

    with captured() as outbox, no_pauses():
        yield outbox


@pytest.fixture
def outbox(mailcore_outbox: Outbox) -> Outbox:
    """Offer the same under a shorter name, which a project may use for a fixture of its own."""
    return mailcore_outbox
