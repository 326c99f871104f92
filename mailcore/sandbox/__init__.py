"""A provider on this machine: an adapter's emulator, served over real HTTP."""

from mailcore.sandbox._chaos import Chaos
from mailcore.sandbox._provider import Delivered, LocalProvider

__all__ = ["Chaos", "Delivered", "LocalProvider"]
