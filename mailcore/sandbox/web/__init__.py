"""The sandbox as a web application: the providers' APIs, a JSON feed, and a page (extra `sandbox`)."""

from mailcore.sandbox.web._serving import SandboxServer

__all__ = ["SandboxServer"]
