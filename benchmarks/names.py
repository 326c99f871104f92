"""What contenders are called, for the contests that have them and the goals that compare them."""

from __future__ import annotations

# What sends or makes a mail.
ANYMAIL = "django-anymail"
DUMPS = "dict + json.dumps"
HTTPX = "httpx.Client + dict"
MAILCORE = "mailcore"
MAPPED = "mailcore: made and mapped"
SESSION = "requests.Session + dict"
SOCKET = "raw socket + dict"
URLLIB3 = "urllib3 + dict"
UNPOOLED = "requests.post + dict"

# The same in an event loop.
AIOHTTP = "aiohttp + dict"
ASYNC_HTTPX = "httpx.AsyncClient + dict"
ASYNC_MAILCORE = "mailcore: AsyncMailer"

# Many workers.
IDEAL = "waiting alone"

# What receives.
ANYMAIL_VIEW = "django-anymail: the view"
NACL = "PyNaCl + json.loads"
PASSWORD = "password + json.loads"  # noqa: S105  # reason: no password
RECEIVE = "mailcore: receive"
UNDERSTAND = "mailcore: verified and normalised"

# What is imported.
ATTRS = "import attrs, pluggy"
MAILCORE_ALONE = "import mailcore"
MAILCORE_MESSAGE = "from mailcore import Message"

# What listens.
PLUGINS = 10
PLUGGY = f"pluggy: {PLUGINS} calls of a hook"
BARE = "mailcore, no plugin"
LISTENING = f"mailcore, {PLUGINS} plugins with one hook"
