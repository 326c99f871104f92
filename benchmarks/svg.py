"""
The drawing that both kinds of plots are made of.

Rule: a plot has a title and a description for those who do not see it, and a ground of its own, so that it
      can be read on a light page and on a dark one. No colour says what no word says.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["document", "rectangle", "text"]

_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.ground { fill: #ffffff; stroke: #d0d7de }
.title { font-weight: 600; font-size: 15px }
.quiet { fill: #57606a; font-size: 12px }
.grid { stroke: #d0d7de; stroke-width: 1 }
.limit, .spread { stroke: #24292f; stroke-width: 1.5 }
.limit, .guide { stroke-dasharray: 4 3 }
.bar { fill: #8c959f }
.ours { fill: #0969da }
.missed { fill: #bc4c00 }
.guide { stroke: #57606a; stroke-width: 1; fill: none }
.line { fill: none; stroke-width: 2 }
.line0 { stroke: #0969da } .line1 { stroke: #bc4c00 } .line2 { stroke: #6639ba } .line3 { stroke: #1a7f37 }
.mark0 { fill: #0969da } .mark1 { fill: #bc4c00 } .mark2 { fill: #6639ba } .mark3 { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ground { fill: #161b22; stroke: #30363d }
.quiet { fill: #9198a1 }
.grid { stroke: #30363d }
.limit, .spread { stroke: #e6edf3 }
.bar { fill: #656c76 }
.ours { fill: #4493f8 }
.missed { fill: #db6d28 }
.guide { stroke: #9198a1 }
.line0 { stroke: #4493f8 } .line1 { stroke: #db6d28 } .line2 { stroke: #ab7df8 } .line3 { stroke: #3fb950 }
.mark0 { fill: #4493f8 } .mark1 { fill: #db6d28 } .mark2 { fill: #ab7df8 } .mark3 { fill: #3fb950 }
}"""


def document(width: int, height: int, *, title: str, description: str, parts: Iterable[str]) -> str:
    """Return the file."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        f' width="{width}" height="{height}" role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(description)}</desc>',
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
        text(20, 28, title, kind="title"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "start") -> str:
    """Return words; `anchor` is the side of them that is at `x`."""
    of_kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of_kind}>{escape(words)}</text>'


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a bar."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"/>'
