"""A Django project with nothing in it but the endpoints.

Rule: a process has one configuration of Django. Where there is one already, it is overridden for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from reliability.delivery import MOUNT

__all__ = ["project"]


@contextmanager
def project(config: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a project's WSGI application, with such a setting `MAILCORE` and such handlers."""
    _prepare()
    from django.core.handlers.wsgi import WSGIHandler
    from django.test.utils import override_settings
    from django.urls import include, path

    urls = (path(f"{MOUNT.strip('/')}/", include("mailcore.frameworks.django.urls")),)
    mailcore = {**config, "replay_store": options.get("replay_store")}
    with override_settings(MAILCORE=mailcore, ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"]), _listening(options):
        yield WSGIHandler()


def _prepare() -> None:
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["mailcore.frameworks.django"],
            LOGGING_CONFIG=None,
            SECRET_KEY="none",  # noqa: S106  # reason: nothing is signed with it
            USE_TZ=True,
        )
        django.setup()


@contextmanager
def _listening(options: Mapping[str, Any]) -> Iterator[None]:
    """Have handlers called through the signals."""
    from mailcore.frameworks.django import inbound, tracking

    given = [(tracking, "event", options.get("on_event")), (inbound, "message", options.get("on_inbound"))]
    connected = []
    for signal, argument, handler in given:
        if handler is not None:

            def receiver(*, argument: str = argument, handler: Any = handler, **told: Any) -> None:
                handler(told[argument])

            signal.connect(receiver)
            connected.append((signal, receiver))
    try:
        yield
    finally:
        for signal, receiver in connected:
            signal.disconnect(receiver)
