"""What a run found, on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks.goals import verdicts
from benchmarks.lines import said
from benchmarks.record import Record
from benchmarks.units import formatter, seconds, times

__all__ = ["show"]


def show(record: Record, console: Console) -> None:
    """Print the contests, the curves, how they came about, and last what it says of the goals."""
    for name, found in record.contests.items():
        floor = next(iter(found.rounds))
        table = _table(f"{name}: {found.title}", "contender", "cost", f"times {floor}")
        for each in found.rounds:
            table.add_row(each, seconds(found.spread(each).median), times(found.ratio(each, floor)))
        console.print(table)
    for name, growth in record.curves.items():
        written = formatter(growth.y)
        table = _table(f"{name}: {growth.title}, {growth.y}", growth.x, *map(str, growth.numbers), "growth")
        for each, line in growth.lines.items():
            table.add_row(each, *map(written, line.medians()), said(growth, each))
        console.print(table)
    table = Table(title="How it came about", title_justify="left", show_header=False)
    for name, value in {**record.circumstances, **record.versions}.items():
        table.add_row(name, value)
    console.print(table)
    console.print(_goals(record))


def _goals(record: Record) -> Table:
    table = _table("Goals", "goal", "work", "limit", "measured", "verdict")
    for verdict in verdicts(record.contests):
        unit = "µs" if verdict.goal.pieces else "x"
        words = "[green]reached[/]" if verdict.reached else "[bold red]missed[/]"
        row = [str(verdict.goal.number), verdict.goal.contest, str(verdict.goal)]
        table.add_row(*row, times(verdict.figure, unit), words)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    return table
