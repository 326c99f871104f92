"""The sandbox as a web application: the providers' APIs, a JSON feed, and a page (extra `sandbox`)."""

from mailcore._extra import requires_extra

with requires_extra("sandbox", by=__name__):
    import aiosmtpd  # noqa: F401  # reason: only whether it is there
    import jinja2  # noqa: F401  # reason: only whether it is there
    import starlette  # noqa: F401  # reason: only whether it is there
    import uvicorn  # noqa: F401  # reason: only whether it is there

from mailcore.sandbox.web._serving import SandboxServer

__all__ = ["SandboxServer"]
