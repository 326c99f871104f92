#!/usr/bin/env python3
"""
A Django project that sends through mailcore and receives webhooks, with a MailPace on this machine.

    python examples/django_project/manage.py demo          send, deliver, and show what arrived
    python examples/django_project/manage.py runserver     serve /mail/mailpace/tracking/ and .../inbound/

Nothing leaves the machine, and no account is needed.
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
