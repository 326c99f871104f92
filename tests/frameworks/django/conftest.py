"""Django for the tests: one project for the whole run, and settings that each test changes for itself."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test.signals import clear_cache_handlers  # noqa: F401  # reason: connects what reacts to settings
from django.test.utils import override_settings

from mailcore import Mailer

SIX_ONE = django.VERSION >= (6, 1)
BACKEND = "mailcore.frameworks.django.EmailBackend"
FOLDER = Path(tempfile.mkdtemp(prefix="mailcore-django-"))

settings.configure(
    ALLOWED_HOSTS=["testserver", "127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(FOLDER / "database"),
            "OPTIONS": {"init_command": "PRAGMA synchronous = OFF", "transaction_mode": "IMMEDIATE"},
        }
    },
    DEFAULT_FROM_EMAIL="Ada <ada@example.com>",
    INSTALLED_APPS=["mailcore.frameworks.django"],
    LOGGING_CONFIG=None,  # other tests look at what is logged
    ROOT_URLCONF="mailcore.frameworks.django.urls",
    SECRET_KEY="of the tests",
    USE_TZ=True,
)
django.setup()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

Configure = Callable[..., None]


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Return a function that changes settings until the test ends."""
    with ExitStack() as stack:

        def change(**changed: Any) -> None:
            stack.enter_context(override_settings(**changed))

        yield change


@pytest.fixture
def through(configure: Configure) -> Callable[..., None]:
    """Return a function that sends Django's mail through a mailer of such settings."""

    def change(**mailcore: Any) -> None:
        # Django 6.1 warns of the setting that earlier versions know.
        ours = {"MAILERS": {"default": {"BACKEND": BACKEND}}} if SIX_ONE else {"EMAIL_BACKEND": BACKEND}
        configure(**ours, MAILCORE=mailcore)

    return change


@pytest.fixture(scope="session")
def _tables() -> Iterator[None]:
    """Make the tables."""
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()


@pytest.fixture
def database(_tables: None) -> Iterator[None]:
    """Let a test use the database, and empty it after."""
    yield
    for model in apps.get_app_config("mailcore").get_models():
        model._default_manager.all().delete()
    connections.close_all()


@pytest.fixture(autouse=True)
def _mailers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Mailer]]:
    """Wait for no repeat: every mailer made here sleeps no time."""
    made: list[Mailer] = []
    build = Mailer.__init__

    def init(self: Mailer, *args: Any, **given: Any) -> None:
        build(self, *args, **{**given, "sleep": lambda seconds: None})
        made.append(self)

    monkeypatch.setattr(Mailer, "__init__", init)
    yield made
    for mailer in made:
        mailer.close()
