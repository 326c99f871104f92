"""Drawings of what the code decides, made by asking it."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import fill
from typing import cast

from _markdown import block, meanings, table

from mailcore import HttpRequest, Phase, Request, SendError, SmtpRequest, TransportFailure, _driver

__all__ = ["layers", "phases", "road"]

ROOT = Path(__file__).resolve().parent.parent

#: Column → a request of that kind.
REQUESTS: dict[str, Request] = {
    "sending over HTTP": HttpRequest(method="POST", url="https://provider.example/send"),
    "sending over SMTP": SmtpRequest(
        server="mail.example", mail_from="a@example.com", rcpt_to=["b@example.com"], data=b""
    ),
    "a step before": HttpRequest(method="GET", url="https://provider.example/token", commits=False),
}


def road() -> str:
    """Draw how far a request gets, and what each failure on the way proves."""
    names = [*(phase.value for phase in Phase), "answer"]
    ends = [_end(phase, REQUESTS["sending over HTTP"]).outcome.value for phase in Phase]
    widths = [max(len(name) + 4, len(end) + 2) for name, end in zip(names, ends, strict=False)]
    way = "".join(
        f"{name} {'─' * (width - len(name) - 3)}▶ " for name, width in zip(names, widths, strict=False)
    )
    below = "".join(f"{end:<{width}}" for end, width in zip(ends, widths, strict=True))
    return block(f"{way}answer\n{below}what the adapter says")


def phases() -> str:
    """Write what it means that no answer came, by how far the request got."""
    said = meanings(Phase)
    rows = [
        (f"`{phase.value}`: {said[phase.name]}", *(_named(_end(phase, each)) for each in REQUESTS.values()))
        for phase in Phase
    ]
    untrusted = _named(_end(Phase.CONNECTING, REQUESTS["sending over HTTP"], untrusted=True))
    return "\n\n".join(
        [
            table(["how far it got", *REQUESTS], rows),
            f"Where the certificate or the TLS version was refused, `connecting` ends in {untrusted}.",
        ]
    )


def _end(phase: Phase, request: Request, *, untrusted: bool = False) -> SendError:
    failure = TransportFailure(phase, "", untrusted=untrusted)
    found = _driver._failed(failure, request, committed=False)  # noqa: SLF001  # reason: it decides
    return cast("SendError", found)


def _named(error: SendError) -> str:
    return f"`{type(error).__name__}`"


def layers() -> str:
    """Draw the layers, as the test has them that walks the imports."""
    tree = ast.parse((ROOT / "tests" / "test_layers.py").read_text(encoding="utf-8"))
    [found] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    ]
    drawn = [
        f"{name:<10}{fill(' '.join(files.split()), 88, subsequent_indent=' ' * 10)}"
        for name, files in reversed(ast.literal_eval(found).items())
    ]
    return block("\n    │ imports\n    ▼\n".join(drawn))
