"""What can be found out about a source without reading people into the store: `bridge doctor`."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Wanted
from bridge.sources import SourceSettings


class State(StrEnum):
    """How a step went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found, and what to do about it where that is not well.

    Neither text holds a person's value or a secret. ``exit_code`` is that of
    `SourceUnavailable` or `IncompleteRead` where a read would end with it, and 0 otherwise.
    """

    step: str
    state: State
    found: str
    advice: str = ""
    exit_code: int = 0


class Checkup(Protocol):
    """What a kind of source may add: a module that examines sources of its kind."""

    def examine(self, settings: SourceSettings, folder: Path, wanted: Wanted) -> Iterator[Finding]:
        """A finding a step, as they come; nothing is written, credentials are tried once at most.

        Where a step failed, those that need it are skipped with the reason.
        """
        ...


def checkups() -> Mapping[str, Checkup]:
    """The checkup of each kind of source that has one, by its ``type``."""
    from bridge.sources import active_directory_doctor, csv_doctor, ldap_doctor

    return {
        "active-directory": active_directory_doctor,
        "csv": csv_doctor,
        "ldap": ldap_doctor,
    }


def worst(findings: Iterable[Finding]) -> int:
    """The exit code of all findings: not reached before not complete, 0 where nothing failed."""
    return max((finding.exit_code for finding in findings), default=0)


def unavailable(step: str, found: str, advice: str) -> Finding:
    """A step without which nothing can be read."""
    return Finding(step, State.FAILED, found, advice, SourceUnavailable.exit_code)


def incomplete(step: str, found: str, advice: str) -> Finding:
    """A step after which a read would be INCOMPLETE."""
    return Finding(step, State.FAILED, found, advice, IncompleteRead.exit_code)


def skipped(steps: Iterable[str], reason: str) -> Iterator[Finding]:
    """The steps that were not taken, each with the reason."""
    for step in steps:
        yield Finding(step, State.SKIPPED, reason)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean 'NAME'?`` and a blank, or nothing where no known name is near."""
    spelled = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), spelled, n=1)
    return f"did you mean '{spelled[near[0]]}'? " if near else ""


def unknown(
    step: str, missing: Iterable[str], known: Iterable[str], lacks: str
) -> Iterator[Finding]:
    """A warning for each name that is not there; ``lacks`` says what lacks it."""
    known = tuple(known)
    for name in sorted(missing):
        advice = f"{did_you_mean(name, known)}What the mapping makes of it stays empty"
        yield Finding(step, State.WARNING, f"{lacks} '{name}'", advice)


def fill_rates(
    names: Iterable[str], counts: Counter[str], total: int, of: str, advice: str
) -> Iterator[Finding]:
    """In how many of ``total`` entries each name has a value; a warning of those in none."""
    ordered = sorted(names, key=str.casefold)
    for name in ordered:
        if counts[name]:
            rate = f"{_percent(counts[name], total)} of {total:,} {of}"
            yield Finding("fill", State.OK, f"{name}: {rate}")
    if empty := [name for name in ordered if not counts[name]]:
        found = f"none of {total:,} {of} has {', '.join(empty)}"
        yield Finding("fill", State.WARNING, found, advice)


def _percent(count: int, total: int) -> str:
    """Rounded, but 100 % only where that is exact."""
    if count == total:
        return "100 %"
    return f"{min(max(round(100 * count / total), 1), 99)} %"
