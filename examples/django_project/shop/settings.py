"""Settings of the shop. What differs from place to place comes from the environment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import django

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "for this example alone")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = ["shop", "mailcore.frameworks.django"]
USE_TZ = True

DATABASE = Path(tempfile.gettempdir()) / "mailcore-example.sqlite3"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", DATABASE),
        # Several processes write: each waits for its turn.
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}

DEFAULT_FROM_EMAIL = "Shop <shop@example.com>"
BACKEND = "mailcore.frameworks.django.OutboxBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": BACKEND}}
else:
    EMAIL_BACKEND = BACKEND

# MAILPACE_API_KEY and MAILPACE_WEBHOOK_KEY are looked up in the environment; `demo` sets them.
MAILCORE: dict[str, Any] = {
    "PROVIDER": "mailpace",
    "REPLAY_STORE": "mailcore.frameworks.django.DjangoReplayStore",
}
