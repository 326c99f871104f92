"""What an import adds to a new interpreter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from benchmarks.contest import Contest
from benchmarks.meters import imported
from benchmarks.names import ATTRS, MAILCORE_ALONE, MAILCORE_MESSAGE

__all__ = ["CONTESTS"]

_ANYMAIL = """\
from django.conf import settings
settings.configure()
import anymail.backends.postmark
"""


@contextmanager
def _starting() -> Iterator[Contest]:
    statements = {
        ATTRS: ATTRS,
        MAILCORE_ALONE: MAILCORE_ALONE,
        MAILCORE_MESSAGE: MAILCORE_MESSAGE,
        "mailcore: a mailer of Postmark": (
            "from mailcore import Mailer; Mailer.from_url('postmark://?server_token=t', environ={})"
        ),
        "import requests": "import requests",
        "import httpx": "import httpx",
        "django-anymail: its backend of Postmark": _ANYMAIL,
    }
    contenders = {name: imported(statement) for name, statement in statements.items()}
    yield Contest(title="Added to the start of an interpreter", contenders=contenders)


CONTESTS: Mapping[str, Callable[[], AbstractContextManager[Contest]]] = {"starting": _starting}
