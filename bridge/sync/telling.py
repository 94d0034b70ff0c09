"""What the daemon logs: news once, and no noise about what stays as it is."""

from __future__ import annotations

import threading
from typing import Any

import structlog

from bridge.sync.report import Report

_log = structlog.get_logger()


class Telling:
    """Remembers what was logged; a new term as the leader begins anew."""

    def __init__(self) -> None:
        self._trouble: dict[str, str] = {}
        self._faults: set[str] = set()
        self._told: dict[str, dict[str, Any]] = {}
        self._troubled: set[str] = set()
        self._lock = threading.Lock()

    def trouble(self, what: str, reason: str, **facts: str) -> None:
        """Log what goes wrong, until `well` says that it no longer does."""
        key = " ".join((what, *facts.values()))
        if self._trouble.get(key) != reason:
            self._trouble[key] = reason
            _log.error(what, reason=reason, **facts)

    def well(self, what: str, **facts: str) -> None:
        self._trouble.pop(" ".join((what, *facts.values())), None)

    def faults(self, faults: set[str]) -> None:
        """Log those faults of mapping files that were not there before."""
        with self._lock:
            for fault in sorted(faults - self._faults):
                _log.error("faulty mapping file", fault=fault)
            self._faults = faults

    def troubled(self, source: str, count: int) -> None:
        """Warn where so many people cannot be served as a source has them; tell when that ends."""
        if count and source not in self._troubled:
            self._troubled.add(source)
            event = "many people cannot be served as the source has them"
            _log.warning(event, source=source, people=count)
        elif not count and source in self._troubled:
            self._troubled.remove(source)
            _log.info("people are served again as the source has them", source=source)

    def report(self, report: Report) -> None:
        """Log what a run did; a look at the files or a run may see a fault first."""
        self.faults(self._faults.union(report.faults))
        facts = {name: value for name, value in report.as_json().items() if value}
        facts.pop("faults", None)
        lasting = {
            "verdict": report.verdict,
            "reason": report.reason,
            "plans": report.plans,
            "problems": report.problems,
        }
        news = report.written or report.changed or report.gone or report.held
        if not news and self._told.get(report.source) == lasting:
            _log.debug("synced", **facts)
            return
        self._told[report.source] = lasting
        (_log.warning if report.reason or report.plans else _log.info)("synced", **facts)
