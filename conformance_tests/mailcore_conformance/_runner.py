"""Runs checks on one adapter.

Rule 1: every check runs, in the catalogue's order, whatever the others found.
Rule 2: what the adapter raises is a failure, with the place in its code; what the suite raises is an
        error of its own. Neither ends the run.
Rule 3: no check reaches the network; one that tries is a finding.
"""

from __future__ import annotations

import hashlib
import logging
import platform
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import attrs

from mailcore import AdapterSpec, PluginHost
from mailcore._nearest import did_you_mean
from mailcore_conformance._blame import in_adapter, is_borrowed, told
from mailcore_conformance._check import ANCHORS, Check, Failed, NotApplicable, catalogue
from mailcore_conformance._contract import CONTRACT, contract
from mailcore_conformance._evidence import require_evidence
from mailcore_conformance._guard import no_network
from mailcore_conformance._kit import Kit, KitError
from mailcore_conformance._report import CheckResult, Deviation, Report, Status, counts_for_verdict
from mailcore_conformance._subject import Subject
from mailcore_conformance._undisturbed import undisturbed

__all__ = ["run"]

#: The check of what the guard saw; it is settled when all others have run.
NETWORK = "S01"


def run(
    spec: AdapterSpec,
    kit: Kit,
    *,
    host: PluginHost,
    only: Collection[str] = (),
    deviations: Collection[Deviation] = (),
    progress: Callable[[Check], object] | None = None,
) -> Report:
    """
    Run the checks on one adapter.

    Args:
        host: Offers the adapter.
        only: Ids of the checks to run; none: all. The verdict of a part is never "conformant".
        deviations: What the author knows to fail.
        progress: Called before each check.

    Raises:
        KitError: The kit lacks evidence, or an id is unknown: nothing was run.
    """
    _known(only, "check")
    _known([deviation.id for deviation in deviations], "deviation")
    require_evidence(spec, kit)
    results = _results(Subject(spec, kit, host=host), _wanted(only), progress)
    results = {name: _anchored(result, results) for name, result in results.items()}
    excused = {deviation.id for deviation in deviations}
    shown = [_excused(result, excused) for name, result in results.items() if not only or name in only]
    return Report(
        contract=CONTRACT,
        suite={"version": _version("mailcore-conformance"), "catalogue": _digest(catalogue())},
        adapter=_adapter(spec, host),
        spec=spec,
        results=tuple(shown),
        deviations=tuple(sorted(deviations, key=lambda one: one.id)),
        stale=tuple(result.check.id for result in shown if _is_stale(result, excused)),
        whole=not only,
        run={
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "core": _version("mailcore-esp"),
            "command": " ".join(["mailcore-conformance run", spec.name, *(f"--only {one}" for one in only)]),
        },
    )


def _known(ids: Collection[str], what: str) -> None:
    for one in ids:
        if one not in catalogue():
            raise KitError(
                f"There is no check {one!r} ({what}).{did_you_mean(one, catalogue())} "
                "`mailcore-conformance list` shows all."
            )


def _wanted(only: Collection[str]) -> list[Check]:
    """Return the checks to run: those asked for, and what shows whether they mean anything."""
    checks = catalogue()
    if not only or NETWORK in only:  # what it says, it says of all the others
        return list(checks.values())
    needed = {*only, *(anchor for one in only for anchor in ANCHORS[checks[one].section])}
    return [check for check in checks.values() if check.id in needed]


def _results(
    subject: Subject, checks: Collection[Check], progress: Callable[[Check], object] | None
) -> dict[str, CheckResult]:
    results = {}
    with undisturbed(), no_network() as asked, _quiet():
        for check in checks:
            if progress is not None:
                progress(check)
            results[check.id] = _result(check, subject)
    if NETWORK in results and asked:
        reason = " ".join(f"{one}." for one in dict.fromkeys(asked))
        results[NETWORK] = attrs.evolve(results[NETWORK], status=Status.FAIL, reason=reason)
    return results


def _result(check: Check, subject: Subject) -> CheckResult:
    scored = counts_for_verdict(check, contract().scored)
    status, reason = _outcome(check, subject)
    reason = " ".join(reason.split())
    if status is not Status.PASS and not reason:  # a verdict that nobody can act on is worth nothing
        status, reason = Status.ERROR, f"The check ended as {status.value} without saying why."
    return CheckResult(check=check, status=status, reason=reason, scored=scored)


def _outcome(check: Check, subject: Subject) -> tuple[Status, str]:
    if check.capability is not None and not subject.can(check.capability):
        return Status.NOT_APPLICABLE, f"The adapter does not declare {check.capability.value}."
    try:
        check.run(subject)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # reason: the adapter is a stranger's code
        return _ended(error, check, subject)
    return Status.PASS, ""


def _ended(error: BaseException, check: Check, subject: Subject) -> tuple[Status, str]:
    if isinstance(error, Failed | KitError):
        return Status.FAIL, str(error)
    # Only a check knows what applies: an adapter that says so itself has failed like any other.
    if isinstance(error, NotApplicable) and not is_borrowed(error, run=getattr(check.run, "__code__", None)):
        return Status.NOT_APPLICABLE, str(error)
    package = subject.spec.factory.partition(":")[0].partition(".")[0]
    return (Status.FAIL if in_adapter(error) else Status.ERROR), told(error, package=package)


def _anchored(result: CheckResult, results: Mapping[str, CheckResult]) -> CheckResult:
    """Return a pass as what it is worth where an anchor of its section does not hold."""
    if result.status is not Status.PASS:
        return result
    for anchor in ANCHORS[result.check.section]:
        found = results.get(anchor)
        if found is None or found is result or found.status is Status.PASS:
            continue
        if found.status is Status.NOT_APPLICABLE:
            return attrs.evolve(result, status=found.status, reason=found.reason)
        # A deviation excuses its own check alone: here, too, there was nothing to look at.
        reason = f"{anchor} fails, so there was nothing to look at. Mend that first."
        return attrs.evolve(result, status=Status.BLOCKED, reason=reason)
    return result


def _is_stale(result: CheckResult, excused: set[str]) -> bool:
    """Return whether a deviation names a check that does not deviate."""
    explained = (Status.KNOWN_DEVIATION, Status.BLOCKED, Status.ERROR)  # the latter two say nothing of it
    return result.check.id in excused and result.status not in explained


def _excused(result: CheckResult, excused: set[str]) -> CheckResult:
    if result.status is Status.FAIL and result.check.id in excused:
        return attrs.evolve(result, status=Status.KNOWN_DEVIATION)
    return result


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep core's warnings off the terminal: most checks provoke them on purpose."""
    logger = logging.getLogger("mailcore")
    handler = logging.NullHandler()
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = before
        logger.removeHandler(handler)


def _digest(checks: Mapping[str, Check]) -> str:
    lines = "\n".join(f"{check.id} {check.title}" for check in checks.values())
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def _adapter(spec: AdapterSpec, host: PluginHost) -> Mapping[str, str]:
    owners = [plugin.distribution for plugin in host.plugins if spec in plugin.adapters]
    distribution = owners[0] if owners else ""
    return {
        "name": spec.name,
        "title": spec.title or spec.name,
        "distribution": distribution,
        "version": _version(distribution) if distribution else "",
    }


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except (PackageNotFoundError, ValueError):
        return ""
