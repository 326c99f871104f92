"""Mailcore in Flask: mailers of the application's configuration, and a blueprint for webhooks.

    mail = Mailcore(app)                     # or Mailcore(), and mail.init_app(app) later
    app.register_blueprint(mail.webhooks, url_prefix="/mail")

Rule: the body is read from the server's stream, up to the endpoint's own limit: `MAX_CONTENT_LENGTH` is for
the application's forms. What a hook has read before is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from io import BytesIO
from typing import Any, Unpack

from mailcore import ConfigurationError, Mailer, MailerGroup, Mailers, WebhookReceiver
from mailcore._closing import Closing
from mailcore._extra import requires_extra
from mailcore.frameworks._embedding import Embedded, Handlers, Options, named
from mailcore.frameworks._endpoint import NOT_FOUND
from mailcore.frameworks.wsgi import Environ, received

with requires_extra("flask", by=__name__):
    from flask import Blueprint, Flask, Request, Response, current_app, has_app_context, request
    from flask.blueprints import BlueprintSetupState
    from flask.sansio.app import App

__all__ = ["Mailcore"]

#: Refused by the endpoint itself, so that every embedding says the same.
_METHODS = ("POST", "HEAD", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


class Mailcore(Handlers, Closing):
    """
    Add mailers and webhook endpoints to Flask applications.

    Each application is configured by its own `MAILCORE`: one mailer's flat settings, or what `Mailers`
    takes; without it, by the environment. Handlers run in the application's context, and an async one
    as Flask runs async views.

    Args:
        app: To call `init_app` with.
        options: As `Options` says: `on_event`, `on_inbound`, `on_quarantine`, `replay_store`, `receive`.

    Attributes:
        webhooks: The blueprint, with `<provider>/tracking/` and `<provider>/inbound/`.
    """

    def __init__(self, app: Flask | None = None, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self._apps: dict[App, _Application] = {}
        self.webhooks = Blueprint("mailcore", __name__)
        self.webhooks.record(self._mounted)
        for rule in ("/<provider>/<kind>/", "/<provider>/<kind>"):  # a redirect would lose the delivery
            self.webhooks.add_url_rule(
                rule,
                "webhook",
                self._answer,
                methods=_METHODS,
                provide_automatic_options=False,
                merge_slashes=False,
            )
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """
        Configure an application by its `MAILCORE`, or by the environment.

        Raises:
            ConfigurationError: There is no mailer in either.
        """
        self._apps[app] = app.extensions["mailcore"] = _Application(app, self)

    def mailer(self, name: str | None = None) -> Mailer | MailerGroup:
        """
        Return a mailer of the current application; of the only one, outside of any.

        Args:
            name: None: the default one.
        """
        mailers = self._of().mailers
        return mailers.default if name is None else mailers[name]

    def draining(self, *, every: float = 1.0) -> ExitStack:
        """Return a context manager that drains every spool, as `WebhookReceiver.draining` does."""
        found = self._of()
        found.endpoints()
        with ExitStack() as stack:
            for receiver in found.receivers:
                stack.enter_context(receiver.draining(every=every))
            return stack.pop_all()

    def close(self) -> None:
        """Close what mailers and receivers of every application hold."""
        for found in self._apps.values():
            found.mailers.close()
            for receiver in found.receivers:
                receiver.close()

    def _mounted(self, state: BlueprintSetupState) -> None:
        self._of(state.app).endpoints()  # what cannot work is said at the start

    def _of(self, app: App | None = None) -> _Application:
        if app is None and has_app_context():
            app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # reason: Flask's own way
        if app is None and len(self._apps) == 1:
            return next(iter(self._apps.values()))
        if app not in self._apps:
            raise ConfigurationError("This application has no mailcore yet. Call init_app(app) first.")
        return self._apps[app]

    def _answer(self, provider: str, kind: str) -> Response:
        endpoint = self._of().endpoint(provider, kind)
        found = NOT_FOUND if endpoint is None else received(_environ(request), endpoint)
        answer = Response(found.body, found.status)
        del answer.headers["Content-Type"]  # which Flask would make up
        answer.headers.extend(found.headers)
        return answer


class _Application(Embedded[Mailers, WebhookReceiver]):
    """One application: its mailers, and its endpoints."""

    def __init__(self, app: Flask, handlers: Handlers) -> None:
        self._app = app
        super().__init__(named(Mailers, app.config.get("MAILCORE")), WebhookReceiver, handlers)

    def wrapped(self, function: Callable[..., object]) -> Callable[..., object]:
        """Return a handler that has the application's context, also where a spool is drained."""
        synchronous = self._app.ensure_sync(function)

        @wraps(function)
        def within(item: Any) -> object:
            if has_app_context():
                return synchronous(item)
            with self._app.app_context():
                return synchronous(item)

        return within


def _environ(request: Request) -> Environ:
    """Return the WSGI environment, with what a hook has read of the body back in it."""
    if "stream" not in vars(request):
        return request.environ
    body = request.get_data()
    if len(body) < (request.content_length or 0):
        raise RuntimeError(
            "A before_request hook has consumed the body of a webhook. Let it read request.get_data(), which "
            "keeps it, or leave the blueprint of mailcore out."
        )
    return {**request.environ, "wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
