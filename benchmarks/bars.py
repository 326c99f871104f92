"""Plots of bars: what each contender costs, and each goal beside its limit."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from benchmarks import svg
from benchmarks.contest import Found, Spread
from benchmarks.goals import Verdict
from benchmarks.units import seconds

__all__ = ["contest", "goals"]

WIDTH, LABELS, VALUES, STEP = 800, 310, 120, 26
_TOP = 48


@attrs.frozen
class _Bar:
    label: str
    value: str
    spread: Spread
    kind: str


def contest(found: Found) -> str:
    """Draw what each contender costs."""
    bars = []
    for name in found.rounds:
        spread = found.spread(name)
        kind = "ours" if "mailcore" in name else "bar"
        bars.append(_Bar(name, seconds(spread.median), spread, kind))
    note = "Shorter is better. The thin line has half of the rounds."
    return _drawn(found.title, bars, note=note, description=_told(bars), limit=None)


def goals(found: Sequence[Verdict]) -> str:
    """Draw each goal as the share of its limit that is used."""
    bars = []
    for verdict in found:
        goal, figure = verdict.goal, verdict.figure
        shares = [value / goal.limit for value in (figure.median, figure.low, figure.high)]
        if goal.share:  # more is better
            shares = [1 / shares[0], 1 / shares[2], 1 / shares[1]]
        label = f"{goal.number}  {goal.label or goal.contest} / {goal.of if goal.share else goal.against}"
        said = f"{shares[0]:.2f}, {'reached' if verdict.reached else 'missed'}"
        bars.append(_Bar(label, said, Spread(*shares), "ours" if verdict.reached else "missed"))
    note = "Shorter is better: the cost, as a share of what the goal allows, which is the dashed line."
    return _drawn("The goals, and what was measured", bars, note=note, description=_told(bars), limit=1.0)


def _told(bars: Sequence[_Bar]) -> str:
    return "; ".join(f"{bar.label}: {bar.value}" for bar in bars) + "."


def _drawn(title: str, bars: Sequence[_Bar], *, note: str, description: str, limit: float | None) -> str:
    room = WIDTH - LABELS - VALUES - 20
    most = max(limit or 0, *(bar.spread.high for bar in bars))
    bottom = _TOP + STEP * len(bars)

    def place(value: float) -> float:
        return LABELS + room * max(value, 0) / most

    parts = []
    for row, bar in enumerate(bars):
        middle = _TOP + STEP * row + STEP / 2
        median, low, high = (place(value) for value in (bar.spread.median, bar.spread.low, bar.spread.high))
        parts += [
            svg.text(LABELS - 10, middle + 4, bar.label, anchor="end"),
            svg.rectangle(LABELS, middle - 8, max(median - LABELS, 1), 16, bar.kind),
            f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>',
            svg.text(LABELS + room + 12, middle + 4, bar.value),
        ]
    if limit:
        at = place(limit)
        parts.append(f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
    parts.append(svg.text(20, bottom + 24, note, kind="quiet"))
    return svg.document(WIDTH, bottom + 40, title=title, description=description, parts=parts)
