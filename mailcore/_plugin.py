"""What a host knows of one plugin: that it is loaded, or why not."""

from __future__ import annotations

import attrs

from mailcore._spec import AdapterSpec

__all__ = ["Plugin", "PluginProblem"]


@attrs.frozen(kw_only=True)
class Plugin:
    """
    One loaded plugin.

    Attributes:
        name: `distribution:entry point`, unique.
        module: Where its hooks are implemented.
    """

    name: str
    distribution: str
    module: str = ""
    adapters: tuple[AdapterSpec, ...] = ()


@attrs.frozen(kw_only=True)
class PluginProblem:
    """
    Why a plugin, or one of its adapters, is not available.

    Attributes:
        distribution: Empty for a name in the environment that nothing installed has.
        text: What is wrong and what to do, in one sentence or two.
        details: The traceback, where code failed; empty otherwise.
    """

    name: str
    distribution: str
    text: str
    details: str = attrs.field(default="", repr=False)
