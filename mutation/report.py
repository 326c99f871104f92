"""Prints what survives, why, and the figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby

from mutation.mutant import Mutant
from mutation.page import Page
from mutation.trial import Findings
from reliability.figures import print_figures

__all__ = ["report"]

#: The share of each trial that must be noticed; below it, a whole run ends with 1.
AT_LEAST = 90.0


def report(judge: str, findings: Sequence[Findings], *, page: Page, whole: bool) -> int:
    """Print the findings, and return the exit code: 0 where enough was noticed and the rest is explained."""
    survivors = [mutant for found in findings for mutant in found.survivors]
    unexplained = [mutant for mutant in survivors if page.reason(mutant) is None]
    print("\n".join(_survivors(survivors, page)))
    if whole:
        for function, put in page.outdated(survivors):
            print(f"\nNoticed now, so {page.path.name} need not explain it: {function}\n  + {put}")
    figures: dict[str, object] = dict(_figures(findings))
    figures["survivors"] = f"{len(survivors)}, {len(unexplained)} of them not explained in {page.path.name}"
    figures["time"] = f"{sum(found.seconds for found in findings):.0f} s"
    print_figures(
        f"{judge}: mutants noticed", figures, command=["mutation", *sys.argv[1:]], folder="mutation"
    )
    enough = not whole or all(_score(found) >= AT_LEAST for found in findings)
    return 0 if enough and not unexplained else 1


def _survivors(survivors: Sequence[Mutant], page: Page) -> Iterator[str]:
    for function, mutants in groupby(survivors, key=lambda mutant: mutant.function):
        yield f"\n{function}"
        for mutant in mutants:
            why = page.reason(mutant) or f"NOT EXPLAINED in {page.path.name}"
            yield f"  - {mutant.gone}\n  + {mutant.put}\n    {why}"


def _figures(findings: Sequence[Findings]) -> Iterator[tuple[str, str]]:
    """Return the figures of each trial, and of each module where there are several."""
    for found in findings:
        noticed = sum(found.noticed.values())
        yield found.name, _share(noticed, noticed + len(found.survivors))
        for module, number in found.noticed.items():
            lost = sum(mutant.function.startswith(f"{module}.") for mutant in found.survivors)
            yield f"  {module}", _share(number, number + lost)


def _score(found: Findings) -> float:
    noticed = sum(found.noticed.values())
    return 100 * noticed / max(noticed + len(found.survivors), 1)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}: {100 * part / max(whole, 1):.1f} %"
