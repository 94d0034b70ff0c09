"""The report of a sync, as commands print it and the daemon hands it to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.errors import FileFaults, IncompleteRead, SourceUnavailable
from bridge.sync.read_report import FAILED, INCOMPLETE

_HELD_EXIT_CODE = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What a sync did, as `bridge sync --json` prints it.

    ``verdict`` is that of the read, empty where nothing was read; ``counts`` and ``held`` are
    people by kind of change; ``plans`` the hashes of all plans of the source that wait.
    """

    source: str
    run: int
    mode: str
    verdict: str = ""
    reason: str = ""
    entries: int = 0
    changed: int = 0
    gone: int = 0
    written: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    plans: list[str] = field(default_factory=list)
    problems: int = 0
    publication: int | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if self.faults:
            return FileFaults.exit_code
        if self.verdict == FAILED:
            return SourceUnavailable.exit_code
        if self.verdict == INCOMPLETE:
            return IncompleteRead.exit_code
        return _HELD_EXIT_CODE if self.plans else 0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "exit_code": self.exit_code}
