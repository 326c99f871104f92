#!/usr/bin/env python3
"""
A Django project that sends through mailcore and receives webhooks, with a MailPace on this machine.

    python examples/django_project/manage.py demo

`demo` orders, confirms, follows and receives. Nothing leaves the machine, and no account is needed.

It needs `pip install '.[django]' './adapters/mailpace[signatures]'`. With an account, MAILPACE_API_KEY and
MAILPACE_WEBHOOK_KEY are its keys, and these serve in earnest:

    python examples/django_project/manage.py migrate
    python examples/django_project/manage.py runserver       orders at /order/, webhooks at /mail/mailpace/
    python examples/django_project/manage.py sendmailcoreoutbox --every 2
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    execute_from_command_line(sys.argv)
